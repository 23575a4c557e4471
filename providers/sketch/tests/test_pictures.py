"""What the pictures have to be like."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from statuette.ports.image import Finished, GeneratedImage, ImageRequest, InputRole, Succeeded
from statuette_sketch.composition import understood
from statuette_sketch.photo import decode
from statuette_sketch.provider import SketchProvider
from statuette_sketch.styles import LOOKS

pytestmark = pytest.mark.usefixtures("known_photos")
Ask = Callable[..., ImageRequest]


async def pictures(provider: SketchProvider, request: ImageRequest) -> tuple[GeneratedImage, ...]:
    submission = await provider.submit(request)
    assert isinstance(submission, Finished)
    assert isinstance(submission.outcome, Succeeded)
    return submission.outcome.images


def pixels(image: GeneratedImage) -> np.ndarray:
    with Image.open(io.BytesIO(image.data), formats=["PNG"]) as opened:
        return np.asarray(opened.convert("RGB"))


def thumbnail(image: GeneratedImage) -> np.ndarray:
    """Small and soft, so that two pictures differ by what a person would see."""
    return cv2.resize(pixels(image), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)


_LEAST_VISIBLE_DIFFERENCE = 6.0
"""Mean difference of thumbnails, in steps of 255, below which two styles would look alike in a gallery."""


@pytest.mark.parametrize(
    ("ratio", "size"), [("1:1", (1280, 1280)), ("3:4", (960, 1280)), ("9:16", (720, 1280)), ("16:9", (1280, 720))]
)
async def test_size_follows_the_aspect_ratio(
    provider: SketchProvider, ask: Ask, ratio: str, size: tuple[int, int]
) -> None:
    (picture,) = await pictures(provider, ask("coffee", ratio=ratio))

    height, width = pixels(picture).shape[:2]
    assert (width, height) == size


@pytest.mark.usefixtures("half_size")
async def test_same_request_gives_the_same_bytes(ask: Ask) -> None:
    request = ask("astronaut", style="diorama", seed=5, name_text="Eileen")

    first = await pictures(SketchProvider(), request)
    again = await pictures(SketchProvider(), request)

    assert first[0].data == again[0].data


@pytest.mark.usefixtures("half_size")
async def test_all_twelve_styles_look_different(provider: SketchProvider, ask: Ask) -> None:
    seen = {style: thumbnail((await pictures(provider, ask("grace_hopper", style=style)))[0]) for style in LOOKS}

    assert len(seen) == 12
    for (one, a), (two, b) in itertools.combinations(seen.items(), 2):
        assert np.abs(a - b).mean() > _LEAST_VISIBLE_DIFFERENCE, f"{one} looks like {two}"


@pytest.mark.usefixtures("half_size")
async def test_several_pictures_of_one_request_differ(provider: SketchProvider, ask: Ask) -> None:
    made = await pictures(provider, ask("astronaut", count=3))

    assert len(made) == 3
    for a, b in itertools.combinations(made, 2):
        assert np.abs(thumbnail(a) - thumbnail(b)).mean() > _LEAST_VISIBLE_DIFFERENCE / 3


@pytest.mark.usefixtures("half_size")
async def test_another_seed_gives_another_picture(provider: SketchProvider, ask: Ask) -> None:
    one = await pictures(provider, ask("astronaut", seed=1))
    two = await pictures(provider, ask("astronaut", seed=2))

    assert one[0].data != two[0].data


@pytest.mark.parametrize("name", ["astronaut", "grace_hopper"])
def test_a_portrait_is_cut_out_cleanly(name: str, ask: Ask) -> None:
    subject = understood(decode(ask(name).inputs[0].data))

    assert subject.cut is not None
    face, alpha = subject.cut.face, subject.cut.alpha
    inner = alpha[
        int(face.top + face.size * 0.2) : int(face.top + face.size * 0.8),
        int(face.left + face.size * 0.25) : int(face.left + face.size * 0.75),
    ]
    assert inner.min() > 0.95, "the face has holes"
    assert alpha[: int(face.top * 0.3)].mean() < 0.1, "the wall above the head was taken for the subject"
    assert 0.15 < alpha.mean() < 0.85


@pytest.mark.parametrize("name", ["coffee", "chelsea"])
def test_a_photo_without_a_clean_outline_is_not_cut_out(name: str, ask: Ask) -> None:
    assert understood(decode(ask(name).inputs[0].data)).cut is None


@pytest.mark.usefixtures("half_size")
async def test_the_subject_decides_what_is_seen(provider: SketchProvider, ask: Ask) -> None:
    one = await pictures(provider, ask("astronaut"))
    two = await pictures(provider, ask("coffee"))

    assert np.abs(thumbnail(one[0]) - thumbnail(two[0])).mean() > _LEAST_VISIBLE_DIFFERENCE


@pytest.mark.usefixtures("half_size")
async def test_a_couple_stands_side_by_side(provider: SketchProvider, ask: Ask) -> None:
    alone = thumbnail((await pictures(provider, ask("astronaut")))[0])
    together = thumbnail((await pictures(provider, ask("astronaut", "grace_hopper")))[0])
    reversed_pair = thumbnail((await pictures(provider, ask("grace_hopper", "astronaut")))[0])

    assert np.abs(alone - together).mean() > _LEAST_VISIBLE_DIFFERENCE
    assert np.abs(together[:, :16] - reversed_pair[:, :16]).mean() > 3


@pytest.mark.usefixtures("half_size")
async def test_a_reference_is_not_rendered(provider: SketchProvider, ask: Ask) -> None:
    alone = await pictures(provider, ask("astronaut"))
    guided = await pictures(provider, ask("astronaut", "coffee", roles=(InputRole.subject, InputRole.reference)))

    assert alone[0].data == guided[0].data


async def test_a_change_without_the_photo_varies_the_earlier_figurine(provider: SketchProvider, ask: Ask) -> None:
    (earlier,) = await pictures(provider, ask("astronaut"))

    (changed,) = await pictures(provider, ask(earlier.data, roles=(InputRole.previous,), ratio="3:4", seed=3))

    assert pixels(changed).shape[:2] == (1280, 960)
    middle, corner = np.s_[500:800, 380:580], np.s_[:150, :150]
    square = pixels(earlier)[:, 160:1120]
    kept = np.abs(pixels(changed)[middle].astype(int) - square[middle]).mean()
    turned = np.abs(pixels(changed)[corner].astype(int) - square[corner]).mean()
    assert turned > kept


async def test_the_name_is_written_on_the_card(provider: SketchProvider, ask: Ask) -> None:
    eileen = pixels((await pictures(provider, ask("astronaut", style="action_card", name_text="Eileen")))[0])
    grace = pixels((await pictures(provider, ask("astronaut", style="action_card", name_text="Grace")))[0])

    rows = np.flatnonzero(np.abs(eileen.astype(int) - grace).max(axis=(1, 2)) > 40)
    assert rows.size and rows.max() < eileen.shape[0] * 0.3, "names differ somewhere else than in the title"


@pytest.mark.usefixtures("half_size")
@pytest.mark.parametrize("name", ["", "Ω≈ç√∫", "名前", "A" * 400])
async def test_any_name_gives_a_picture(provider: SketchProvider, ask: Ask, name: str) -> None:
    for style in ("action_card", "bust"):
        assert len(await pictures(provider, ask("coffee", style=style, name_text=name))) == 1


@pytest.mark.usefixtures("half_size")
async def test_a_style_nobody_knows_gets_a_look_of_its_own(provider: SketchProvider, ask: Ask) -> None:
    (picture,) = await pictures(provider, ask("astronaut", style="a_brand_made_this_up"))

    assert pixels(picture).std() > 20


@pytest.mark.usefixtures("half_size")
async def test_pictures_carry_no_metadata_of_the_photo(provider: SketchProvider, ask: Ask) -> None:
    (picture,) = await pictures(provider, ask("grace_hopper"))

    kinds, at = set(), 8
    while at < len(picture.data):
        length = int.from_bytes(picture.data[at : at + 4], "big")
        kinds.add(picture.data[at + 4 : at + 8])
        at += 12 + length
    assert kinds == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.usefixtures("half_size")
async def test_tiny_and_stretched_photos_give_pictures(provider: SketchProvider, ask: Ask) -> None:
    for height, width in ((16, 16), (16, 900), (700, 20)):
        noise = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
        data = cv2.imencode(".jpg", noise)[1].tobytes()
        for style in ("scale_collectible", "chibi", "brick_minifigure", "blind_box", "action_card"):
            assert len(await pictures(provider, ask(data, style=style, ratio="9:16"))) == 1

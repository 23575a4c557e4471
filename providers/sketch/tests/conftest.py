"""Requests as the kernel makes them, on real photos."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from statuette.ports.image import ImageInput, ImageRequest, InputRole
from statuette.testing.photos import sample_photos
from statuette_sketch import composition
from statuette_sketch.composition import Subject, understood
from statuette_sketch.photo import Picture
from statuette_sketch.provider import SketchProvider

Ask = Callable[..., ImageRequest]


@pytest.fixture
def provider() -> SketchProvider:
    return SketchProvider()


@pytest.fixture(scope="session")
def understanding() -> Callable[[Picture], Subject]:
    """`understood`, once for each photo: finding a face and its outline takes most of a picture's time."""
    known: dict[bytes, Subject] = {}

    def understand(photo: Picture) -> Subject:
        if (content := photo.tobytes()) not in known:
            known[content] = understood(photo)
        return known[content]

    return understand


@pytest.fixture
def known_photos(monkeypatch: pytest.MonkeyPatch, understanding: Callable[[Picture], Subject]) -> None:
    monkeypatch.setattr(composition, "understood", understanding)


@pytest.fixture
def half_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of half the edge take a quarter of the work, and what is seen of them is as different as at full size."""
    monkeypatch.setattr(composition, "_LONGEST_EDGE_PX", 640)


@pytest.fixture
def ask() -> Ask:
    """Builds a request for one or several sample photos, given by name or as bytes."""

    def build(
        *subjects: str | bytes,
        style: str = "vinyl_big_head",
        ratio: str = "1:1",
        count: int = 1,
        seed: int = 0,
        roles: tuple[InputRole, ...] = (),
        model: str = "sketch-1",
        **variables: str,
    ) -> ImageRequest:
        photos = sample_photos()
        data = [photos[s].read() if isinstance(s, str) else s for s in subjects]
        roles = roles or (InputRole.subject,) * len(data)
        inputs = tuple(ImageInput(role, "image/jpeg", d, 512, 512) for role, d in zip(roles, data, strict=True))
        return ImageRequest("att_test", model, "", inputs, style, dict(variables), ratio, count, seed)

    return build

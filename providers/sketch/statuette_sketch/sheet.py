"""A contact sheet, `python -m statuette_sketch.sheet [out.png]`: four photos in six styles on one page.

Pictures are made through the provider, exactly as the platform asks for them.
"""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from statuette.ports.image import Finished, ImageInput, ImageRequest, InputRole, Succeeded
from statuette.testing.photos import SamplePhoto, sample_photos
from statuette_sketch.lettering import printable
from statuette_sketch.provider import SketchProvider

_STYLES = ("scale_collectible", "vinyl_big_head", "action_card", "brick_minifigure", "bust", "diorama")
_NAMES = {"astronaut": "Eileen", "grace_hopper": "Grace", "chelsea": "Chelsea", "coffee": "Espresso"}

_CELL_PX = 312
_GAP_PX = 14
_MARGIN_PX = 44
_HEAD_PX = 150
_PAPER, _INK, _FAINT = (247, 245, 241), (28, 28, 32), (128, 124, 118)


async def made(photo: SamplePhoto, style: str, provider: SketchProvider) -> Image.Image:
    """One figurine.

    Raises:
        RuntimeError: the provider gave no picture.
    """
    data = photo.read()
    with Image.open(io.BytesIO(data)) as opened:
        width, height, media_type = opened.width, opened.height, Image.MIME[opened.format or "PNG"]
    request = ImageRequest(
        attempt_id=f"sheet-{photo.name}-{style}",
        model=provider.models()[0].id,
        prompt="",
        inputs=(ImageInput(InputRole.subject, media_type, data, width, height),),
        style=style,
        variables={"name_text": _NAMES[photo.name]},
        aspect_ratio="1:1",
    )
    submission = await provider.submit(request)
    if not isinstance(submission, Finished) or not isinstance(submission.outcome, Succeeded):
        raise RuntimeError(f"no picture of {photo.name} as {style}")
    return Image.open(io.BytesIO(submission.outcome.images[0].data))


async def laid_out(provider: SketchProvider) -> Image.Image:
    """The page: one row a photo, the photo itself first."""
    photos = list(sample_photos().values())
    columns, rows = len(_STYLES) + 1, len(photos)
    pitch = _CELL_PX + _GAP_PX
    page = Image.new(
        "RGB", (2 * _MARGIN_PX + columns * pitch - _GAP_PX, _HEAD_PX + rows * pitch - _GAP_PX + _MARGIN_PX + 24), _PAPER
    )
    draw = ImageDraw.Draw(page)
    draw.text((_MARGIN_PX, 34), "Statuette", _INK, ImageFont.load_default(44), stroke_width=1)
    line = "four photos in six styles, rendered offline by the sketch provider"
    draw.text((_MARGIN_PX + 220, 55), line, _FAINT, ImageFont.load_default(22))
    label = ImageFont.load_default(20)
    for column, title in enumerate(("photo", *_STYLES)):
        words = title.replace("_", " ")
        draw.text((_MARGIN_PX + column * pitch + 2, _HEAD_PX - 32), words, _INK if column else _FAINT, label)
    for row, photo in enumerate(photos):
        top = _HEAD_PX + row * pitch
        with Image.open(photo.path) as opened:
            page.paste(_filled(opened.convert("RGB")), (_MARGIN_PX, top), _corners())
        for column, style in enumerate(_STYLES, start=1):
            picture = await made(photo, style, provider)
            page.paste(_filled(picture), (_MARGIN_PX + column * pitch, top), _corners())
    thanks = "Photos: " + "; ".join(f"{p.credit} ({p.licence})" for p in photos)
    draw.text((_MARGIN_PX, page.height - 42), printable(thanks), _FAINT, ImageFont.load_default(17))
    return page


def _filled(picture: Image.Image) -> Image.Image:
    edge = min(picture.size)
    left, top = (picture.width - edge) // 2, (picture.height - edge) // 3
    square = picture.crop((left, top, left + edge, top + edge))
    return square.resize((_CELL_PX, _CELL_PX), Image.Resampling.LANCZOS)


def _corners() -> Image.Image:
    large = Image.new("L", (_CELL_PX * 4, _CELL_PX * 4), 0)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, _CELL_PX * 4 - 1, _CELL_PX * 4 - 1), 48, 255)
    return large.resize((_CELL_PX, _CELL_PX), Image.Resampling.LANCZOS)


def main(arguments: list[str]) -> None:
    out = Path(arguments[0] if arguments else "demo/contact-sheet.png")
    page = asyncio.run(laid_out(SketchProvider()))
    out.parent.mkdir(parents=True, exist_ok=True)
    page.save(out, optimize=True)
    sys.stdout.write(f"{out}: {page.width} × {page.height} pixels\n")


if __name__ == "__main__":
    main(sys.argv[1:])

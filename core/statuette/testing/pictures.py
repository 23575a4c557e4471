"""Small real pictures for tests and fakes: they decode, differ by seed, and cost a millisecond."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

from statuette.ports.image import ImageInput, InputRole

if TYPE_CHECKING:
    from PIL.Image import Image


def _scene(width: int, height: int, seed: int) -> Image:
    """A face-like figure on a noisy ground: compresses about as badly as a photo does."""
    from PIL import Image, ImageDraw

    dice = random.Random(seed)  # noqa: S311 - pictures, not secrets
    ground = Image.frombytes("RGB", (32, 32), dice.randbytes(32 * 32 * 3)).resize((width, height))
    draw = ImageDraw.Draw(ground)
    skin = (dice.randrange(120, 240), dice.randrange(90, 200), dice.randrange(80, 180))
    draw.ellipse((width * 0.25, height * 0.15, width * 0.75, height * 0.75), fill=skin)
    for eye in (0.4, 0.6):
        draw.ellipse((width * (eye - 0.04), height * 0.38, width * (eye + 0.04), height * 0.46), fill=(20, 20, 30))
    return ground


def photo_jpeg(width: int = 320, height: int = 400, seed: int = 0) -> bytes:
    """A JPEG standing in for an uploaded photo. The same arguments give the same bytes."""
    encoded = io.BytesIO()
    _scene(width, height, seed).save(encoded, "JPEG", quality=85)
    return encoded.getvalue()


def picture_png(width: int = 64, height: int = 64, seed: int = 0) -> bytes:
    """A PNG standing in for a finished figurine. The same arguments give the same bytes."""
    encoded = io.BytesIO()
    _scene(width, height, seed).save(encoded, "PNG", compress_level=1)
    return encoded.getvalue()


def photo_input(width: int = 320, height: int = 400, seed: int = 0, role: InputRole = InputRole.subject) -> ImageInput:
    """`photo_jpeg` as a provider receives it from intake."""
    return ImageInput(
        role=role, media_type="image/jpeg", data=photo_jpeg(width, height, seed), width=width, height=height
    )


def is_picture(data: bytes) -> bool:
    """Whether the bytes decode to the last pixel."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return False
    return True

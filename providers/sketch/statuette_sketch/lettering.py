"""Names on plates, cards and boxes, in the typeface that comes with Pillow."""

from __future__ import annotations

import unicodedata

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from statuette_sketch.photo import Plane

_LONGEST = 28
_NAME_VARIABLES = ("name_text", "name", "title", "text")


def name_in(variables: dict[str, str]) -> str:
    """The name to be shown, empty when there is none."""
    for variable in _NAME_VARIABLES:
        wanted = variables.get(variable, "").strip()
        if wanted:
            return printable(wanted[:_LONGEST])
    return ""


def printable(text: str) -> str:
    """The text in letters the typeface has: accents are dropped, other scripts left out."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if " " <= c <= "~").strip()


def written(text: str, height_px: int, widest_px: int, weight: float = 0.035, slant: float = 0.0) -> Plane:
    """Coverage of one line of text, cropped to the ink; shrunk to fit `widest_px`."""
    size = max(8, height_px)
    font = ImageFont.load_default(size)
    stroke = max(0, round(size * weight))
    # A stroke fattens letters into their neighbours, so they are set one by one with as much room more.
    starts, end = [], 0.0
    for letter in text:
        starts.append(end)
        end += font.getlength(letter) + 1.3 * stroke
    if end > widest_px and size > 8:
        return written(text, max(8, int(size * widest_px / end)), widest_px, weight, slant)
    _, top, _, bottom = font.getbbox(text, stroke_width=stroke)
    width, height = int(end) + 2 * stroke + 4, int(bottom - top) + 4
    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    for letter, start in zip(text, starts, strict=True):
        draw.text((stroke + 2 + start, 2 - top), letter, 255, font, stroke_width=stroke)
    if slant:
        lean = round(height * slant)
        image = image.transform(
            (width + lean, height), Image.Transform.AFFINE, (1, slant, -lean, 0, 1, 0), Image.Resampling.BICUBIC
        )
    return np.asarray(image, np.float32) / np.float32(255)

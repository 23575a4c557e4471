"""Decoding: bytes to pixels, and pixels to bytes. Pictures are float32 RGB arrays (height, width, 3) with values 0…1."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from statuette_sketch.errors import UndecodableInput

# Always float32; spelt without it because OpenCV's stubs promise no more than "numbers".
Picture = NDArray[Any]
Plane = NDArray[Any]

_FORMATS = ("JPEG", "PNG", "WEBP")
_LONGEST_EDGE_PX = 2048
_LARGEST_INPUT_PX = 4096 * 4096
_SHORTEST_EDGE_PX = 16


def decode(data: bytes) -> Picture:
    """Pixels of a JPEG, PNG or WebP photo, longest edge ≤ 2048.

    The size is read from the header first: intake has bounded it, but a provider that is used on its own has no intake.

    Raises:
        UndecodableInput: final.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as header:
            width, height = header.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise UndecodableInput from None
    if width * height > _LARGEST_INPUT_PX or min(width, height) < _SHORTEST_EDGE_PX:
        raise UndecodableInput
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        raise UndecodableInput from None
    if bgr is None:
        raise UndecodableInput
    scale = min(1.0, _LONGEST_EDGE_PX / max(bgr.shape[:2]))
    if scale < 1:
        size = (max(_SHORTEST_EDGE_PX, round(width * scale)), max(_SHORTEST_EDGE_PX, round(height * scale)))
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.float32) / np.float32(255)


def encode_png(picture: Picture) -> bytes:
    """A PNG without metadata. Fast compression: the kernel re-encodes what it serves."""
    done, data = cv2.imencode(".png", to_bytes(picture)[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise RuntimeError("the PNG encoder failed")
    return data.tobytes()


def to_bytes(picture: Picture) -> NDArray[np.uint8]:
    """Eight bits a channel."""
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)

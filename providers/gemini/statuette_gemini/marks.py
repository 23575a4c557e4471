"""Whether a picture's own bytes carry a machine-readable mark of origin: a C2PA manifest in a JUMBF box.

Gemini also weaves SynthID into the pixels. That mark is real, but only Google can read it: it does not count here.
"""

from __future__ import annotations

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"


def carries_c2pa(data: bytes) -> bool:
    """Walks the container (PNG, JPEG, WebP); text that merely mentions C2PA does not count. Never raises."""
    if data.startswith(_PNG):
        return _in_png(data)
    if data.startswith(_JPEG):
        return _in_jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _in_webp(data)
    return False


def _in_png(data: bytes) -> bool:
    at = len(_PNG)
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"caBX":
            return data[at + 12 : at + 16] == b"jumb"
        if kind in {b"IDAT", b"IEND"}:
            return False  # the specification puts the manifest before the pixels
        at += 12 + length
    return False


def _in_jpeg(data: bytes) -> bool:
    at = len(_JPEG)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        # APP11: "JP", a box instance and a packet number come before the box itself.
        if marker == 0xEB and data[at + 4 : at + 6] == b"JP" and data[at + 16 : at + 20] == b"jumb":
            return True
        if marker == 0xDA:
            return False
        at += 2 + length
    return False


def _in_webp(data: bytes) -> bool:
    at = 12
    while at + 8 <= len(data):
        if data[at : at + 4] == b"C2PA":
            return data[at + 12 : at + 16] == b"jumb"
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + (length & 1)
    return False

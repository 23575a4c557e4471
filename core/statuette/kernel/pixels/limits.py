"""How much of a picture is accepted, and how large what comes out of it may be."""

from __future__ import annotations

import msgspec


class PixelLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of intake and rendering.

    Attributes:
        max_bytes: of the encoded picture that comes in; 20 MiB.
        max_pixels: width times height, as its header says; checked before anything is decoded.
        min_edge_pixels: of the shorter edge, of what comes in and of what would go out.
        longest_edge_pixels: a normalised photo is shrunk to this.
        original_edge_pixels: a rendered original is shrunk to this; larger ones would cost memory nobody looks at.
        jpeg_quality: of a normalised photo, 1 to 95.
    """

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 50_000_000
    min_edge_pixels: int = 16
    longest_edge_pixels: int = 2048
    original_edge_pixels: int = 4096
    jpeg_quality: int = 90

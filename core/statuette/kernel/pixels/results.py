"""What the pool hands back."""

from __future__ import annotations

import msgspec


class EncodedPicture(msgspec.Struct, frozen=True):
    """One freshly encoded picture.

    Attributes:
        sha256: of `data`, in hex, computed by the parent.
    """

    media_type: str
    data: bytes
    width: int
    height: int
    sha256: str

    def __repr__(self) -> str:  # bytes of a picture never reach a log or a traceback
        return f"{type(self).__name__}({self.media_type}, {self.width}x{self.height}, {len(self.data)} bytes)"


class NormalisedPhoto(EncodedPicture, frozen=True):
    """A photo after intake: JPEG, sRGB, upright, on white where it was transparent, without any metadata."""


class RenderedPicture(msgspec.Struct, frozen=True):
    """A picture ready to be served; every encoding in it carries the mark of AI origin.

    Attributes:
        original: PNG.
        sizes: WebP by longest edge in pixels; never larger than the original.
    """

    original: EncodedPicture
    sizes: dict[int, EncodedPicture]

"""Parent side: believe a child only as far as can be seen, since what it decoded may have taken it over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from statuette.errors import InvalidInput
from statuette.kernel.pixels import wire
from statuette.kernel.pixels.errors import REFUSALS, ImageTooManyPixels, ImageTooSmall
from statuette.kernel.pixels.formats import sniff
from statuette.kernel.pixels.limits import PixelLimits
from statuette.kernel.pixels.mark import read_mark
from statuette.kernel.pixels.results import EncodedPicture, NormalisedPhoto, RenderedPicture
from statuette.policy import enforces

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


class ImplausibleError(Exception):
    """No honest child would have answered that."""


def accept_photo(reply: wire.Reply, limits: PixelLimits) -> NormalisedPhoto:
    """Raises `ImplausibleError`."""
    if not isinstance(reply, wire.Photo):
        raise ImplausibleError()
    picture = _accept(reply.picture, "image/jpeg", limits.longest_edge_pixels)
    return NormalisedPhoto(picture.media_type, picture.data, picture.width, picture.height, picture.sha256)


def accept_picture(reply: wire.Reply, sizes: tuple[int, ...], limits: PixelLimits) -> RenderedPicture:
    """Raises `ImplausibleError`."""
    if not isinstance(reply, wire.Picture) or len(reply.sizes) != len(sizes):
        raise ImplausibleError()
    require_mark((reply.original, *reply.sizes))
    return RenderedPicture(
        original=_accept(reply.original, "image/png", limits.original_edge_pixels),
        sizes={
            edge_pixels: _accept(encoded, "image/webp", edge_pixels)
            for edge_pixels, encoded in zip(sizes, reply.sizes, strict=True)
        },
    )


@enforces("ai.mark")
def require_mark(encodings: Iterable[wire.Encoded]) -> None:
    """Raises `ImplausibleError` where one does not say that AI made it."""
    if not all(read_mark(encoded.data) for encoded in encodings):
        raise ImplausibleError()


def accept_refusal(reply: wire.Refused, limits: PixelLimits) -> InvalidInput:
    """The error the child's code stands for, with the bound it was measured against. Raises `ImplausibleError`."""
    refusal = REFUSALS.get(reply.code)
    if refusal is None:
        raise ImplausibleError()
    if refusal is ImageTooManyPixels:
        return refusal(max_pixels=limits.max_pixels)
    if refusal is ImageTooSmall:
        return refusal(min_edge_pixels=limits.min_edge_pixels)
    return refusal()


def _accept(encoded: wire.Encoded, media_type: str, edge_pixels: int) -> EncodedPicture:
    """The promised format, a size within bounds, and a digest of our own."""
    within = 0 < encoded.width <= edge_pixels and 0 < encoded.height <= edge_pixels
    if not within or sniff(encoded.data) != _FORMATS[media_type]:
        raise ImplausibleError()
    digest = hashlib.sha256(encoded.data).hexdigest()
    return EncodedPicture(media_type, encoded.data, encoded.width, encoded.height, digest)

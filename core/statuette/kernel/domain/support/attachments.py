"""What may come with a question: a few pictures, taken in as every picture is, and plain texts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from statuette.errors import InvalidInput
from statuette.kernel.http.multipart import FormFile
from statuette.kernel.pixels.errors import ImageTooLarge
from statuette.kernel.pixels.pool import PixelPool

MOST = 3
PICTURE_BYTES = 5 * 1024 * 1024
TEXT_BYTES = 256 * 1024
TEXT = "text/plain"


class TooManyAttachments(InvalidInput):
    """Attribute `most`. Final."""

    code = "too_many_attachments"
    summary = "Too many files are attached."


class AttachedTextTooLarge(InvalidInput):
    """Attribute `max_bytes`. Final."""

    code = "attached_text_too_large"
    summary = "An attached text is too long."


class AttachedTextUnreadable(InvalidInput):
    """It is empty, not UTF-8, or holds NUL. Final."""

    code = "attached_text_unreadable"
    summary = "An attached text is not plain text in UTF-8."


class Taken(msgspec.Struct, frozen=True):
    """What is stored of a file that was attached."""

    media_type: str
    data: bytes
    sha256: str

    def __repr__(self) -> str:
        return f"Taken({self.media_type}, {len(self.data)} bytes)"


def check(files: Sequence[FormFile]) -> None:
    """Whether these may be taken in at all, as far as that costs nothing to tell.

    Raises:
        TooManyAttachments, ImageTooLarge, AttachedTextTooLarge, AttachedTextUnreadable.
    """
    if len(files) > MOST:
        raise TooManyAttachments(most=MOST)
    for file in files:
        if file.media_type == TEXT:
            _text(file.data)
        elif len(file.data) > PICTURE_BYTES:
            raise ImageTooLarge(max_bytes=PICTURE_BYTES)


async def taken(pixels: PixelPool, file: FormFile) -> Taken:
    """Take one in: a picture is decoded and encoded anew, without its metadata. Raises what `PixelPool.normalise` raises."""
    if file.media_type == TEXT:
        data = _text(file.data)
        return Taken(f"{TEXT}; charset=utf-8", data, hashlib.sha256(data).hexdigest())
    photo = await pixels.normalise(file.data)
    return Taken(photo.media_type, photo.data, photo.sha256)


def _text(data: bytes) -> bytes:
    if len(data) > TEXT_BYTES:
        raise AttachedTextTooLarge(max_bytes=TEXT_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise AttachedTextUnreadable() from None
    if not text.strip() or "\0" in text:
        raise AttachedTextUnreadable()
    return text.encode()

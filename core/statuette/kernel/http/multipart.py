"""Reading an upload's form as it arrives, in memory and within bounds.

Nothing is spooled to disk: a photo must not be stored before its deadline is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from statuette.errors import InvalidInput
from statuette.kernel.pixels.errors import ImageTooLarge

_MAX_FIELD_BYTES = 1024
_MAX_SEGMENTS = 10


class InvalidForm(InvalidInput):
    code = "invalid_form"
    summary = "The body is not a valid multipart form."


class UploadForm(msgspec.Struct, frozen=True):
    """What an upload consists of."""

    photo: bytes
    fields: dict[str, str]

    def __repr__(self) -> str:
        return f"UploadForm({len(self.photo)} bytes)"


async def read_form(chunks: AsyncIterator[bytes], content_type: str, *, max_bytes: int) -> UploadForm:
    """Read a form with one file, `photo`, and short text fields. Raises `InvalidForm`, `ImageTooLarge`."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or "boundary" not in options:
        raise InvalidForm(cure="Send multipart/form-data with a file named `photo` and the field `statement`.")
    try:
        return await _read(chunks, options["boundary"], max_bytes)
    except MultipartError as error:
        raise InvalidForm() from error


async def _read(chunks: AsyncIterator[bytes], boundary: str, max_bytes: int) -> UploadForm:
    photo: bytearray | None = None
    fields: dict[str, str] = {}
    name, value = "", bytearray()
    # The photo's size is ours to judge, with a code of its own.
    with PushMultipartParser(boundary, max_segment_count=_MAX_SEGMENTS, max_segment_size=2 * max_bytes) as parser:
        async for chunk in chunks:
            if not chunk:
                continue
            for part in parser.parse(chunk):
                if isinstance(part, MultipartSegment):
                    name, value = part.name or "", bytearray()
                elif part:
                    value += part
                    if len(value) > (max_bytes if name == "photo" else _MAX_FIELD_BYTES):
                        raise ImageTooLarge(max_bytes=max_bytes) if name == "photo" else InvalidForm()
                elif name == "photo":
                    photo = value
                else:
                    fields[name] = value.decode("utf-8", "replace")
    if photo is None:
        raise InvalidForm("The form has no file named `photo`.")
    return UploadForm(bytes(photo), fields)

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


class FormFile(msgspec.Struct, frozen=True):
    """A file of a form. `media_type` is what the sender says of it, without parameters, in lower case."""

    media_type: str
    data: bytes

    def __repr__(self) -> str:
        return f"FormFile({len(self.data)} bytes)"


class Form(msgspec.Struct, frozen=True):
    """The files of one name, in order, and the text fields."""

    files: list[FormFile]
    fields: dict[str, str]

    def __repr__(self) -> str:
        return f"Form({len(self.files)} files)"


async def read_form(chunks: AsyncIterator[bytes], content_type: str, *, max_bytes: int) -> UploadForm:
    """Read a form with one file, `photo`, and short text fields. Raises `InvalidForm`, `ImageTooLarge`."""
    form = await read_files(
        chunks,
        content_type,
        file_field="photo",
        max_bytes=max_bytes,
        max_field_bytes=_MAX_FIELD_BYTES,
        cure="Send multipart/form-data with a file named `photo` and the field `statement`.",
    )
    if not form.files:
        raise InvalidForm("The form has no file named `photo`.")
    return UploadForm(form.files[-1].data, form.fields)


async def read_files(
    chunks: AsyncIterator[bytes],
    content_type: str,
    *,
    file_field: str,
    max_bytes: int,
    max_field_bytes: int,
    cure: str | None = None,
) -> Form:
    """Read a form with files of one name, and text fields; all of it has at most ten parts.

    Args:
        max_bytes: of one file.
        max_field_bytes: of one field.

    Raises:
        InvalidForm, ImageTooLarge.
    """
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or "boundary" not in options:
        raise InvalidForm(cure=cure)
    try:
        return await _read(chunks, options["boundary"], file_field, max_bytes, max_field_bytes)
    except MultipartError as error:
        raise InvalidForm() from error


async def _read(
    chunks: AsyncIterator[bytes], boundary: str, file_field: str, max_bytes: int, max_field_bytes: int
) -> Form:
    files: list[FormFile] = []
    fields: dict[str, str] = {}
    name, media_type, value = "", "", bytearray()
    # A file's size is ours to judge, with a code of its own.
    with PushMultipartParser(boundary, max_segment_count=_MAX_SEGMENTS, max_segment_size=2 * max_bytes) as parser:
        async for chunk in chunks:
            if not chunk:
                continue
            for part in parser.parse(chunk):
                if isinstance(part, MultipartSegment):
                    name, value = part.name or "", bytearray()
                    media_type = (part.content_type or "").partition(";")[0].strip().lower()
                elif part:
                    value += part
                    if len(value) > (max_bytes if name == file_field else max_field_bytes):
                        raise ImageTooLarge(max_bytes=max_bytes) if name == file_field else InvalidForm()
                elif name == file_field:
                    files.append(FormFile(media_type, bytes(value)))
                else:
                    fields[name] = value.decode("utf-8", "replace")
    return Form(files, fields)

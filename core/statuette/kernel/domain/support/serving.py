"""What is attached, on its way to those who may see it: through this process, cached nowhere."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.response import Stream

from statuette.errors import NotFound
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.support.places import file_name, object_key
from statuette.kernel.domain.support.repository import AttachmentRow
from statuette.kernel.platform import Platform


async def served(platform: Platform, brand: LoadedBrand, row: AttachmentRow) -> Response[Any]:
    """Raises `NotFound`."""
    key = object_key(brand.id, row.question_id, row.id, row.media_type)
    if await platform.plugins.storage.head(key) is None:
        raise NotFound()
    headers = {
        "cache-control": "no-store",
        # Never shown as a page of ours, whatever is in it.
        "content-disposition": f'attachment; filename="{file_name(row.id, row.media_type)}"',
    }
    return Stream(platform.plugins.storage.stream(key), media_type=row.media_type, headers=headers)

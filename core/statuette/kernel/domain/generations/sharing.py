"""Which jobs used or made a photo or a picture, and which providers were given it: for holds, and for receipts of deletions."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.dataset import Shared, Transaction

_OF_UPLOAD = (
    "SELECT a.provider, MAX(a.started_at) AS at FROM generation_input i JOIN attempt a ON a.generation_id = i.generation_id"
    " WHERE i.upload_id = :id GROUP BY a.provider ORDER BY a.provider"
)
_OF_FIGURINE = (
    "SELECT provider, MAX(started_at) AS at FROM ("
    "SELECT a.provider, a.started_at FROM figurine f JOIN attempt a ON a.id = f.attempt_id WHERE f.id = :id"
    " UNION ALL SELECT a.provider, a.started_at FROM generation_input i"
    " JOIN attempt a ON a.generation_id = i.generation_id WHERE i.figurine_id = :id"
    ") AS given GROUP BY provider ORDER BY provider"
)

_JOBS_OF_UPLOAD = "SELECT generation_id FROM generation_input WHERE upload_id = :id"
_JOBS_OF_FIGURINE = (
    "SELECT generation_id FROM figurine WHERE id = :id"
    " UNION SELECT generation_id FROM generation_input WHERE figurine_id = :id"
)


class _Given(msgspec.Struct, frozen=True):
    provider: str
    at: datetime


async def upload_shared(tx: Transaction, upload_id: str) -> tuple[Shared, ...]:
    """An attempt counts from before its call, so a call that was never made may be told of, and none is left out."""
    return await _shared(tx, _OF_UPLOAD, upload_id, "photo")


async def figurine_shared(tx: Transaction, figurine_id: str) -> tuple[Shared, ...]:
    """Who made it, and who was given it to make another."""
    return await _shared(tx, _OF_FIGURINE, figurine_id, "figurine")


async def jobs_of_upload(tx: Transaction, upload_id: str) -> tuple[str, ...]:
    return tuple(row["generation_id"] for row in await tx.rows(_JOBS_OF_UPLOAD, id=upload_id))


async def jobs_of_figurine(tx: Transaction, figurine_id: str) -> tuple[str, ...]:
    """The job that made it, and those that were given it."""
    return tuple(row["generation_id"] for row in await tx.rows(_JOBS_OF_FIGURINE, id=figurine_id))


async def _shared(tx: Transaction, sql: str, record_id: str, category: str) -> tuple[Shared, ...]:
    given = msgspec.convert(await tx.rows(sql, id=record_id), list[_Given], strict=False)
    return tuple(Shared(each.provider, (category,), each.at) for each in given)

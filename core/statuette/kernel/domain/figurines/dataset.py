"""What a figurine is made of, and how it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from statuette.dataset import Aliases, Closure, Dataset, File, OfAccount, Shared, TableColumns, Transaction
from statuette.kernel.domain.figurines import service

SharedBy = Callable[[Transaction, str], Awaitable[tuple[Shared, ...]]]
"""Which providers made a record, or were given it."""


class _Handler:
    def __init__(self, shared_by: SharedBy) -> None:
        self._shared_by = shared_by

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        rows = await tx.rows("SELECT brand_id, state FROM figurine WHERE id = :id", id=record_id)
        if not rows:
            return None
        prefix = service.object_prefix(rows[0]["brand_id"], record_id)
        shared = await self._shared_by(tx, record_id)
        return Closure((prefix,), shared=shared, being_written=rows[0]["state"] != "ready")

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True  # a job that wanted it as an input ends as failed: its input is gone

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await tx.execute("DELETE FROM figurine WHERE id = :id", id=record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await tx.rows(
            "SELECT id, generation_id, attempt_id, media_type, width, height, size_bytes, sha256, created_at FROM figurine"
            " WHERE account_id = :account_id AND state = 'ready' ORDER BY id",
            account_id=account_id,
        )


async def _stored(tx: Transaction, brand_id: str, after: str, limit: int) -> list[str]:
    rows = await tx.rows(
        "SELECT id FROM figurine WHERE id > :after AND brand_id = :brand_id AND state = 'ready' ORDER BY id LIMIT :limit",
        brand_id=brand_id,
        after=after,
        limit=limit,
    )
    return [row["id"] for row in rows]


async def _files(tx: Transaction, account_id: str, after: str, limit: int) -> list[File]:
    rows = await tx.rows(
        "SELECT id, brand_id FROM figurine WHERE account_id = :account_id AND id > :after AND state = 'ready'"
        " ORDER BY id LIMIT :limit",
        account_id=account_id,
        after=after,
        limit=limit,
    )
    return [
        File(row["id"], service.object_key(row["brand_id"], row["id"], "original"), f"figurines/{row['id']}.png")
        for row in rows
    ]


def dataset(shared_by: SharedBy, aliases: Aliases) -> Dataset:
    return Dataset(
        name=service.DATASET,
        title="Figurines",
        tables=(
            TableColumns(
                "figurine",
                {
                    "id": "job_record",
                    "brand_id": "operational",
                    "account_id": "job_record",
                    "generation_id": "job_record",
                    "attempt_id": "job_record",
                    "position": "operational",
                    "state": "operational",
                    "media_type": "operational",
                    "width": "operational",
                    "height": "operational",
                    "size_bytes": "operational",
                    "sha256": "figurine",
                    "created_at": "job_record",
                },
            ),
        ),
        object_prefixes=("figurines/{brand_id}/{id}/",),
        ended_by=("figurine.keep",),
        handler=_Handler(shared_by),
        aliases=aliases,
        stored=_stored,
        files=_files,
        of_account=OfAccount("figurine", rule=service.KEEP),
    )

"""What an upload is made of, and how it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast

from statuette.dataset import Aliases, Closure, Dataset, File, OfAccount, Shared, TableColumns, Transaction
from statuette.kernel.db.database import Transaction as KernelTransaction
from statuette.kernel.domain.uploads import service
from statuette.policy import Trigger

SettleJobs = Callable[[KernelTransaction, str, datetime], Awaitable[None]]
"""Cancel unfinished jobs that use this upload."""
SharedBy = Callable[[Transaction, str], Awaitable[tuple[Shared, ...]]]
"""Which providers were given a record."""


class _Handler:
    def __init__(self, settle_jobs: SettleJobs, shared_by: SharedBy) -> None:
        self._settle_jobs = settle_jobs
        self._shared_by = shared_by

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        rows = await tx.rows("SELECT brand_id, state FROM upload WHERE id = :id", id=record_id)
        if not rows:
            return None
        prefix = service.object_prefix(rows[0]["brand_id"], record_id)
        shared = await self._shared_by(tx, record_id)
        return Closure((prefix,), shared=shared, being_written=rows[0]["state"] != "ready")

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        await self._settle_jobs(cast(KernelTransaction, tx), record_id, now)
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await tx.execute("DELETE FROM upload WHERE id = :id", id=record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await tx.rows(
            "SELECT id, state, media_type, width, height, size_bytes, sha256, statement_digest, created_at, saved_at FROM upload"
            " WHERE account_id = :account_id ORDER BY id",
            account_id=account_id,
        )


async def _stored(tx: Transaction, brand_id: str, after: str, limit: int) -> list[str]:
    rows = await tx.rows(
        "SELECT id FROM upload WHERE id > :after AND brand_id = :brand_id AND state = 'ready' ORDER BY id LIMIT :limit",
        brand_id=brand_id,
        after=after,
        limit=limit,
    )
    return [row["id"] for row in rows]


async def _files(tx: Transaction, account_id: str, after: str, limit: int) -> list[File]:
    rows = await tx.rows(
        "SELECT id, brand_id FROM upload WHERE account_id = :account_id AND id > :after AND state = 'ready'"
        " ORDER BY id LIMIT :limit",
        account_id=account_id,
        after=after,
        limit=limit,
    )
    return [File(row["id"], service.object_key(row["brand_id"], row["id"]), f"photos/{row['id']}.jpg") for row in rows]


def dataset(settle_jobs: SettleJobs, shared_by: SharedBy, aliases: Aliases) -> Dataset:
    return Dataset(
        name=service.DATASET,
        title="Uploaded photos",
        tables=(
            TableColumns(
                "upload",
                {
                    "id": "job_record",
                    "brand_id": "operational",
                    "account_id": "job_record",
                    "state": "operational",
                    "media_type": "operational",
                    "width": "operational",
                    "height": "operational",
                    "size_bytes": "operational",
                    "sha256": "photo",
                    "statement_digest": "consent_record",
                    "created_at": "job_record",
                    "saved_at": "job_record",
                },
            ),
        ),
        object_prefixes=("uploads/{brand_id}/{id}/",),
        ended_by=service.RULES,
        arms=(Trigger.created,),
        handler=_Handler(settle_jobs, shared_by),
        aliases=aliases,
        stored=_stored,
        files=_files,
        of_account=OfAccount("upload", rule="upload.asked"),
    )

"""What a figurine is made of, and how it ends."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, TableColumns, Transaction
from statuette.kernel.domain.figurines import service


class _Handler:
    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        rows = await tx.rows("SELECT brand_id, state FROM figurine WHERE id = :id", id=record_id)
        if not rows:
            return None
        prefix = service.object_prefix(rows[0]["brand_id"], record_id)
        return Closure((prefix,), being_written=rows[0]["state"] != "ready")

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True  # a job that wanted it as an input ends as failed: its input is gone

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await tx.execute("DELETE FROM figurine WHERE id = :id", id=record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await tx.rows(
            "SELECT id, generation_id, media_type, width, height, size_bytes, created_at FROM figurine"
            " WHERE account_id = :account_id AND state = 'ready' ORDER BY id",
            account_id=account_id,
        )


DATASET = Dataset(
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
    handler=_Handler(),
)

"""Idempotency keys are a stream, swept by age."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, OfAccount, TableColumns, Transaction


class _Handler:
    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await tx.execute("DELETE FROM idempotency_key WHERE id = :id", id=record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return len(
            await tx.rows(
                "DELETE FROM idempotency_key WHERE id IN (SELECT id FROM idempotency_key WHERE created_at <= :older_than"
                " ORDER BY created_at LIMIT :limit) RETURNING id",
                older_than=older_than,
                limit=limit,
            )
        )

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await tx.rows(
            "SELECT status, resource_id, created_at FROM idempotency_key WHERE principal = :account_id",
            account_id=account_id,
        )


async def _erase(tx: Transaction, account_id: str, pseudonym: str, limit: int) -> int:
    return len(
        await tx.rows("DELETE FROM idempotency_key WHERE principal = :account_id RETURNING id", account_id=account_id)
    )


DATASET = Dataset(
    name="idempotency_keys",
    title="Notes that let a repeated request count once",
    tables=(
        TableColumns(
            "idempotency_key",
            {
                "id": "operational",
                "brand_id": "operational",
                "principal": "job_record",
                "fingerprint": "operational",
                "status": "operational",
                "resource_id": "job_record",
                "lease_until": "operational",
                "created_at": "operational",
            },
        ),
    ),
    ended_by=("idempotency.keep", "account.erase"),
    of_account=OfAccount("idempotency_key", "principal", erase=_erase),
    handler=_Handler(),
)

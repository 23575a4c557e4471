"""The dataset of looks that operators took: it ends by age, and outlives an account under a pseudonym."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, OfAccount, TableColumns, Transaction


class _Reveals:
    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        return None

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        rows = await tx.rows(
            "DELETE FROM reveal WHERE id IN"
            " (SELECT id FROM reveal WHERE created_at <= :older_than ORDER BY created_at LIMIT :limit) RETURNING id",
            older_than=older_than,
            limit=limit,
        )
        return len(rows)

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await tx.rows(
            "SELECT id, subject, record_id, reason, created_at FROM reveal WHERE account_id = :account_id ORDER BY id",
            account_id=account_id,
        )


async def _erase_of_account(tx: Transaction, account_id: str, pseudonym: str, limit: int) -> int:
    """Who looked, and why, stays on record: whom they looked at does not."""
    rows = await tx.rows(
        "UPDATE reveal SET account_id = :pseudonym,"
        " record_id = CASE WHEN record_id = :account_id THEN :pseudonym ELSE record_id END"
        " WHERE id IN (SELECT id FROM reveal WHERE account_id = :account_id LIMIT :limit) RETURNING id",
        account_id=account_id,
        pseudonym=pseudonym,
        limit=limit,
    )
    return len(rows)


DATASET = Dataset(
    name="reveals",
    title="Who looked at what we cover of you, and why",
    tables=(
        TableColumns(
            "reveal",
            {
                "id": "access_record",
                "brand_id": "operational",
                "account_id": "access_record",
                "subject": "access_record",
                "record_id": "access_record",
                "actor": "operational",
                "reason": "access_record",
                "created_at": "access_record",
            },
        ),
    ),
    handler=_Reveals(),
    ended_by=("reveal.keep", "account.erase"),
    of_account=OfAccount("reveal", erase=_erase_of_account),
)

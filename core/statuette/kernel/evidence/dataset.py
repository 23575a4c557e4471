"""The datasets of receipts and of the log they are in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, TableColumns, Transaction


class _Receipts:
    """Receipts are opened by their account alone; `forget_account` takes out what opens them, together with it."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        rows = await tx.rows("SELECT 1 AS found FROM receipt WHERE id = :id AND salt IS NOT NULL", id=record_id)
        return Closure() if rows else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await tx.execute(
            "UPDATE receipt SET account_id = NULL, record_id = NULL, salt = NULL WHERE id = :id", id=record_id
        )

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await tx.rows(
            "SELECT id, record_id, salt, body, entry, created_at FROM receipt WHERE account_id = :account_id ORDER BY id",
            account_id=account_id,
        )


class _Log:
    """Commitments, times and rules; nothing in it leads to a person without what opens a receipt."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None: ...

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return []


RECEIPTS = Dataset(
    name="receipts",
    title="Receipts of what was deleted",
    tables=(
        TableColumns(
            "receipt",
            {
                "id": "job_record",
                "brand_id": "operational",
                "account_id": "job_record",
                "record_id": "job_record",
                "salt": "job_record",
                "deadline_id": "operational",
                "body": "operational",
                "entry": "operational",
                "created_at": "job_record",
                "holder": "credential",
            },
        ),
        TableColumns(
            "receipt_holder",
            {
                "account_id": "job_record",
                "brand_id": "operational",
                "holder": "credential",
                "subject": "operational",
                "account": "operational",
                "created_at": "job_record",
            },
        ),
    ),
    handler=_Receipts(),
    ended_by=("account.erase",),
)

LOG = Dataset(
    name="evidence",
    title="The evidence log",
    tables=(
        TableColumns("evidence_entry", dict.fromkeys(("sequence", "body"), "operational")),
        TableColumns("evidence_tile", dict.fromkeys(("id", "level", "number", "hashes"), "operational")),
        TableColumns(
            "evidence_head", dict.fromkeys(("size", "log", "root", "at", "public_key", "signature"), "operational")
        ),
        TableColumns("evidence_anchor", dict.fromkeys(("name", "size", "at", "report"), "operational")),
        TableColumns(
            "audit_report", dict.fromkeys(("id", "made_at", "causes", "entries", "digest", "body"), "operational")
        ),
    ),
    handler=_Log(),
)

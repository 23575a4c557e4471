"""The dataset of the database's side of the journal: ids and moments, nothing of a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, TableColumns, Transaction


class _NothingPersonal:
    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None: ...

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return []


DATASET = Dataset(
    name="journal",
    title="What the erasure journal is compared with",
    tables=(
        TableColumns("journal_mark", dict.fromkeys(("id", "upto", "at", "destroyed", "destroyed_at"), "operational")),
        TableColumns("journal_note", dict.fromkeys(("id", "body", "created_at"), "operational")),
        TableColumns("upkeep", dict.fromkeys(("id", "at", "detail"), "operational")),
    ),
    handler=_NothingPersonal(),
)

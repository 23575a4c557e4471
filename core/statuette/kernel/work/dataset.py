"""What the machinery keeps: ids, times and codes, nothing of a person. Rows go when their work is done."""

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


def _operational(table: str, *columns: str) -> TableColumns:
    return TableColumns(table, dict.fromkeys(columns, "operational"))


DATASET = Dataset(
    name="operations",
    title="The platform's own bookkeeping",
    tables=(
        _operational(
            "work_item",
            *("id", "queue", "actor", "subject_id", "due_at", "sent_at", "attempts", "lease", "held_by"),
            *("trace_parent", "created_at"),
        ),
        _operational("process", "id", "role", "host", "started_at", "alive_until"),
        _operational("lease", "name", "owner", "until", "token"),
        _operational(
            "finding",
            *("id", "brand_id", "code", "subject", "detail", "occurrences", "first_at", "last_at", "resolved_at"),
        ),
        _operational(
            "deadline",
            *("id", "brand_id", "account_id", "dataset", "record_id", "rule", "policy_digest", "state", "due_at"),
            *("attempts", "trace_parent", "created_at", "updated_at"),
        ),
        _operational(
            "cost_day", "id", "brand_id", "day", "currency", "reserved_micros", "spent_micros", "warned_percent"
        ),
    ),
    handler=_NothingPersonal(),
)

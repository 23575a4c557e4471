"""What the machinery keeps: ids, times and codes, nothing of a person. Rows go when their work is done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from statuette.dataset import CacheKeys, Closure, Dataset, TableColumns, Transaction


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
            *("armed_at", "forecast_at", "attempts", "intent_at", "begun_at", "hold_id", "erased_at", "outcomes"),
            *("trace_parent", "created_at", "updated_at"),
        ),
        _operational(
            "legal_hold",
            *("id", "brand_id", "subject", "reason", "reference", "placed_by", "placed_at", "lifted_by", "lifted_at"),
        ),
        _operational(
            "enforcement_plan",
            *("id", "brand_id", "policy_digest", "state", "forecast", "created_by", "created_at", "approved_by"),
            *("approved_at", "moved", "last_id", "ended_at"),
        ),
        _operational("time_mark", "name", "at"),
        _operational(
            "cost_day", "id", "brand_id", "day", "currency", "reserved_micros", "spent_micros", "warned_percent"
        ),
    ),
    cache_keys=(
        CacheKeys("work:*", "operational", timedelta(hours=1)),
        # Named by a keyed hash of an address or an id, with a number in it.
        CacheKeys("limits:*", "operational", timedelta(hours=2)),
    ),
    handler=_NothingPersonal(),
)

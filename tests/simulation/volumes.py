"""How full the tables get, and how they are divided by time so that the past goes by dropping a partition."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from statuette_policies.baseline.retention import STREAMS
from tests.filling import rows_of
from tests.simulation.measured import Sizes

_MANY = 1_000_000
_LARGEST_PARTITION_BYTES = 100 * 10**9
_DAYS = {"month": 30, "week": 7, "day": 1}
_DAYS_OF_A_MONTH = 30
_TABLE_OF = {
    "sessions": "session",
    "signin_codes": "signin_code",
    "idempotency_keys": "idempotency_key",
    "stream_tickets": "stream_ticket",
}
_SWEPT_AFTER_DAYS = {
    _TABLE_OF[rule.dataset]: rule.after.shortest / timedelta(days=1) for rule in STREAMS if rule.dataset in _TABLE_OF
}
# Gone within about a day, by the rules of photos and when the work is done.
_GONE_AFTER_DAYS = {**_SWEPT_AFTER_DAYS, "upload": 1.0, "work_item": 0.01}
# As many as there are brands and troubles, not jobs.
_NOT_BY_JOBS = frozenset({"api_key", "brand_host", "cost_day", "finding"})


class Volume(msgspec.Struct, frozen=True):
    """Of one table.

    Attributes:
        kept_days: None for what stays.
        partition: for what stays, a time such that a partition has at most 100 GB; for what is swept by age, one by which sweeping
            becomes dropping. None for a table that is small enough as one.
    """

    table: str
    rows_a_day: float
    bytes_a_day: float
    kept_days: float | None
    partition: str | None

    @property
    def bytes_after_a_month(self) -> float:
        """What is there of the last 30 days."""
        return self.bytes_a_day * min(_DAYS_OF_A_MONTH, self.kept_days or _DAYS_OF_A_MONTH)


def volumes(sizes: Sizes, jobs_a_day: float) -> list[Volume]:
    """Largest first."""
    found = []
    for table, bytes_a_job in sizes.by_table.items():
        if table in _NOT_BY_JOBS:
            continue
        a_day, kept = bytes_a_job * jobs_a_day, _GONE_AFTER_DAYS.get(table)
        rows_a_day = rows_of(table, _MANY) / _MANY * jobs_a_day
        found.append(Volume(table, rows_a_day, a_day, kept, _partition(table, a_day, kept)))
    return sorted(found, key=lambda each: -each.bytes_after_a_month)


def _partition(table: str, bytes_a_day: float, kept_days: float | None) -> str | None:
    if table in _SWEPT_AFTER_DAYS:
        return "day" if _SWEPT_AFTER_DAYS[table] > 1 else "hour"
    if bytes_a_day * min(365, kept_days or 365) <= _LARGEST_PARTITION_BYTES:
        return None
    return next((name for name, days in _DAYS.items() if bytes_a_day * days <= _LARGEST_PARTITION_BYTES), "hour")

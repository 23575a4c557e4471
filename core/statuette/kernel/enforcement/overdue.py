"""What the scheduler tells of promises: which deadlines have passed and are not enforced yet."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel import telemetry
from statuette.kernel.db.database import Database
from statuette.kernel.enforcement.due import ACTOR


class _Overdue(msgspec.Struct, frozen=True):
    deadlines: int
    oldest: datetime | None


async def measure_overdue(database: Database) -> int:
    """Show the gauges of overdue deadlines; returns how many there are. The scheduler's job."""
    async with database.read() as reader:
        found = await reader.all(
            _Overdue,
            "SELECT COUNT(*) AS deadlines, MIN(due_at) AS oldest FROM deadline"
            " WHERE state = 'scheduled' AND due_at <= :now"
            # Those that are handed out are found by their work, of which there is little.
            " UNION ALL SELECT COUNT(*), MIN(d.due_at) FROM work_item w JOIN deadline d ON d.id = w.subject_id"
            " WHERE w.actor = :actor AND d.state = 'executing'",
            actor=ACTOR,
            now=reader.now,
        )
        now = reader.now
    oldest = min((each.oldest for each in found if each.oldest is not None), default=now)
    overdue = sum(each.deadlines for each in found)
    telemetry.overdue.show({"": overdue})
    telemetry.oldest_overdue_age_seconds.show({"": (now - oldest).total_seconds()})
    return overdue

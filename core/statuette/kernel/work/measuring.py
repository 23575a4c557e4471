"""What the scheduler tells of the whole deployment: how much work waits for how long, and who is there to do it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec

from statuette.kernel import telemetry
from statuette.kernel.db.database import Database
from statuette.kernel.work.queues import QUEUES


class _Waiting(msgspec.Struct, frozen=True):
    queue: str
    items: int
    oldest: datetime


async def measure_work(database: Database) -> int:
    """Show the gauges of work and processes; returns how many items are due. The scheduler's job."""
    async with database.read() as reader:
        waiting = await reader.all(
            _Waiting,
            "SELECT queue, COUNT(*) AS items, MIN(due_at) AS oldest FROM work_item"
            " WHERE due_at <= :now AND lease IS NULL GROUP BY queue",
            now=reader.now,
        )
        alive = await reader.rows("SELECT role FROM process WHERE alive_until > :now", now=reader.now)
        now = reader.now
    nothing = dict.fromkeys(QUEUES, 0.0)
    telemetry.due_items.show(nothing | {each.queue: each.items for each in waiting})
    telemetry.oldest_due_age_seconds.show(
        nothing | {each.queue: (now - each.oldest).total_seconds() for each in waiting}
    )
    # A process of the embedded profile has every role.
    telemetry.processes.show(Counter(role for process in alive for role in process["role"].split("+")))
    return sum(each.items for each in waiting)

"""Watches the time that deletions go by, and tells an operator when it cannot be right.

A jump while running is kept out by the clock. After a restart there is only the latest moment that a scheduler saw: a clock that
is now behind it was set back, or was ahead before. Nothing is deleted early by a clock that is behind; promises are late.
"""

from __future__ import annotations

from datetime import timedelta

from statuette.kernel.clock import GuardedClock
from statuette.kernel.db.database import Database
from statuette.kernel.work import findings
from statuette.values import Clock

JUMPED = "clock_jumped"
WENT_BACK = "clock_went_back"
_SUBJECT = "clock"
# The largest step that the clocks follow.
_TOLERANCE = timedelta(minutes=1)


class TimeWatch:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> int:
        """Compare, and remember the moment; returns how many findings were raised. The scheduler's job."""
        jumped = self._clock.jumped_by if isinstance(self._clock, GuardedClock) else timedelta(0)
        async with self._database.transaction() as tx:
            behind = await tx.value("SELECT at FROM time_mark WHERE name = :name", name=_SUBJECT)
            raised = []
            if jumped:
                raised.append((JUMPED, "forward" if jumped > timedelta(0) else "backward"))
            if behind is not None and behind - tx.now > _TOLERANCE:
                raised.append((WENT_BACK, ""))
            for code, detail in raised:
                await findings.raise_finding(tx, code=code, subject=_SUBJECT, detail=detail, brand_id=None)
            await tx.execute(
                "INSERT INTO time_mark (name, at) VALUES (:name, :now) ON CONFLICT (name) DO UPDATE SET at = :now",
                name=_SUBJECT,
                now=tx.now,
            )
        return len(raised)

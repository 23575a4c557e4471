"""Times that deletions can go by: one for all processes of a deployment, and none that jumps.

`SteadyClock` takes the jumps out of a machine's clock, `DatabaseClock` its distance to the database's. Where a jump was refused,
`jumped_by` says how far off the refused time is; the scheduler raises a finding, and a restart takes the time as it then is.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from statuette.kernel.db.database import Database
from statuette.kernel.tasks import ended
from statuette.values import Clock, SystemClock

_MEASURE_EVERY_SECONDS = 30.0
_SAMPLES = 3
_NOTEWORTHY = timedelta(seconds=1)
# Time servers correct in small steps; what nobody corrects drifts by less than a thousandth.
_STEP = timedelta(seconds=10)
_DRIFT = 0.001
_JUMP = timedelta(minutes=1)
_log = logging.getLogger(__name__)


@runtime_checkable
class GuardedClock(Protocol):
    """A clock that refuses jumps.

    Attributes:
        jumped_by: how far off the time is that it refuses now; zero when it refuses none.
    """

    @property
    def jumped_by(self) -> timedelta: ...


class SteadyClock:
    """A clock that is followed in small steps only. If it jumps, time goes on as its monotonic sister counts it.

    A machine that slept has not jumped: the monotonic clock counted that, too.
    """

    def __init__(self, own: Clock) -> None:
        self._own = own
        self._at, self._seconds = own.now(), own.monotonic_seconds()
        self.jumped_by = timedelta(0)

    def now(self) -> datetime:
        said, seconds = self._own.now(), self._own.monotonic_seconds()
        passed = seconds - self._seconds
        counted = self._at + timedelta(seconds=passed)
        off = said - counted
        if abs(off) > _STEP + timedelta(seconds=_DRIFT * passed):
            self.jumped_by = off
            return counted
        self._at, self._seconds, self.jumped_by = said, seconds, timedelta(0)
        return said

    def monotonic_seconds(self) -> float:
        return self._own.monotonic_seconds()

    async def sleep(self, duration: timedelta) -> None:
        await self._own.sleep(duration)


class DatabaseClock:
    """A clock of this process, shifted to the database's time. Until the first measurement it is the process's own.

    A jump of the database's clock, or of that of the server that took over from it, is not followed.
    """

    def __init__(self, own: Clock) -> None:
        self._own = own
        self._task: asyncio.Task[None] | None = None
        self._measured = False
        self.offset = timedelta(0)
        self._database_jumped_by = timedelta(0)

    @property
    def jumped_by(self) -> timedelta:
        """By the database's clock, or by this machine's."""
        own = self._own.jumped_by if isinstance(self._own, GuardedClock) else timedelta(0)
        return self._database_jumped_by or own

    def now(self) -> datetime:
        return self._own.now() + self.offset

    def monotonic_seconds(self) -> float:
        return self._own.monotonic_seconds()

    async def sleep(self, duration: timedelta) -> None:
        await self._own.sleep(duration)

    async def start(self, database: Database) -> None:
        await self.measure(database)
        self._task = asyncio.create_task(self._forever(database), name="clock")

    async def stop(self) -> None:
        await ended(self._task)

    async def measure(self, database: Database) -> None:
        """Take the offset from the quickest of a few answers, whose travel blurs it least (as NTP does, RFC 5905 §10)."""
        async with database.read() as reader:
            samples = []
            for _ in range(_SAMPLES):
                asked, began = self._own.now(), self._own.monotonic_seconds()
                theirs = await reader.value("SELECT clock_timestamp() AS now")
                travel = self._own.monotonic_seconds() - began
                samples.append((travel, theirs - (asked + timedelta(seconds=travel / 2))))
        before, measured = self.offset, min(samples)[1]
        if self._measured and abs(measured - before) > _JUMP:
            self._database_jumped_by = measured - before
            _log.error("clock_jumped", extra={"facts": {"by_seconds": round(self.jumped_by.total_seconds(), 3)}})
            return
        self._measured, self.offset, self._database_jumped_by = True, measured, timedelta(0)
        if abs(self.offset - before) > _NOTEWORTHY:
            _log.warning("clock_corrected", extra={"facts": {"by_seconds": round(self.offset.total_seconds(), 3)}})

    async def _forever(self, database: Database) -> None:
        while True:
            await asyncio.sleep(_MEASURE_EVERY_SECONDS)
            try:
                await self.measure(database)
            except Exception:
                _log.warning("clock_not_measured")


def clock_for(profile: str, own: Clock | None = None) -> SteadyClock | DatabaseClock:
    """What a platform goes by: in a cluster, all processes by the database's time."""
    steady = SteadyClock(own or SystemClock())
    return DatabaseClock(steady) if profile == "cluster" else steady

"""One time for all processes of a deployment: each corrects its own clock by its distance to the database's."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from statuette.kernel.db.database import Database
from statuette.kernel.tasks import ended
from statuette.values import Clock

_MEASURE_EVERY_SECONDS = 30.0
_SAMPLES = 3
_NOTEWORTHY = timedelta(seconds=1)
_log = logging.getLogger(__name__)


class DatabaseClock:
    """A clock of this process, shifted to the database's time. Until the first measurement it is the process's own."""

    def __init__(self, own: Clock) -> None:
        self._own = own
        self._task: asyncio.Task[None] | None = None
        self.offset = timedelta(0)

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
        before, self.offset = self.offset, min(samples)[1]
        if abs(self.offset - before) > _NOTEWORTHY:
            _log.warning("clock_corrected", extra={"facts": {"by_seconds": round(self.offset.total_seconds(), 3)}})

    async def _forever(self, database: Database) -> None:
        while True:
            await asyncio.sleep(_MEASURE_EVERY_SECONDS)
            try:
                await self.measure(database)
            except Exception:
                _log.warning("clock_not_measured")

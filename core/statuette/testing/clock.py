"""A clock that moves only when told to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class FrozenClock:
    """Stands still until `advance` is called; sleepers wake when their moment has come."""

    def __init__(self, at: datetime = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)) -> None:
        self._now = at
        self._monotonic_seconds = 0.0
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def monotonic_seconds(self) -> float:
        return self._monotonic_seconds

    async def sleep(self, duration: timedelta) -> None:
        until = self._monotonic_seconds + duration.total_seconds()
        while self._monotonic_seconds < until:
            await self._moved.wait()

    def advance(self, duration: timedelta) -> None:
        """Move time forward and wake sleepers."""
        self._now += duration
        self._monotonic_seconds += duration.total_seconds()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

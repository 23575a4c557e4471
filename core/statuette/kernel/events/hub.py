"""Wakes those who watch a job, within this process. A wake-up carries nothing: watchers read the durable events."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from statuette.errors import RateLimited, Unavailable

_COME_BACK_AFTER_SECONDS = 5


class TooManyWatchers(RateLimited):
    code = "too_many_watchers"
    summary = "You watch as many jobs at once as you may."


class CrowdedProcess(Unavailable):
    code = "crowded"
    summary = "This process serves as many watchers as it can."


class Hub:
    """Who watches what. Watchers also poll, so that a lost wake-up costs a moment and never an event.

    Args:
        most: watchers at once. Each keeps a connection, and others are to be answered, too.
        most_each: watchers of one account at once.
    """

    def __init__(self, most: int = 9_000, most_each: int = 32) -> None:
        self._most = most
        self._most_each = most_each
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._of_account: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._of_account.total()

    def admit(self, account_id: str) -> None:
        """Whether one more may watch. Raises `TooManyWatchers`, `CrowdedProcess`."""
        if self._of_account[account_id] >= self._most_each:
            raise TooManyWatchers(limit=self._most_each, retry_after_seconds=_COME_BACK_AFTER_SECONDS)
        if len(self) >= self._most:
            raise CrowdedProcess(retry_after_seconds=_COME_BACK_AFTER_SECONDS)

    @contextmanager
    def watching(self, generation_id: str, account_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happened to the job; clear it before reading. Raises as `admit`."""
        self.admit(account_id)
        event = asyncio.Event()
        self._watchers[generation_id].add(event)
        self._of_account[account_id] += 1
        try:
            yield event
        finally:
            self._watchers[generation_id].discard(event)
            if not self._watchers[generation_id]:
                del self._watchers[generation_id]
            self._of_account[account_id] -= 1
            if not self._of_account[account_id]:
                del self._of_account[account_id]

    async def wake(self, generation_id: str) -> None:
        for event in self._watchers.get(generation_id, ()):
            event.set()

    def wake_all(self) -> None:
        for events in self._watchers.values():
            for event in events:
                event.set()

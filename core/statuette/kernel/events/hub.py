"""Wakes those who watch a job, within this process. A wake-up carries nothing: watchers read the durable events."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Hub:
    """Who watches what. Watchers also poll, so that a lost wake-up costs a moment and never an event."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def watching(self, generation_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happened to the job; clear it before reading."""
        event = asyncio.Event()
        self._watchers[generation_id].add(event)
        try:
            yield event
        finally:
            self._watchers[generation_id].discard(event)
            if not self._watchers[generation_id]:
                del self._watchers[generation_id]

    async def wake(self, generation_id: str) -> None:
        for event in self._watchers.get(generation_id, ()):
            event.set()

    def wake_all(self) -> None:
        for events in self._watchers.values():
            for event in events:
                event.set()

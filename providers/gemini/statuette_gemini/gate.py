"""Bounds concurrency by bytes instead of by calls: memory is what runs out first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ByteGate:
    """Lets holders in, first come first served, while the bytes they hold sum up to at most `capacity_bytes`.

    Something larger than the capacity goes alone.
    """

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity = capacity_bytes
        self._held = 0
        self._queue: deque[tuple[asyncio.Future[None], int]] = deque()

    @property
    def held_bytes(self) -> int:
        return self._held

    @asynccontextmanager
    async def hold(self, size_bytes: int) -> AsyncIterator[None]:
        """Wait for room, keep it for the length of the block. Cancellation gives everything back."""
        size = min(size_bytes, self._capacity)
        await self._enter(size)
        try:
            yield
        finally:
            self._held -= size
            self._admit()

    async def _enter(self, size: int) -> None:
        if not self._queue and self._held + size <= self._capacity:
            self._held += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((turn, size))
        try:
            await turn
        except asyncio.CancelledError:
            # Admitted and cancelled in one tick: the room is ours already and must not be lost.
            if turn.done() and not turn.cancelled():
                self._held -= size
            else:
                self._queue.remove((turn, size))
            self._admit()
            raise

    def _admit(self) -> None:
        while self._queue:
            turn, size = self._queue[0]
            # A cancelled head takes itself out and then admits the next.
            if turn.cancelled() or self._held + size > self._capacity:
                return
            self._queue.popleft()
            self._held += size
            turn.set_result(None)

"""How the outbox says that work is due: into the memory of this process, or to Redis for everybody's."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import Mapping, Sequence

import dramatiq
import redis

from statuette.kernel import telemetry
from statuette.kernel.tasks import ended
from statuette.kernel.work.brokers import ExpiringRedisBroker, hint

_log = logging.getLogger(__name__)
_MOST_PENDING = 20_000
_BATCH = 200


class MemoryHints:
    """To the workers of this process."""

    def __init__(self, brokers: Mapping[str, dramatiq.Broker]) -> None:
        self._brokers = brokers

    async def send(self, queue: str, item_ids: Sequence[str]) -> None:
        for item_id in item_ids:
            self._brokers[queue].enqueue(hint(queue, item_id))

    async def backlog(self, queue: str) -> int:
        return 0


class RedisHints:
    """To whichever worker fetches them. A broker that is away is not waited for: the scheduler hints again."""

    def __init__(self, broker: ExpiringRedisBroker) -> None:
        self._broker = broker
        self._pending: deque[tuple[str, str]] = deque(maxlen=_MOST_PENDING)
        self._some = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._sending = asyncio.create_task(self._forever(), name="hints")

    async def stop(self) -> None:
        """Send what is left, unless that takes long."""
        if self._sending is None:
            return
        sending, self._sending = self._sending, None
        await ended(sending)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while self._pending:
                    await self._send_some()

    async def send(self, queue: str, item_ids: Sequence[str]) -> None:
        if (too_many := len(self._pending) + len(item_ids) - _MOST_PENDING) > 0:  # the oldest give way
            telemetry.hints_lost.add(too_many, {"queue": queue})
        self._pending.extend((queue, item_id) for item_id in item_ids)
        self._some.set()

    async def backlog(self, queue: str) -> int:
        try:
            return await asyncio.to_thread(self._broker.waiting, queue)
        except redis.RedisError:
            return 0

    async def _forever(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._pending:
                await self._send_some()

    async def _send_some(self) -> None:
        batch = [self._pending.popleft() for _ in range(min(_BATCH, len(self._pending)))]
        try:
            # In a thread: the broker's client blocks.
            await asyncio.to_thread(self._enqueue, batch)
        except Exception as error:  # whatever it is, the next batch may get through
            for queue, hints in Counter(queue for queue, _ in batch).items():
                telemetry.hints_lost.add(hints, {"queue": queue})
            _log.warning("hints_lost", extra={"facts": {"hints": len(batch), "error": type(error).__name__}})

    def _enqueue(self, batch: Sequence[tuple[str, str]]) -> None:
        for queue, item_id in batch:
            self._broker.enqueue(hint(queue, item_id))

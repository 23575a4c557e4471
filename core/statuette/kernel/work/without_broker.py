"""Work goes on while the broker is away: what is due is looked up in the outbox, less promptly than a hint would tell."""

from __future__ import annotations

import asyncio
import logging

from statuette.kernel.tasks import ended
from statuette.kernel.work.hints import RedisHints
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.runner import Runner

_LOOK_EVERY_SECONDS = 2.0
_log = logging.getLogger(__name__)


class WithoutBroker:
    """Looks for work of its own while no hint can come."""

    def __init__(
        self, hints: RedisHints, outbox: Outbox, runner: Runner, queues: tuple[str, ...], *, concurrency: int
    ) -> None:
        self._hints = hints
        self._outbox = outbox
        self._runner = runner
        self._queues = queues
        self._concurrency = concurrency
        self._looking: asyncio.Task[None] | None = None
        self._at_work: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._looking = asyncio.create_task(self._forever(), name="without_broker")

    async def stop(self, grace_seconds: float) -> None:
        """Look no more, and wait for what is under way, at most `grace_seconds`."""
        await ended(self._looking)
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=grace_seconds)

    async def _forever(self) -> None:
        away = False
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            try:
                if await self._hints.reachable():
                    away = False
                    continue
                if not away:
                    _log.warning("broker_unavailable")
                away = True
                for queue in self._queues:
                    await self._take_up(queue)
            except Exception:
                _log.warning("outbox_unavailable")

    async def _take_up(self, queue: str) -> None:
        free = self._concurrency - self._runner.in_flight
        if free <= 0:
            return
        for item_id in await self._outbox.due(queue, free):
            task = asyncio.create_task(self._runner.handle(item_id))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)

"""Dramatiq inside the server's own process: workers are threads that wait while their coroutine runs on the server's loop."""

from __future__ import annotations

import asyncio
import logging
from typing import TypeVar

import dramatiq
from dramatiq.asyncio import EventLoopThread, set_event_loop_thread
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware.asyncio import AsyncIO

from statuette.kernel.work.runner import Runner

R = TypeVar("R")
_log = logging.getLogger(__name__)


class _ServerLoop(EventLoopThread):
    """Stands for the loop that the server runs already; it is neither started nor stopped from here."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(_log)
        self.loop.close()  # the base class made one that nobody needs
        self.loop = loop

    def start(self, *, timeout: float | None = None) -> None: ...

    def stop(self) -> None: ...


class _OnServerLoop(AsyncIO):
    """The same middleware, without a thread of its own."""

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None: ...

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None: ...


class EmbeddedWorkers:
    """A Dramatiq broker in memory and its workers. What is durable is the outbox, so nothing here needs to be."""

    def __init__(self, runner: Runner, *, concurrency: int) -> None:
        self._runner = runner
        self._concurrency = concurrency
        self._broker = StubBroker(middleware=[_OnServerLoop()])
        self._actors = {queue: self._actor(queue) for queue in sorted(runner.queues)}
        self._worker: dramatiq.Worker | None = None

    def _actor(self, queue: str) -> dramatiq.Actor[[str], None]:
        async def work(item_id: str) -> None:
            await self._runner.handle(item_id)

        declare = dramatiq.actor(actor_name=f"work.{queue}", queue_name=queue, broker=self._broker)
        return declare(work)

    async def start(self) -> None:
        set_event_loop_thread(_ServerLoop(asyncio.get_running_loop()))
        self._worker = dramatiq.Worker(self._broker, worker_threads=self._concurrency, worker_timeout=100)
        self._worker.start()

    async def send(self, queue: str, item_id: str) -> None:
        self._broker.enqueue(self._actors[queue].message(item_id))

    async def stop(self, grace_seconds: float) -> None:
        """Take no new work and wait for what is under way, at most `grace_seconds`."""
        if self._worker is None:
            return
        worker, self._worker = self._worker, None
        await asyncio.to_thread(worker.stop, int(grace_seconds * 1000))
        self._broker.close()
        self._broker.dead_letters.clear()
        set_event_loop_thread(None)

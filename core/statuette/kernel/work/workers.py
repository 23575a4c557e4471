"""The workers of this process: threads of Dramatiq's that wait while their coroutine runs on the process's own loop.

Each queue has threads of its own, so that a provider that takes its time holds up neither deletions nor letters.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine, Mapping
from queue import Empty, PriorityQueue
from typing import Any, TypeVar

import dramatiq
from dramatiq.asyncio import EventLoopThread, set_event_loop_thread

from statuette.kernel.tasks import ended
from statuette.kernel.work.brokers import ExpiringRedisBroker, actor_name
from statuette.kernel.work.queues import INTERACTIVE
from statuette.kernel.work.runner import Runner

_OTHER_QUEUES_CONCURRENCY = 8
_MEMORY_BROKER_LOOKS_UP_MS = 100
_TIDY_EVERY_SECONDS = 2.0
_log = logging.getLogger(__name__)

Result = TypeVar("Result")


class _ProcessLoop(EventLoopThread):
    """Stands for the loop that the process runs already; it is neither started nor stopped from here."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(_log)
        self.loop.close()  # the base class made one that nobody needs
        self.loop = loop

    def start(self, *, timeout: float | None = None) -> None: ...

    def stop(self) -> None: ...

    def run_coroutine(self, coro: Awaitable[Result]) -> Result:
        """Wait until it ends. The base class looks up ten times a second, for exceptions that nobody raises here."""
        assert isinstance(coro, Coroutine)
        result: Result = asyncio.run_coroutine_threadsafe(coro, self.loop).result()
        return result


class _WorkQueue(PriorityQueue[Any]):
    """Threads wait in it until there is work or it is closed, and do not look up meanwhile: five hundred took a fifth of a core."""

    def __init__(self) -> None:
        super().__init__()
        self._closed = False

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Raises `Empty` when it is closed or must not block; `timeout` is not heeded."""
        with self.not_empty:
            while not self._qsize():
                if self._closed or not block:
                    raise Empty
                self.not_empty.wait()
            return self._get()

    def close(self) -> None:
        with self.not_empty:
            self._closed = True
            self.not_empty.notify_all()


class Workers:
    """Serves queues, each from a broker of its own."""

    def __init__(self, runner: Runner, brokers: Mapping[str, dramatiq.Broker], *, concurrency: int) -> None:
        self._runner = runner
        self._brokers = brokers
        self._share = {
            queue: concurrency if queue == INTERACTIVE else min(concurrency, _OTHER_QUEUES_CONCURRENCY)
            for queue in brokers
        }
        self._in_hand: Counter[str] = Counter()
        self._taken_up: set[asyncio.Task[None]] = set()
        self._workers: list[dramatiq.Worker] = []
        for queue, broker in brokers.items():
            self._declare(queue, broker)

    def free(self) -> dict[str, int]:
        """How many items more of each queue may be worked on."""
        return {queue: max(0, share - self._in_hand[queue]) for queue, share in self._share.items()}

    def take_up(self, queue: str, item_id: str) -> None:
        """Begin to work on an item that no hint told of."""
        task = asyncio.create_task(self._handle(queue, item_id))
        self._taken_up.add(task)
        task.add_done_callback(self._taken_up.discard)

    async def _handle(self, queue: str, item_id: str) -> None:
        self._in_hand[queue] += 1
        try:
            await self._runner.handle(item_id)
        finally:
            self._in_hand[queue] -= 1

    def _declare(self, queue: str, broker: dramatiq.Broker) -> None:
        async def work(item_id: str) -> None:
            await self._handle(queue, item_id)

        dramatiq.actor(actor_name=actor_name(queue), queue_name=queue, broker=broker)(work)

    async def start(self) -> None:
        set_event_loop_thread(_ProcessLoop(asyncio.get_running_loop()))
        for queue, broker in self._brokers.items():
            threads = self._share[queue]
            worker = dramatiq.Worker(
                broker, queues={queue}, worker_threads=threads, worker_timeout=_MEMORY_BROKER_LOOKS_UP_MS
            )
            worker.work_queue = _WorkQueue()
            # As many as can be worked on: what this process fetched beyond that, an idle one could not have.
            worker.queue_prefetch = threads
            worker.start()
            self._workers.append(worker)
        self._tidying = asyncio.create_task(self._tidy(), name="strays")

    async def stop(self, grace_seconds: float) -> None:
        """Take no new work and wait for what is under way, at most `grace_seconds` altogether."""
        workers, self._workers = self._workers, []
        if not workers:
            return
        await ended(self._tidying)
        until = time.monotonic() + grace_seconds
        await asyncio.gather(
            *(asyncio.to_thread(_stop, worker, until) for worker in workers),
            *([asyncio.wait(self._taken_up, timeout=grace_seconds)] if self._taken_up else []),
        )
        await self._runner.abandon()
        for broker in self._brokers.values():
            broker.close()
        set_event_loop_thread(None)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_EVERY_SECONDS)
            try:
                if strays := await self._runner.give_back_strays():
                    _log.warning("strays_given_back", extra={"facts": {"items": strays}})
            except Exception:
                _log.warning("strays_not_looked_for")


def _stop(worker: dramatiq.Worker, until: float) -> None:
    for consumer in worker.consumers.values():
        consumer.stop()
    for thread in worker.workers:
        thread.stop()
    assert isinstance(worker.work_queue, _WorkQueue)
    worker.work_queue.close()
    if isinstance(worker.broker, ExpiringRedisBroker):
        worker.broker.wake()
    worker.stop(max(1, int((until - time.monotonic()) * 1000)))

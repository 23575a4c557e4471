"""Parent side: a few children, a bounded queue before them, and what happens when one of them dies."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from statuette.kernel import telemetry
from statuette.kernel.pixels import wire
from statuette.kernel.pixels.acceptance import ImplausibleError, accept_photo, accept_picture, accept_refusal
from statuette.kernel.pixels.errors import (
    ImageEmpty,
    ImageProcessingTimeout,
    ImageTooDemanding,
    ImageTooLarge,
    PixelQueueFull,
    PixelWorkerLost,
    UnsupportedImageFormat,
)
from statuette.kernel.pixels.formats import sniff
from statuette.kernel.pixels.limits import PixelLimits
from statuette.kernel.pixels.results import NormalisedPhoto, RenderedPicture
from statuette.kernel.pixels.worker import Worker, WorkerDiedError

_MAX_PROVENANCE_LENGTH = 200
_QUEUE_FULL_RETRY_SECONDS = 5
# How a decoder ends by its own bug or a refused allocation. SIGKILL is not among them: that comes from outside.
_CRASHES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE, -signal.SIGTRAP}

Result = TypeVar("Result")


class _Job(Generic[Result]):
    """A request, what makes a result of its reply, and the future its caller waits on."""

    def __init__(self, request: wire.Normalise | wire.Render, accept: Callable[[wire.Reply], Result]) -> None:
        self.request = request
        self.accept = accept
        self.answered: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.asked_at = time.monotonic()

    def fail(self, error: Exception) -> None:
        if not self.answered.done():  # else the caller went away, which leaves the child undisturbed
            self.answered.set_exception(error)

    def finish(self, result: Result) -> None:
        if not self.answered.done():
            self.answered.set_result(result)


class PixelPool:
    """Decodes and encodes pictures in child processes. Belongs to one event loop.

    Args:
        workers: children; each works on one picture at a time.
        memory_bytes: address space of a child.
        task_timeout: wall time for one picture, waiting in the queue excluded.
        cpu_timeout: computing time for one picture, at least a second; half the wall time if not given.
        queue_bytes: encoded bytes that may wait at once; one picture may always wait.
        tasks_per_child: pictures after which a child is replaced, so that what one broke or took over does not last.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        memory_bytes: int = 1 << 30,
        task_timeout: timedelta = timedelta(seconds=20),
        cpu_timeout: timedelta | None = None,
        limits: PixelLimits | None = None,
        queue_bytes: int = 256 * 1024 * 1024,
        tasks_per_child: int = 200,
    ) -> None:
        self.limits = limits or PixelLimits()
        self.restarts = 0
        """Children replaced because they died or hung; planned replacements are not counted."""
        self._workers: list[Worker | None] = [None] * workers
        self._memory_bytes = memory_bytes
        self._task_timeout = task_timeout
        self._cpu_seconds = max(1, int((cpu_timeout or task_timeout / 2).total_seconds()))
        self._queue_bytes = queue_bytes
        self._tasks_per_child = tasks_per_child
        self._queue: asyncio.Queue[_Job[Any]] = asyncio.Queue()
        self._waiting_bytes = 0
        self._runners: list[asyncio.Task[None]] = []
        self._closed = True

    async def start(self) -> None:
        """Start the children; returns when all are warm.

        Raises:
            PixelWorkerLost: a child did not come up.
        """
        started = await asyncio.gather(*(self._spawn() for _ in self._workers), return_exceptions=True)
        self._workers = [worker if isinstance(worker, Worker) else None for worker in started]
        failure = next((error for error in started if isinstance(error, BaseException)), None)
        if failure is not None:
            await self.aclose()
            raise failure
        self._closed = False
        self._runners = [asyncio.create_task(self._run(slot)) for slot in range(len(self._workers))]

    async def aclose(self) -> None:
        """Stop the children. Whoever still waits gets `PixelWorkerLost`. Idempotent."""
        self._closed = True
        runners, self._runners = self._runners, []
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)
        while not self._queue.empty():
            self._queue.get_nowait().fail(PixelWorkerLost())
        self._waiting_bytes = 0
        await asyncio.gather(*(worker.close() for worker in self._workers if worker is not None))
        self._workers = [None] * len(self._workers)

    def pids(self) -> tuple[int, ...]:
        """Process ids of the children that live."""
        return tuple(worker.pid for worker in self._workers if worker is not None)

    async def normalise(self, data: bytes) -> NormalisedPhoto:
        """Intake of a photo from a stranger: judged by content, upright, sRGB, shrunk, stripped, encoded anew as JPEG.

        Raises:
            InvalidInput: the picture is at fault; codes in `statuette.kernel.pixels.errors`. Final.
            Unavailable: we are; retryable.
        """
        return await self._ask(_Job(wire.Normalise(data), partial(accept_photo, limits=self.limits)))

    async def render(
        self, data: bytes, sizes: tuple[int, ...] = (1024, 256), provenance: str | None = None
    ) -> RenderedPicture:
        """A provider's picture, made fit to serve: PNG and WebP in named sizes, each with the mark of AI origin.

        Args:
            sizes: longest edges in pixels; a picture is never enlarged.
            provenance: what made it (`provider/model`), at most 200 printable characters; goes into the mark.

        Raises: as `normalise`; `ValueError` for sizes or a provenance that no caller should send.
        """
        if provenance is not None and not (provenance.isprintable() and len(provenance) <= _MAX_PROVENANCE_LENGTH):
            raise ValueError("A provenance is at most 200 printable characters.")
        if not all(0 < edge_pixels <= self.limits.original_edge_pixels for edge_pixels in sizes):
            raise ValueError("A size lies between 1 and the edge of an original.")
        accept = partial(accept_picture, sizes=sizes, limits=self.limits)
        return await self._ask(_Job(wire.Render(data, sizes, provenance), accept))

    async def _ask(self, job: _Job[Result]) -> Result:
        data = job.request.data
        if not data:
            raise ImageEmpty()
        if len(data) > self.limits.max_bytes:
            raise ImageTooLarge(max_bytes=self.limits.max_bytes)
        if sniff(data) is None:
            raise UnsupportedImageFormat()
        if self._closed:
            raise PixelWorkerLost()
        if self._waiting_bytes and self._waiting_bytes + len(data) > self._queue_bytes:
            raise PixelQueueFull(retry_after_seconds=_QUEUE_FULL_RETRY_SECONDS)
        self._waiting_bytes += len(data)
        self._queue.put_nowait(job)
        return await job.answered

    async def _run(self, slot: int) -> None:
        """One runner a child, for as long as the pool is open."""
        while True:
            await self._refresh(slot)
            job = await self._queue.get()
            self._waiting_bytes -= len(job.request.data)
            telemetry.pixel_wait_seconds.record(time.monotonic() - job.asked_at)
            if not job.answered.done():
                await self._serve(slot, job)

    async def _serve(self, slot: int, job: _Job[Result]) -> None:
        try:
            job.finish(await self._work(slot, job))
        except asyncio.CancelledError:
            job.fail(PixelWorkerLost())
            raise
        except Exception as error:
            # A bug belongs to its caller; a runner that ended would hang all others.
            job.fail(error)

    async def _refresh(self, slot: int) -> None:
        """See that a fresh, warm child stands ready before there is work; if none comes up, the work will tell."""
        worker = self._workers[slot]
        if worker is not None and worker.calls >= self._tasks_per_child:
            await self._discard(slot)
        with suppress(PixelWorkerLost):
            await self._ready(slot)

    async def _work(self, slot: int, job: _Job[Result]) -> Result:
        """Twice at most: a child may die for reasons of its own, but not two in a row over the same picture."""
        deaths: list[int | None] = []
        while len(deaths) < 2:
            worker = await self._ready(slot)
            try:
                reply = await worker.call(job.request, self._task_timeout)
                if not isinstance(reply, wire.Refused):
                    return await asyncio.to_thread(job.accept, reply)
                refusal = accept_refusal(reply, self.limits)
            except TimeoutError:
                await self._lose(slot)
                raise ImageProcessingTimeout() from None
            except ImplausibleError:
                await self._lose(slot)
                deaths.append(None)
            except WorkerDiedError as death:
                await self._lose(slot)
                if death.returncode == -signal.SIGXCPU:
                    raise ImageTooDemanding() from None
                deaths.append(death.returncode)
            else:
                if reply.spent:
                    await self._discard(slot)
                raise refusal
        raise ImageTooDemanding() if all(code in _CRASHES for code in deaths) else PixelWorkerLost()

    async def _ready(self, slot: int) -> Worker:
        worker = self._workers[slot]
        if worker is None:
            worker = self._workers[slot] = await self._spawn()
        return worker

    async def _spawn(self) -> Worker:
        try:
            return await Worker.start(
                memory_bytes=self._memory_bytes, cpu_seconds=self._cpu_seconds, limits=self.limits
            )
        except (WorkerDiedError, TimeoutError, OSError) as error:
            raise PixelWorkerLost(
                f"A pixel child did not start ({error or type(error).__name__}).",
                cure="Run `python -I -m statuette.kernel.pixels.child </dev/null` to see whether its imports work.",
            ) from None

    async def _lose(self, slot: int) -> None:
        self.restarts += 1
        await self._discard(slot)

    async def _discard(self, slot: int) -> None:
        worker, self._workers[slot] = self._workers[slot], None
        if worker is not None:
            await worker.close()

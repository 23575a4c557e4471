"""Parent side: one child process, one frame out, one frame back."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import msgspec

from statuette.kernel.pixels import wire
from statuette.kernel.pixels.limits import PixelLimits

CHILD_COMMAND = (sys.executable, "-I", "-m", "statuette.kernel.pixels.child")
_START_SECONDS = 30.0
_REAP_SECONDS = 5.0
_STREAM_BYTES = 1024 * 1024
# An empty environment but for this: each further malloc arena would reserve address space, which is what a child lacks.
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}

T = TypeVar("T")


class WorkerDiedError(Exception):
    """The child is gone, or said something that is no frame.

    Attributes:
        returncode: as `Process.returncode`: negative for a signal; None when it had to be given up.
    """

    def __init__(self, returncode: int | None) -> None:
        self.returncode = returncode
        super().__init__(f"return code {returncode}")


async def _spawn() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *CHILD_COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # decoders complain there, and their words may quote a photo
        env=_ENVIRONMENT,
        cwd="/",
        start_new_session=True,  # a Ctrl-C at the terminal is the parent's to handle
        limit=_STREAM_BYTES,
    )


async def _to_its_end(task: asyncio.Future[T]) -> T:
    """Await `task` even when cancelled meanwhile, then be cancelled: half-way it would leave a process behind."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class Worker:
    """A live child. After any error it is dead: `close` it and start another."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self.calls = 0

    @classmethod
    async def start(cls, *, memory_bytes: int, cpu_seconds: int, limits: PixelLimits) -> Worker:
        """Spawn a child; return once it is warm and confined. Raises `WorkerDiedError`, `TimeoutError`, `OSError`."""
        spawning = asyncio.ensure_future(_spawn())
        try:
            worker = cls(await _to_its_end(spawning))
        except asyncio.CancelledError:
            await cls(spawning.result()).close()
            raise
        setup = wire.Setup(os.getpid(), memory_bytes, cpu_seconds, limits)
        try:
            reply = await worker.call(setup, timedelta(seconds=_START_SECONDS))
            if not isinstance(reply, wire.Ready):
                raise WorkerDiedError(None)
        except BaseException:
            await worker.close()
            raise
        worker.calls = 0
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    async def call(self, request: wire.Request, timeout: timedelta) -> wire.Reply:
        """Send one request and return its reply.

        Raises:
            TimeoutError: not answered in `timeout`.
            WorkerDiedError: the child ended or answered nonsense.
        """
        self.calls += 1
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                self._stdin.write(wire.frame(request))
                await self._stdin.drain()
                length = wire.body_length(await self._stdout.readexactly(wire.HEADER_BYTES))
                if length > wire.MAX_REPLY_BYTES:
                    raise WorkerDiedError(None)
                body = await self._stdout.readexactly(length)
                return await asyncio.to_thread(wire.parse_reply, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise WorkerDiedError(await self._reap()) from None
        except msgspec.MsgspecError:
            raise WorkerDiedError(None) from None

    async def close(self) -> None:
        """Kill the child and collect it. Idempotent. It holds nothing worth a farewell."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await _to_its_end(asyncio.ensure_future(self._reap()))

    async def _reap(self) -> int | None:
        """The return code of a child that ended or is about to; None if the system does not give it back in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAP_SECONDS):
                # The transport counts as closed only when its pipes are, so what the child left in them is read off.
                while await self._stdout.read(_STREAM_BYTES):
                    pass
                self._stdin.close()
                await self._process.wait()
        return self._process.returncode

"""One process of a deployment: started, killed, stopped and paused by its pid, again and again under the same name."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
STATUETTE = (sys.executable, "-m", "statuette")
READY_WITHIN_SECONDS = 60
ENDS_WITHIN_SECONDS = 60
LAUNCH = Path(__file__).with_name("launch.py")
_LOOK_SECONDS = 0.03
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
_READY = re.compile(r"^\w+ ready: (prc_\w+)$", re.MULTILINE)


class NotStarted(AssertionError):
    """A process ended, or said nothing, instead of getting ready."""


class Program:
    """A program of `statuette` in a process, and in a session, of its own.

    Attributes:
        name: such as `worker-1`; its log is `<name>.log`.
        role: such as `worker`.
        url: where it answers, if it is one that does.
        argv: what is run.
        told_to_end: whether we have asked, or forced, it to end since it was started.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        url: str | None = None,
        command: Sequence[str] = STATUETTE,
    ) -> None:
        self.name = name
        self.role = name.partition("-")[0]
        self.url = url
        self.log = folder / f"{name}.log"
        self.argv = [*command, *arguments]
        self.told_to_end = False
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begins = 0

    def __repr__(self) -> str:
        return f"Program({self.name}, {f'pid {self.pid}' if self.running else 'not running'})"

    @property
    def running(self) -> bool:
        """Whether its process exists, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> str:
        """What it calls itself in the database; empty until it has said so."""
        announced = _READY.search(self.said())
        return announced.group(1) if announced else ""

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    def launch(self) -> None:
        """Begin to start it."""
        assert not self.running, f"{self.name} runs already"
        self._log_begins = self.log.stat().st_size if self.log.exists() else 0
        self.told_to_end = False
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(LAUNCH), str(os.getpid()), *self.argv],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Until it is at work. Raises `NotStarted`."""
        try:
            async with asyncio.timeout(READY_WITHIN_SECONDS), httpx.AsyncClient(trust_env=False) as http:
                while not await self._is_ready(http):
                    if not self.running:
                        raise NotStarted(f"{self.name} ended: {self.said()[-2000:]}")
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            raise NotStarted(f"{self.name} was not ready in time: {self.said()[-2000:]}") from None

    async def start(self) -> None:
        self.launch()
        await self.ready()

    async def kill(self) -> None:
        """SIGKILL: no handler, no last word."""
        self.send(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """SIGTERM, as a supervisor does; its exit code."""
        self.send(signal.SIGTERM)
        return await self.ended()

    async def ended(self, within_seconds: float = ENDS_WITHIN_SECONDS) -> int:
        """Its exit code, once it has ended. Raises `TimeoutError`."""
        assert self._process is not None
        try:
            return await asyncio.to_thread(self._process.wait, within_seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} does not end: {self.said()[-2000:]}") from None

    def pause(self) -> None:
        """SIGSTOP: it holds what it holds, and does nothing, until `resume`."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        """Does nothing to a process that has ended."""
        assert self._process is not None
        self.told_to_end |= number in _ENDING
        self._process.send_signal(number)

    def send_to_group(self, number: signal.Signals) -> None:
        """To the process and its children at once, as a terminal and some supervisors do."""
        self.told_to_end |= number in _ENDING
        os.killpg(self.pid, number)

    def children(self) -> list[psutil.Process]:
        return list(psutil.Process(self.pid).children(recursive=True))

    def close(self) -> None:
        """End it now, if it runs."""
        if self._process is not None and self.running:
            self._process.kill()
        if self._process is not None:
            self._process.wait()

    def said(self) -> str:
        """What it wrote to its terminal since it was started last."""
        return self._written(self._log_begins)

    def written(self) -> str:
        """What all its lives wrote to their terminal."""
        return self._written(0)

    def errors(self) -> Counter[str]:
        """What all its lives logged as errors: event, class and place."""
        logged = [json.loads(line) for line in self.written().splitlines() if line.startswith('{"at"')]
        return Counter(
            " ".join(str(line[name]) for name in ("event", "error", "place") if name in line)
            for line in logged
            if line["level"] == "error"
        )

    def _written(self, begin: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    async def _is_ready(self, http: httpx.AsyncClient) -> bool:
        if self.url is None:
            return bool(self.process_id)
        try:
            return (await http.get(f"{self.url}/readyz", timeout=2)).status_code == 200
        except httpx.TransportError:
            return False

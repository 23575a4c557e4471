"""What every server here can do: start, stop, be killed, paused and resumed, on one port and in one folder."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import psutil

from statuette.errors import StatuetteError

_KEEPER = Path(__file__).with_name("keeper.py")
# Below the ports that systems give to outgoing connections, so that nobody takes a stopped server's port meanwhile.
_PORTS = range(15_000, 30_000)
_READY_WITHIN_SECONDS = 60.0
_STOPPED_WITHIN_SECONDS = 30.0
_BETWEEN_LOOKS_SECONDS = 0.02


class ServerFailed(StatuetteError):
    """A server for tests is missing, did not start or did not stop. Final: the message says what to change."""

    code = "test_server_failed"
    summary = "A server for tests did not do what it was told."


class ServerProcess(ABC):
    """A server's program as a child that can be mistreated. A context manager: started on entry, gone after the exit.

    Attributes:
        port: on 127.0.0.1; the same for the whole life, however often the server is stopped.
        folder: holds its data and its `log`; removed in the end.
    """

    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """Asks for an orderly end that does not wait for clients."""
    last_signal: ClassVar[signal.Signals] = signal.SIGKILL
    """Ends it when nobody is left to care."""

    def __init__(self) -> None:
        self.port = 0
        self.folder = Path()
        self._keeper: _Keeper | None = None
        self._process: psutil.Process | None = None

    def __repr__(self) -> str:
        state = f"pid {self.pid}" if self.running else "stopped"
        return f"{type(self).__name__}(port {self.port}, {state})"

    def __enter__(self) -> Self:
        self.port = free_port()
        # In the system's own temporary folder, never under a home: some servers run as another user, who must get there.
        self.folder = Path(tempfile.mkdtemp(prefix=f"statuette-{self.title.lower()}-"))
        self._keeper = _Keeper(self.folder)
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect; with the credentials, if there are any."""

    @abstractmethod
    def prepare(self) -> None:
        """Once, before the first start: make data and configuration in `folder`."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """The program and its arguments."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it serves; asked again and again while it starts."""

    @property
    def user(self) -> int | None:
        """The user and group it runs as; None: ours."""
        return None

    @property
    def running(self) -> bool:
        """Whether its process exists, paused or not."""
        return self._process is not None and self._process.is_running()

    @property
    def pid(self) -> int:
        """Of the running server. Raises `ServerFailed` when it is stopped."""
        return int(self._running().pid)

    def start(self) -> None:
        """Until it serves; on the same port and data as before. Does nothing if it runs. Raises `ServerFailed`."""
        if self.running:
            return
        keeper = self._kept()
        self._process = keeper.run(self.command(), user=self.user, last_signal=self.last_signal)
        give_up = time.monotonic() + _READY_WITHIN_SECONDS
        while not self.is_ready():
            if (code := keeper.wait(_BETWEEN_LOOKS_SECONDS)) is not None:
                raise self._failed(f"ended with code {code} instead of serving")
            if time.monotonic() > give_up:
                raise self._failed(f"did not serve within {_READY_WITHIN_SECONDS:.0f} s")

    def stop(self) -> None:
        """An orderly end, without waiting for clients; their connections are cut. Does nothing if it is stopped."""
        if not self.running:
            return
        process = self._running()
        process.send_signal(self.stop_signal)
        self.resume()
        if self._kept().wait(_STOPPED_WITHIN_SECONDS) is None:
            raise self._failed(f"did not stop within {_STOPPED_WITHIN_SECONDS:.0f} s")
        self._process = None

    def kill(self) -> None:
        """SIGKILL for the server's process and the children it has, as if their machine lost power. `start` works again."""
        server, *children = self._paused_family()
        for process in (server, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._kept().wait(_STOPPED_WITHIN_SECONDS)
        while any(_lives(child) for child in children):  # until then they hold on to what the next server needs
            time.sleep(_BETWEEN_LOOKS_SECONDS)
        self._process = None

    def pause(self) -> None:
        """SIGSTOP for the server and its children: connections stay open, nothing is answered, until `resume`."""
        self._paused_family()

    def resume(self) -> None:
        """SIGCONT for all that `pause` stopped."""
        server = self._running()
        for process in (*server.children(recursive=True), server):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def close(self) -> None:
        """End it, and remove its folder. It cannot be started again."""
        try:
            if self.running:
                self.stop()
        finally:
            keeper, self._keeper, self._process = self._keeper, None, None
            if keeper is not None:
                keeper.close()
                shutil.rmtree(self.folder, ignore_errors=True)  # the keeper did, unless it was killed

    def _paused_family(self) -> list[psutil.Process]:
        # The server first: a stopped one has no more children, so the list is complete.
        server = self._running()
        server.suspend()
        children = server.children(recursive=True)
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.suspend()
        return [server, *children]

    def _running(self) -> psutil.Process:
        if self._process is None or not self._process.is_running():
            raise ServerFailed(f"{self.title} is stopped.", cure="Call start() first.")
        return self._process

    def _kept(self) -> _Keeper:
        if self._keeper is None:
            raise ServerFailed(f"{self.title} is closed.", cure="Use the server inside its `with` block.")
        return self._keeper

    def _failed(self, what: str) -> ServerFailed:
        log = self.folder / "log"
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        return ServerFailed(f"{self.title} {what}. The end of its log:\n{tail}")


class _Keeper:
    """Our end of `keeper.py`."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", str(_KEEPER), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in a terminal is for us; we then end the server in order
        )

    def run(self, argv: Sequence[str | Path], *, user: int | None, last_signal: signal.Signals) -> psutil.Process:
        request = {"run": [str(part) for part in argv], "environment": _environment(), "user": user}
        return psutil.Process(self._ask({**request, "last_signal": int(last_signal)})["pid"])

    def wait(self, seconds: float) -> int | None:
        """The server's exit code; None if it still runs after `seconds`."""
        code: int | None = self._ask({"wait": seconds})["exit"]
        return code

    def close(self) -> None:
        with self._process as process:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # a request that it died before reading
                process.stdin.close()
            process.wait()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise ServerFailed("The process that keeps the server is gone, and the server with it.")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _lives(process: psutil.Process) -> bool:
    """Not so of a zombie, which waits for whoever inherited it to take note of its end."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _environment() -> dict[str, str]:
    """What a server may need, and no setting or secret of ours."""
    kept = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ}


def free_port() -> int:
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailed("No port of 127.0.0.1 is free.", cure="End servers that are not needed any more.")

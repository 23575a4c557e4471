"""Program: the parent process of one server, so that the server and its folder end with whoever asked for them.

    python -I keeper.py FOLDER

Reads requests, a JSON object a line, and answers each with one:

    {"run": [program, argument, …], "environment": {…}, "user": uid or null, "last_signal": n}  →  {"pid": n}
    {"wait": seconds}                                                                           →  {"exit": code or null}

When its input ends, since the asker closed it or died, it ends the server with `last_signal` and removes the folder. If it is
itself killed, Linux sends the server that signal. A process of its own, because Linux ties a child to the *thread* that started
it: started from a pool's thread, a server would end with that thread.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PATIENCE_SECONDS = 10


class _Server:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._last_signal = int(signal.SIGKILL)

    def run(self, argv: list[str], environment: dict[str, str], user: int | None, last_signal: int) -> int:
        self._last_signal = last_signal
        keeper = os.getpid()

        def die_with_keeper() -> None:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, last_signal, 0, 0, 0)
            if os.getppid() != keeper:
                os._exit(1)

        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                argv,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_keeper,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        return self._process.pid

    def wait(self, seconds: float) -> int | None:
        """The exit code; None if it still runs after `seconds`."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self._last_signal)
        self._process.send_signal(signal.SIGCONT)
        if self.wait(_PATIENCE_SECONDS) is None:
            self._process.kill()
            self._process.wait()


def main() -> None:
    folder = Path(sys.argv[1])
    server = _Server(folder)
    # A mask is inherited: what the asker blocks would reach neither us nor the server.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        for line in sys.stdin:
            request: dict[str, Any] = json.loads(line)
            answer: dict[str, Any]
            if "run" in request:
                answer = {
                    "pid": server.run(request["run"], request["environment"], request["user"], request["last_signal"])
                }
            else:
                answer = {"exit": server.wait(request["wait"])}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

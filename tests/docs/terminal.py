"""A terminal with a shell that lives as long as somebody sits at it."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from uuid import uuid4

import psutil  # type: ignore[import-untyped]

_PATIENCE_SECONDS = 150.0


class Terminal:
    """Bash, typed into block by block; variables, folder and background jobs last from one block to the next."""

    def __init__(self, folder: Path, environment: dict[str, str], scratch: Path) -> None:
        self._scratch = scratch
        self._changed = threading.Condition()
        self._output = ""
        self._ended = False
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._type("set -o pipefail")

    @property
    def output(self) -> str:
        with self._changed:
            return self._output

    def start(self, commands: str) -> int:
        """Type commands and leave them running; returns where their output begins. What ran before gets Ctrl-C."""
        self._interrupt()
        begin = len(self.output)
        self._type(f"source {self._file(commands)}")
        return begin

    def run(self, commands: str, answer: str = "") -> tuple[int, str]:
        """Type commands and wait for their end; returns the exit code and what was printed.

        Args:
            answer: what is typed when a command asks.
        """
        begin = len(self.output)
        end = f"end-{uuid4().hex}"
        # A subshell could stop at the first failure, but variables would not outlive it: so -e is set in the file instead.
        self._type(f"source {self._file('set -e', commands, 'set +e')} < {self._file(answer)}")
        self._type(f"printf '\\n%s %d\\n' {end} $?")
        found = self.wait_for(rf"^{end} (\d+)$", begin)
        if found is None:
            printed = self.output[begin:]
            if not self._ended:
                return 124, printed
            # Its output ends a moment before the shell itself does.
            return self._shell.wait(10), printed
        return int(found[1]), self.output[begin : found.start()].rstrip("\n") + "\n"

    def wait_for(self, pattern: str, begin: int, seconds: float = _PATIENCE_SECONDS) -> re.Match[str] | None:
        """The first match after `begin`; None when it does not come."""
        compiled = re.compile(pattern, re.MULTILINE)
        until = time.monotonic() + seconds
        with self._changed:
            while True:
                found = compiled.search(self._output, begin)
                left = until - time.monotonic()
                if found is not None or self._ended or left <= 0:
                    return found
                self._changed.wait(left)

    def close(self) -> None:
        self._interrupt()
        assert self._shell.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._shell.stdin.close()
        try:
            self._shell.wait(10)
        except subprocess.TimeoutExpired:
            self._shell.kill()
            self._shell.wait()
        self._reader.join(5)
        assert self._shell.stdout is not None
        self._shell.stdout.close()

    def _type(self, line: str) -> None:
        assert self._shell.stdin is not None
        try:
            self._shell.stdin.write(line + "\n")
            self._shell.stdin.flush()
        except BrokenPipeError:
            return  # the shell has ended; whoever waits is told so

    def _file(self, *lines: str) -> Path:
        path = self._scratch / f"{uuid4().hex}.sh"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _interrupt(self) -> None:
        """What Ctrl-C does, and some patience."""
        if self._shell.poll() is not None:
            return
        running = psutil.Process(self._shell.pid).children(recursive=True)
        for process in running:
            with contextlib.suppress(psutil.NoSuchProcess):  # in a pipe, one ends with another
                process.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(running, timeout=25)
        for process in alive:
            process.kill()

    def _read(self) -> None:
        assert self._shell.stdout is not None
        for line in self._shell.stdout:
            with self._changed:
                self._output += line
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

"""Somebody who follows a page to the letter."""

from __future__ import annotations

import os
import re
import shlex
import socket
import stat
import sys
import sysconfig
import time
import venv
from pathlib import Path

from statuette.testing.photos import sample_photos
from tests.docs import curl
from tests.docs.snippets import ROOT, Snippet, runnable
from tests.docs.terminal import Terminal

_MAILED_CODE = r"^(?:│|\|)? {4,}(\d{6})$"
_PATIENCE_SECONDS = 60
_NAMED_PORT = re.compile(r"\b(?:127\.0\.0\.1|localhost):(\d{2,5})\b")


class Newcomer:
    """Has a folder, an environment with Statuette, and as many terminals as the page asks for.

    Args:
        own_curl: use the machine's curl; else, or where there is none, our stand-in.
    """

    def __init__(self, home: Path, *, own_curl: bool = True) -> None:
        self._folder = home / "statuette"
        self._scratch = home / "scratch"
        for folder in (self._folder / "brands", self._scratch):
            folder.mkdir(parents=True)
        (self._folder / "brands" / "demo.toml").write_bytes((ROOT / "brands" / "demo.toml").read_bytes())
        (self._folder / "me.jpg").write_bytes(sample_photos()["grace_hopper"].read())
        # Ports that a page names, and the free ones that stand for them; the platform's is known before any page.
        self._ports = {"8000": _free_port()}
        self._environment = {
            "PATH": f"{_environment_of_ones_own(home / 'venv', own_curl)}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "STATUETTE_PORT": str(self._ports["8000"]),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "COLUMNS": "120",
            "PYTHONUNBUFFERED": "1",  # what is printed shows at once in a terminal, which a pipe is not
        }
        self._terminals: dict[str, Terminal] = {}
        self._codes_typed: set[tuple[str, int]] = set()

    def follow(self, page: Path) -> None:
        """Do everything the page says. Raises AssertionError where it leads astray."""
        for port in _NAMED_PORT.findall(page.read_text()):
            self._ports.setdefault(port, _free_port())
        try:
            for snippet in runnable(page):
                if "not-run" not in snippet.options:
                    self._do(snippet)
        finally:
            for terminal in self._terminals.values():
                terminal.close()

    def _do(self, snippet: Snippet) -> None:
        text = self._at_free_ports(snippet.text)
        if name := snippet.options.get("file"):
            path = self._folder / name
            assert path.resolve().is_relative_to(self._folder), f"{snippet.place}: outside of the folder"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif snippet.language == "bash" and "terminal" in snippet.options:
            self._leave_running(snippet, text)
        elif snippet.language == "bash":
            answer = self._mailed_code(snippet) if snippet.options.get("answer") == "mailed-code" else ""
            self._run(snippet, text, answer)
        elif snippet.language == "python":
            script = self._scratch / f"line{snippet.line}.py"
            script.write_text(text)
            self._run(snippet, f"python {shlex.quote(str(script))}", "")
        else:
            raise AssertionError(f"{snippet.place}: nothing says what to do with this {snippet.language}")

    def _run(self, snippet: Snippet, commands: str, answer: str) -> None:
        wanted = int(snippet.options.get("exit", 0))
        # With -e a failing command ends the shell, unless it is meant to fail.
        if wanted:
            commands = f'set +e\n{commands}\ncode=$?\nset -e\necho "ended with code $code"\n[ $code = {wanted} ]'
        code, printed = self._terminal("main").run(commands, answer)
        assert code == 0, f"{snippet.place}: ended with code {code}, not {wanted}:\n{printed}"
        missing = self._missing(snippet.shown, printed)
        assert missing is None, f"{snippet.place}: the output lacks {missing!r}:\n{printed}"

    def _leave_running(self, snippet: Snippet, commands: str) -> None:
        terminal = self._terminal(snippet.options["terminal"])
        begin = terminal.start(commands)
        for line in self._shown_lines(snippet.shown):
            found = terminal.wait_for(_pattern(line), begin, _PATIENCE_SECONDS)
            assert found is not None, f"{snippet.place}: the output lacks {line!r}:\n{terminal.output[begin:]}"

    def _mailed_code(self, snippet: Snippet) -> str:
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            for name, terminal in self._terminals.items():
                begin = max((end for typed, end in self._codes_typed if typed == name), default=0)
                found = terminal.wait_for(_MAILED_CODE, begin, 0.1)
                if found is not None:
                    self._codes_typed.add((name, found.end()))
                    return found[1]
        raise AssertionError(f"{snippet.place}: no terminal shows a mailed code")

    def _terminal(self, name: str) -> Terminal:
        if name not in self._terminals:
            self._terminals[name] = Terminal(self._folder, self._environment, self._scratch)
        return self._terminals[name]

    def _missing(self, shown: str, printed: str) -> str | None:
        """The first line that should have been printed after those before it, and was not."""
        left = printed
        for line in self._shown_lines(shown):
            found = re.search(_pattern(line), left, re.MULTILINE)
            if found is None:
                return line
            left = left[found.end() :]
        return None

    def _shown_lines(self, shown: str) -> list[str]:
        return [line for line in self._at_free_ports(shown).splitlines() if line.strip(" …")]

    def _at_free_ports(self, text: str) -> str:
        for named, free in self._ports.items():
            text = re.sub(rf"\b{named}\b", str(free), text)
        return text


def _pattern(line: str) -> str:
    """A line of a page as a pattern: `…` stands for anything, spaces for spaces."""
    pieces = [r"\s+".join(re.escape(word) for word in re.split(r"\s+", piece)) for piece in line.strip().split("…")]
    return r"^\s*" + ".*".join(pieces) + r"\s*$"


def _environment_of_ones_own(folder: Path, own_curl: bool) -> Path:
    """What `make setup` leaves, as a copy that may be installed into; returns the folder with its commands."""
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    bin_folder = folder / "bin"
    inside = next(folder.glob("lib/python*/site-packages"))
    shared = sysconfig.get_path("purelib")
    # A path file cannot name another environment's path files, which editable installs are; addsitedir reads them.
    (inside / "shared.pth").write_text(f"import site; site.addsitedir({shared!r})\n")
    commands = {name: f"-m {name}" for name in ("statuette", "pytest", "pip")}
    if not (own_curl and curl.usable()):
        commands["curl"] = shlex.quote(curl.__file__)
    for name, arguments in commands.items():
        script = bin_folder / name
        script.write_text(f'#!/bin/sh\nexec "{bin_folder}/python" {arguments} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    assert sys.prefix != sys.base_prefix, "the tests run in an environment made by `make setup`"
    return bin_folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

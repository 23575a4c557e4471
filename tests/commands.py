"""The commands of `statuette` as operators run them: each in a process of its own, with nothing of ours in its environment.

The processes are forked from one that has imported what commands import, which takes longer than most of them do.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.forked import FORKED
from tests.site import Site

_SECONDS = 90


class Done(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    stdout: str
    stderr: str


def environment(site: Site) -> dict[str, str]:
    """What names the site's deployment to a command."""
    settings = site.platform.settings
    return {
        "PATH": "/usr/bin:/bin",
        "STATUETTE_DATABASE_URL": settings.database_url,
        "STATUETTE_DATA_DIR": str(settings.data_dir),
    }


async def statuette(site: Site, *arguments: str, code: int = 0, stdin: str = "") -> Done:
    """Run a command on the site's deployment, in its folder. Asserts its exit code."""
    done = await asyncio.to_thread(run, arguments, site.folder, environment(site), stdin)
    assert done.code == code, f"{done.code}\n{done.stdout}{done.stderr}"
    return done


def run(arguments: Sequence[str], folder: Path, variables: Mapping[str, str], stdin: str = "") -> Done:
    """Run a command to its end, in a folder and an environment."""
    with tempfile.TemporaryDirectory() as scratch:
        streams = [Path(scratch) / name for name in ("stdin", "stdout", "stderr")]
        for stream in streams:
            stream.write_text(stdin if stream.name == "stdin" else "")
        process = FORKED.Process(target=_command, args=(list(arguments), str(folder), dict(variables), streams))
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        assert process.exitcode is not None
        return Done(process.exitcode, streams[1].read_text(), streams[2].read_text())


def _command(arguments: list[str], folder: str, variables: dict[str, str], streams: list[Path]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(os.open(stream, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_APPEND), number)
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.argv = ["statuette", *arguments]
    from statuette.kernel.cli.main import main

    try:
        main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()

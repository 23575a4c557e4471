"""Heads of the evidence log as lines of a file: on a volume of another machine, or one that only takes additions."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from statuette.evidence import SignedHead, canonical
from statuette.ports.anchor import Anchor, AnchorUnavailable


class FileAnchor(Anchor):
    """Only ever appends. The folder must exist: one that is not mounted must not be made anew beside the log."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def keep(self, head: SignedHead) -> None:
        try:
            await asyncio.to_thread(self._append, canonical(head) + b"\n")
        except OSError as error:
            raise AnchorUnavailable(f"The anchor file cannot be written: {error.strerror}.") from None

    def _append(self, line: bytes) -> None:
        fresh = not self._path.exists()
        opened = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # One write: a reader, or a crash, sees the whole line or a torn last one, which the next line would follow.
            ends = fresh or _ends_with_newline(self._path)
            os.write(opened, line if ends else b"\n" + line)
            os.fsync(opened)
        finally:
            os.close(opened)
        if fresh:
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        if size == 0:
            return True
        opened.seek(size - 1)
        return opened.read(1) == b"\n"

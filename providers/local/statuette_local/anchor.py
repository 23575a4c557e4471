"""Heads of the evidence log as lines of a file: on a volume of another machine, or one that only takes additions.

Digests of audit reports are lines of a second file beside it: `heads.jsonl` and `heads.reports.jsonl`.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from statuette.evidence import SignedHead, canonical
from statuette.ports.anchor import Anchor, AnchorUnavailable, ReportDigest


class FileAnchor(Anchor):
    """Only ever appends. The folder must exist: one that is not mounted must not be made anew beside the log."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def keep(self, head: SignedHead) -> None:
        await self._kept(self._path, head)

    async def keep_report(self, report: ReportDigest) -> None:
        await self._kept(self._path.with_name(f"{self._path.stem}.reports{self._path.suffix}"), report)

    async def _kept(self, path: Path, document: SignedHead | ReportDigest) -> None:
        try:
            await asyncio.to_thread(self._append, path, canonical(document) + b"\n")
        except OSError as error:
            raise AnchorUnavailable(f"The anchor file cannot be written: {error.strerror}.") from None

    def _append(self, path: Path, line: bytes) -> None:
        fresh = not path.exists()
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # One write: a reader, or a crash, sees the whole line or a torn last one, which the next line would follow.
            ends = fresh or _ends_with_newline(path)
            os.write(opened, line if ends else b"\n" + line)
            os.fsync(opened)
        finally:
            os.close(opened)
        if fresh:
            folder = os.open(path.parent, os.O_RDONLY)
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

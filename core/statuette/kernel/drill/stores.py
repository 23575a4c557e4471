"""Object stores with all that they keep, and the folder of a platform as the file system shows it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from statuette.kernel.drill.places import Place, Seen, Tally, pieces
from statuette.kernel.drill.search import Search
from statuette.ports.storage import ObjectNotFound, Storage

_CONTROL = "drill-control"
Touched = Callable[[str, datetime], bool]
"""Whether what has this name, and was last changed then, can hold anything of the canary: nothing older can."""


class Objects(Place):
    """Every name in a store, earlier versions, markers and unfinished uploads included where the store can tell of them; and
    the bytes of whatever was written since the drill began.

    Args:
        roots: first segments of names, each with a slash, for a store that tells nothing of earlier versions.
    """

    name = "object store"
    unit = "objects"

    def __init__(self, storage: Storage, roots: Iterable[str], touched: Touched) -> None:
        self._storage = storage
        self._roots = sorted(set(roots))
        self._touched = touched

    async def searched(self, search: Search) -> Seen:
        tally = Tally(search)
        history = self._storage.history()
        if history is not None:
            async for version in history:
                where = f"{version.key} ({version.kind.value})"
                self._count(tally, where, version.key)
                if version.holds_bytes and self._touched(version.key, version.modified_at):
                    data = await self._storage.read_version(version)
                    if data is not None:
                        tally.value(where, data)
            return tally.end()
        for root in self._roots:
            async for found in self._storage.list(root):
                self._count(tally, found.key, found.key)
                if self._touched(found.key, found.modified_at):
                    try:
                        tally.value(found.key, await self._storage.read(found.key))
                    except ObjectNotFound:
                        continue  # gone meanwhile
        return tally.end()

    @staticmethod
    def _count(tally: Tally, where: str, key: str) -> None:
        tally.items += 1
        tally.value(where, key.encode())


class Folder(Place):
    """Everything below a folder: names of all files, and the bytes of those that were written since the drill began.

    Args:
        without: files that are looked at elsewhere.
    """

    unit = "files"

    def __init__(
        self, root: Path, touched: Touched, *, without: Iterable[Path] = (), name: str = "platform's folder"
    ) -> None:
        self.name = name
        self._root = root
        self._touched = touched
        self._without = {path.resolve() for path in without}

    async def plant(self, control: bytes) -> bool:
        await asyncio.to_thread((self._root / _CONTROL).write_bytes, control)
        return True

    async def unplant(self) -> None:
        await asyncio.to_thread((self._root / _CONTROL).unlink, missing_ok=True)

    async def searched(self, search: Search) -> Seen:
        return await asyncio.to_thread(self._searched, search)

    def _searched(self, search: Search) -> Seen:
        tally = Tally(search)
        for folder, _, names in os.walk(self._root):
            for name in names:
                path = Path(folder, name)
                where = path.relative_to(self._root).as_posix()
                if path.resolve() in self._without or path.is_symlink():
                    continue
                tally.items += 1
                # A local store ends the names of folders in `+`.
                key = where.replace("+/", "/")
                tally.value(where, key.encode())
                try:
                    if self._touched(key, datetime.fromtimestamp(path.stat().st_mtime).astimezone()):
                        tally.stream(where, pieces(path))
                except FileNotFoundError:
                    continue  # gone meanwhile
        return tally.end()

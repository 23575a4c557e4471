"""A deployment's database taken back to an earlier moment, the object store and the key store left as they are."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from uuid import uuid4

import asyncpg

from statuette.testing.servers import database_at
from tests.profiles import Profile
from tests.site import Site


class Backup:
    """A copy of the database at one moment, made by what the engine offers for it while the site works."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._file = folder / f"backup-{uuid4().hex}.db"
        self._server, _, self._name = url.rpartition("/")
        self._copy = f"backup_{uuid4().hex}"

    async def make(self) -> Backup:
        """Now. PostgreSQL copies a database that nobody is connected to, so there the site is stopped first."""
        if self._url.startswith("sqlite:///"):
            await asyncio.to_thread(_copied, self._url.removeprefix("sqlite:///"), self._file)
        else:
            await self._execute(f'CREATE DATABASE {self._copy} TEMPLATE "{self._name}"')
        return self

    async def restore(self) -> None:
        """Put the copy in the place of the database, whose later contents are lost."""
        if self._url.startswith("sqlite:///"):
            path = Path(self._url.removeprefix("sqlite:///"))
            for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                each.unlink(missing_ok=True)
            await asyncio.to_thread(_copied, str(self._file), path)
        else:
            await self._execute(f'DROP DATABASE "{self._name}" WITH (FORCE)')
            await self._execute(f'CREATE DATABASE "{self._name}" TEMPLATE {self._copy}')

    async def drop(self) -> None:
        if not self._url.startswith("sqlite:///"):
            await self._execute(f"DROP DATABASE IF EXISTS {self._copy} WITH (FORCE)")

    async def _execute(self, sql: str) -> None:
        connection = await asyncpg.connect(database_at(self._url, "postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


class KeysCopy:
    """A copy of the store of keys as it is now, to put in its place later."""

    def __init__(self, site: Site, profile: Profile) -> None:
        self._bucket = profile.key_bucket
        self._folder = site.folder / "data" / "plugins" / "local_keys" / "keys"
        self._objects = (
            {path.relative_to(self._folder).as_posix(): path.read_bytes() for path in self._folder.rglob("*.*")}
            if self._bucket is None
            else self._bucket.contents()
        )
        assert self._objects

    def restore(self) -> None:
        """What was not there then is gone."""
        if self._bucket is not None:
            self._bucket.empty()
            self._bucket.fill(self._objects)
            return
        for path in self._folder.rglob("*.*"):
            path.unlink()
        for name, data in self._objects.items():
            path = self._folder / name
            path.write_bytes(data)
            path.chmod(0o600)


def _copied(source: str, target: Path) -> None:
    with sqlite3.connect(source) as opened, sqlite3.connect(target) as copy:
        opened.backup(copy)
    opened.close()
    copy.close()

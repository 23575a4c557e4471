"""A backup of the database, made while the canary lived and restored beside the site when it is gone: the journal is replayed
over it as before any start, and then it is searched.

The copy has everybody's rows in it, as every backup has. It is made in a folder, or an empty PostgreSQL database, that is given up
in the end, and of objects it has the canary's own alone.
"""

from __future__ import annotations

import base64
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from statuette.errors import ConfigurationError
from statuette.kernel.backup.making import copy_database
from statuette.kernel.db.database import Transaction
from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import migrate
from statuette.kernel.drill.databases import PostgresRows, SqliteFiles, SqliteRows
from statuette.kernel.drill.places import Place
from statuette.kernel.drill.stores import Folder, Touched
from statuette.kernel.platform import Platform
from statuette.kernel.settings import Settings

NAME = "restored copy"
_PLUGINS = ("local", "local_keys", "console")
_SEGMENTS_SINCE = timedelta(hours=2)
_ANY = (
    "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1"
)


class Copy:
    """One copy.

    Args:
        scratch: a folder of its own, emptied by whoever gave it.
        target_url: an empty PostgreSQL database, for a deployment that has its data on one.
    """

    def __init__(self, platform: Platform, scratch: Path, touched: Touched, *, target_url: str | None) -> None:
        self._platform = platform
        self._scratch = scratch
        self._touched = touched
        self._file = scratch / "data" / "statuette.db"
        self._url = target_url or f"sqlite:///{self._file}"
        self._objects: dict[str, bytes] = {}

    @property
    def places(self) -> list[Place]:
        """Where it is."""
        if not self._url.startswith("sqlite:///"):
            rows: list[Place] = [PostgresRows(self._url, f"{NAME}: database")]
            without: list[Path] = []
        else:
            rows = [
                SqliteRows(self._file, f"{NAME}: database"),
                SqliteFiles(self._file, f"{NAME}: database files"),
            ]
            without = [self._file]
        return [*rows, Folder(self._scratch, self._touched, without=without, name=f"{NAME}: folder")]

    async def make(self, prefixes: tuple[str, ...]) -> None:
        """Copy the database as it is now, and the objects below the prefixes. Raises `ConfigurationError`."""
        (self._scratch / "data").mkdir(mode=0o700)
        source = self._platform.settings.database_url
        if source.startswith("sqlite:///"):
            copy_database(Path(source.removeprefix("sqlite:///")), self._file)
        else:
            await _copy_postgres(source, self._url, self._scratch)
        storage = self._platform.plugins.storage
        for prefix in prefixes:
            async for found in storage.list(prefix):
                self._objects[found.key] = await storage.read(found.key)
        async with _composed(self._settings(), self._platform) as restored:
            for key, data in self._objects.items():
                await restored.plugins.storage.put(key, data, media_type="application/octet-stream")

    async def replay(self, since: datetime) -> int:
        """Do over it what the journal says, as the start of a restored site does; returns how many records went again."""
        from statuette.kernel.running import caught_up

        journal = self._platform.journal
        async with _composed(self._settings(), self._platform) as restored:
            async for place in journal.places(since - _SEGMENTS_SINCE):
                data = await journal.storage.read(place.key)
                await restored.plugins.storage.put(place.key, data, media_type="application/json")
            replayed = await caught_up(restored, done=_nothing)
        async with _composed(self._settings(), self._platform) as restored:
            await _sealed(restored)
        return replayed.erased

    def _settings(self) -> Settings:
        """Of a deployment that has nothing in common with the real one but its database's contents and its master key."""
        settings = self._platform.settings
        return msgspec.structs.replace(
            settings,
            profile="embedded",
            data_dir=self._scratch / "data",
            database_url=self._url,
            redis_url=None,
            storage="local",
            journal_storage=None,
            key_store="local_keys",
            mailer="console",
            allowed_plugins=tuple(dict.fromkeys((*settings.allowed_plugins, *_PLUGINS))),
            plugin_tables={},
            master_key=base64.b64encode(self._platform.secret).decode(),
            master_key_file=None,
        )


class _composed:  # noqa: N801 - reads as the verb it is
    """A platform over the copy, its plugins without any setting of the real ones."""

    def __init__(self, settings: Settings, original: Platform) -> None:
        self._settings = settings
        self._clock = original.clock

    async def __aenter__(self) -> Platform:
        from statuette.kernel.app import compose
        from statuette.kernel.plugins import PluginRegistry

        plugins = PluginRegistry.load(self._settings, self._clock, environment={})
        self._plugins = plugins
        return compose(self._settings, self._clock, plugins)

    async def __aexit__(self, *_: object) -> None:
        await self._plugins.aclose()


async def _sealed(restored: Platform) -> None:
    """Give the receipts their places, as the scheduler does within a second of a start: then nothing names the account."""
    await restored.database.open()
    try:
        while await restored.evidence.seal():
            pass
        await restored.evidence.truncate()
    finally:
        await restored.database.close()


async def _nothing(_: Transaction) -> None:
    pass


async def _copy_postgres(source: str, target: str, scratch: Path) -> None:
    """Every row of every table that this version knows, in one snapshot. Raises `ConfigurationError`: the target is in use."""
    import asyncpg

    there = await asyncpg.connect(target)
    try:
        if await there.fetch(
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relname = 'account'"
        ):
            raise ConfigurationError(
                "The database for the restored copy is not empty.", cure="Make a new one, and drop it afterwards."
            )
        engine = engine_for(target)
        await engine.open()
        try:
            await migrate(engine)
        finally:
            await engine.close()
        here = await asyncpg.connect(source)
        try:
            async with here.transaction(isolation="repeatable_read", readonly=True):
                known = {row["name"] for row in await here.fetch(_ANY)}
                for row in await there.fetch(_ANY):
                    if row["name"] in known:
                        await _copy_table(here, there, row["name"], scratch)
        finally:
            await here.close()
    finally:
        await there.close()


async def _copy_table(here: Any, there: Any, table: str, scratch: Path) -> None:
    columns = [
        row["attname"]
        for row in await there.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped", table
        )
    ]
    await there.execute(f"DELETE FROM {table}")
    with tempfile.TemporaryFile(dir=scratch) as file:
        await here.copy_from_table(table, output=file, columns=columns, format="binary")
        file.seek(0)
        await there.copy_to_table(table, source=file, columns=columns, format="binary")

"""Databases as they are: every table that the engine itself knows of, not those that the platform does; and SQLite's files."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from statuette.kernel.drill.places import Place, Seen, Tally, pieces
from statuette.kernel.drill.search import Search

_ROWS_AT_ONCE = 500
_TABLES = (
    "SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relname AS short FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'm', 'p') AND NOT c.relispartition"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'"
    " AND n.nspname NOT LIKE 'pg_temp%' ORDER BY 1"
)


class SqliteRows(Place):
    """Every row of every table of a SQLite database."""

    unit = "rows"

    def __init__(self, path: Path, name: str = "database") -> None:
        self.name = name
        self._path = path

    async def searched(self, search: Search) -> Seen:
        return await asyncio.to_thread(self._searched, search)

    def _searched(self, search: Search) -> Seen:
        tally = Tally(search)
        with contextlib.closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as opened:
            opened.text_factory = bytes
            tables = [
                name.decode() for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            for table in tables:
                rows = opened.execute(f'SELECT * FROM "{table}"')
                columns = [column[0] for column in rows.description]
                while some := rows.fetchmany(_ROWS_AT_ONCE):
                    _take(tally, table, columns, some)
        return tally.end()


class PostgresRows(Place):
    """Every row of every table of a PostgreSQL database, in one snapshot."""

    unit = "rows"

    def __init__(self, url: str, name: str = "database") -> None:
        self.name = name
        self._url = url

    async def searched(self, search: Search) -> Seen:
        import asyncpg

        tally = Tally(search)
        connection = await asyncpg.connect(self._url)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                for table in await connection.fetch(_TABLES):
                    cursor = await connection.cursor(f"SELECT * FROM {table['name']}")
                    while some := await cursor.fetch(_ROWS_AT_ONCE):
                        _take(tally, table["short"], list(some[0].keys()), [tuple(row.values()) for row in some])
        finally:
            await connection.close()
        return tally.end()


class SqliteFiles(Place):
    """The bytes of a SQLite database's files: what was deleted and is not overwritten is in there, too."""

    unit = "files"

    def __init__(self, path: Path, name: str = "database files") -> None:
        self.name = name
        self._path = path

    async def searched(self, search: Search) -> Seen:
        return await asyncio.to_thread(self._searched, search)

    def _searched(self, search: Search) -> Seen:
        tally = Tally(search)
        for suffix in ("", "-wal", "-shm", "-journal"):
            path = self._path.with_name(self._path.name + suffix)
            with contextlib.suppress(FileNotFoundError):
                tally.stream(path.name, pieces(path))
                tally.items += 1
        return tally.end()


def database_places(url: str) -> list[Place]:
    """Where the data of a database is."""
    if not url.startswith("sqlite:///"):
        return [PostgresRows(url)]
    path = Path(url.removeprefix("sqlite:///"))
    return [SqliteRows(path), SqliteFiles(path)]


def _take(tally: Tally, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    for row in rows:
        tally.items += 1
        for column, value in zip(columns, row, strict=True):
            if isinstance(value, bytes):
                tally.value(f"{table}.{column}", value)
            elif value is not None and not isinstance(value, int | float):
                tally.value(f"{table}.{column}", str(value).encode())

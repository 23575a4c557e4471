"""The two Piccolo engines, tuned, with a pool each.

SQLite: one connection writes, a few read; WAL, so that readers never wait. PostgreSQL: an asyncpg pool that belongs to
the running event loop. Both hand out raw driver connections through `writing()` and `reading()`; Piccolo itself uses
the engines for migrations.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiosqlite
import asyncpg
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine, TransactionType, dict_factory

from statuette.kernel.db.sql import numbered

# FULL: a commit survives a power cut. secure_delete: deleted rows are overwritten, in the file and, after the
# truncating checkpoint, in the log. busy_timeout: a command line process may hold the write lock for a moment.
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA cache_size = -16000",
)
_READERS = 3


class Connection(Protocol):
    """A driver connection behind one face: named parameters in, dictionaries out."""

    async def fetch(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]: ...


class SQLiteConnection:
    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.raw = connection

    async def fetch(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return list(await self.raw.execute_fetchall(sql, parameters))  # type: ignore[arg-type]


class PostgresConnection:
    def __init__(self, connection: asyncpg.pool.PoolConnectionProxy) -> None:
        self.raw = connection

    async def fetch(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        statement, names = numbered(sql)
        return [dict(row) for row in await self.raw.fetch(statement, *[parameters[name] for name in names])]


class TunedSQLite(SQLiteEngine):
    """SQLite with WAL, immediate transactions, one persistent writer and a few readers."""

    __slots__ = ("_path", "_readers", "_write_lock", "_writer")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: aiosqlite.Connection | None = None
        self._readers: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self._write_lock = asyncio.Lock()
        super().__init__(path=str(path))

    async def get_connection(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(**self.connection_kwargs)
        connection.row_factory = dict_factory  # type: ignore[assignment]
        for pragma in _PRAGMAS:
            await connection.execute(pragma)
        return connection

    def transaction(
        self, transaction_type: TransactionType = TransactionType.immediate, allow_nested: bool = True
    ) -> Any:
        return super().transaction(transaction_type, allow_nested)

    async def open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._writer = await self.get_connection()
        self._path.chmod(0o600)
        for _ in range(_READERS):
            self._readers.put_nowait(await self.get_connection())

    async def close(self) -> None:
        while not self._readers.empty():
            await self._readers.get_nowait().close()
        if self._writer is not None:
            await self._writer.close()
            self._writer = None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SQLiteConnection]:
        async with self._write_lock:
            assert self._writer is not None, "the database is not open"
            connection = self._writer
            await connection.execute("BEGIN IMMEDIATE")
            try:
                yield SQLiteConnection(connection)
                await connection.execute("COMMIT")
            except BaseException:
                # Shielded: a cancelled request must not leave its transaction open for the next one.
                await asyncio.shield(_rolled_back(connection))
                raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SQLiteConnection]:
        connection = await self._readers.get()
        try:
            yield SQLiteConnection(connection)
        finally:
            self._readers.put_nowait(connection)

    async def truncate_log(self) -> bool:
        """Write the log back and cut it, so that deleted rows are gone from disk; False while a reader is in the way."""
        async with self._write_lock:
            assert self._writer is not None, "the database is not open"
            rows = list(await self._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)"))
            return bool(rows) and next(iter(rows[0].values())) == 0  # type: ignore[attr-defined]


async def _rolled_back(connection: aiosqlite.Connection) -> None:
    if connection.in_transaction:
        await connection.execute("ROLLBACK")


class TunedPostgres(PostgresEngine):
    """PostgreSQL with a pool of the running loop and time limits on every statement."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._pool_size = pool_size
        self._pool: asyncpg.Pool | None = None
        self._settings = {
            "timezone": "UTC",
            "statement_timeout": "15s",
            "lock_timeout": "10s",
            "idle_in_transaction_session_timeout": "30s",
            "application_name": "statuette",
        }
        super().__init__(config={"dsn": url, "server_settings": self._settings})

    async def check_version(self) -> None:
        """Not asked while constructing: the constructor does no I/O. `open` fails clearly instead."""

    async def prep_database(self) -> None:
        """No extensions are needed."""

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self.config["dsn"],
            min_size=1,
            max_size=self._pool_size,
            server_settings=self._settings,
            timeout=10,
            reset=_reset,
        )

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[PostgresConnection]:
        assert self._pool is not None, "the database is not open"
        async with self._pool.acquire() as connection, connection.transaction():
            yield PostgresConnection(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[PostgresConnection]:
        assert self._pool is not None, "the database is not open"
        async with self._pool.acquire() as connection:
            yield PostgresConnection(connection)

    async def truncate_log(self) -> bool:
        """Nothing to do: dead rows last until vacuum."""
        return True


async def _reset(connection: Any) -> None:
    """Nothing we do leaves session state behind but an open transaction, so only that is worth a round trip."""
    if connection.is_in_transaction():
        await connection.reset()


TunedEngine = TunedSQLite | TunedPostgres


def engine_for(url: str) -> TunedEngine:
    """The engine for `sqlite:///path` or `postgresql://…`."""
    if url.startswith("sqlite:///"):
        return TunedSQLite(Path(url.removeprefix("sqlite:///")))
    return TunedPostgres(url)


__all__: Sequence[str] = ["Connection", "TunedEngine", "TunedPostgres", "TunedSQLite", "engine_for"]

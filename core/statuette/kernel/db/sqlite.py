"""SQLite, tuned: one connection writes, a few read; WAL, so that readers never wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from piccolo.engine.sqlite import SQLiteEngine, TransactionType, dict_factory

from statuette.kernel import telemetry
from statuette.kernel.db.errors import mapped

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


class SQLiteConnection:
    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.raw = connection

    async def fetch(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        with _translated():
            return list(await self.raw.execute_fetchall(sql, parameters))  # type: ignore[arg-type]


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
        with _translated():
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

    async def leave_loop(self) -> None:
        """Nothing here belongs to one event loop: the profile that uses SQLite has no other."""

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SQLiteConnection]:
        began = time.monotonic()
        async with self._write_lock:
            telemetry.connection_wait_seconds.record(time.monotonic() - began)
            assert self._writer is not None, "the database is not open"
            connection = self._writer
            try:
                with _translated():
                    await connection.execute("BEGIN IMMEDIATE")
                yield SQLiteConnection(connection)
                with _translated():
                    await connection.execute("COMMIT")
            except BaseException:
                # Shielded: a cancelled request must not leave its transaction open for the next one.
                await asyncio.shield(_rolled_back(connection))
                raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SQLiteConnection]:
        began = time.monotonic()
        connection = await self._readers.get()
        telemetry.connection_wait_seconds.record(time.monotonic() - began)
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
    # In the connection's own thread, behind what was cancelled: a BEGIN may still be on its way. Where none is, it does nothing.
    await connection.rollback()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if (ours := mapped(error)) is not None:
            raise ours from error
        raise

"""PostgreSQL, tuned: time limits on everything, and failures survived where nothing can have happened twice.

As long as nothing of the work was sent (no connection, BEGIN on one that turns out to be dead, a server that takes no writes)
another connection is tried for some seconds. A SELECT outside of a transaction is sent again once. What breaks later is the
caller's: `Database.run` runs the whole transaction again, unless COMMIT was under way.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine

from statuette.errors import StatuetteError
from statuette.kernel import telemetry
from statuette.kernel.db.errors import (
    CommitOutcomeUnknown,
    ConnectionLost,
    DatabaseReadOnly,
    DatabaseUnavailable,
    mapped,
)
from statuette.kernel.db.pools import LoopPools
from statuette.kernel.db.sql import numbered

_SESSION = {
    "timezone": "UTC",
    "statement_timeout": "15s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "application_name": "statuette",
}
# A migration may take long, but what it waits for, the whole site waits for behind it.
_MIGRATION_SESSION = {**_SESSION, "statement_timeout": "0", "lock_timeout": "2s"}
_COMMAND_SECONDS = 20.0
_PATIENCE_SECONDS = 5.0
_BEGIN_SECONDS = 2.0
_ROLLBACK_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 0.5

Held = asyncpg.pool.PoolConnectionProxy


class PostgresConnection:
    def __init__(self, connection: Held) -> None:
        self.raw = connection

    async def fetch(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        statement, names = numbered(sql)
        try:
            rows = await self.raw.fetch(statement, *[parameters[name] for name in names])
        except Exception as error:
            ours = _told(error, self.raw)
            if ours is None:
                raise
            raise ours from error
        return [dict(row) for row in rows]


class TunedPostgres(PostgresEngine):
    """PostgreSQL with pools of our own; Piccolo itself uses it for migrations, on connections of its own.

    Args:
        pool_size: the most connections that one event loop keeps.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.pools = LoopPools(
            url, pool_size, _SESSION, connect_seconds=_PATIENCE_SECONDS, command_seconds=_COMMAND_SECONDS
        )
        super().__init__(
            config={"dsn": url, "server_settings": _MIGRATION_SESSION, "target_session_attrs": "read-write"}
        )

    async def check_version(self) -> None:
        """Not asked while constructing: the constructor does no I/O. `open` fails clearly instead."""

    async def prep_database(self) -> None:
        """No extensions are needed."""

    async def open(self) -> None:
        """Raises `DatabaseUnavailable` when no server answers."""
        self.pools.open()
        async with self.reading() as connection:
            await connection.fetch("SELECT 1 AS one", {})

    async def close(self) -> None:
        await self.pools.close()

    async def leave_loop(self) -> None:
        """Close what belongs to the running event loop, which ends before the process does."""
        await self.pools.leave_loop()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[PostgresConnection]:
        pool = await self.pools.of_this_loop()
        connection = await _held(pool, begin=True)
        try:
            yield PostgresConnection(connection)
            await _commit(connection)
        except BaseException as error:
            if isinstance(error, DatabaseReadOnly):
                await pool.expire_connections()  # the others lead to the same server
                _cut(connection)
            # Shielded: a cancelled request must not leave its transaction open for the next one.
            await asyncio.shield(_rolled_back(connection))
            raise
        finally:
            await _released(pool, connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[PostgresConnection]:
        pool = await self.pools.of_this_loop()
        reading = _Reading(pool, await _held(pool))
        try:
            yield reading
        finally:
            await _released(pool, reading.raw)

    async def truncate_log(self) -> bool:
        """Nothing to do: dead rows last until vacuum."""
        return True


class _Reading(PostgresConnection):
    """Statements outside of transactions. A SELECT whose connection breaks is sent again, once, over another."""

    def __init__(self, pool: asyncpg.Pool, connection: Held) -> None:
        super().__init__(connection)
        self._pool = pool

    async def fetch(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            return await super().fetch(sql, parameters)
        except ConnectionLost:
            if not sql.startswith("SELECT"):
                raise
        _cut(self.raw)
        await _released(self._pool, self.raw)
        await self._pool.expire_connections()  # those that are as old are gone, too
        self.raw = await _held(self._pool)
        return await super().fetch(sql, parameters)


async def _held(pool: asyncpg.Pool, *, begin: bool = False) -> Held:
    """A connection of the pool, with `begin` in an open transaction that can write. Tries for `_PATIENCE_SECONDS`."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _PATIENCE_SECONDS
    pause = 0.0
    while True:
        try:
            connection = await _acquired(pool, until - loop.time())
            return await _begun(pool, connection) if begin else connection
        except DatabaseUnavailable:
            if loop.time() + pause >= until:
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads a crowd, hides nothing
        pause = min(_LONGEST_PAUSE_SECONDS, max(_FIRST_PAUSE_SECONDS, 2 * pause))


async def _acquired(pool: asyncpg.Pool, seconds: float) -> Held:
    began = time.monotonic()
    try:
        connection: Held = await pool.acquire(timeout=max(0.001, seconds))
    except TimeoutError as error:
        raise DatabaseUnavailable(
            "No connection to the database became free in time.",
            cure="If the database is well, allow more connections (`database_pool_size`) or send less at once.",
        ) from error
    except Exception as error:
        if mapped(error, closed=pool.is_closing()) is None:
            raise
        raise DatabaseUnavailable() from error
    finally:
        telemetry.connection_wait_seconds.record(time.monotonic() - began)
    return connection


async def _begun(pool: asyncpg.Pool, connection: Held) -> Held:
    """Begin a transaction; if that fails, the connection is gone, and so are those that are as old."""
    try:
        await connection.execute("BEGIN", timeout=_BEGIN_SECONDS)
        if _takes_no_writes(connection):
            raise DatabaseReadOnly()
    except BaseException as error:
        ours = _told(error, connection)
        _cut(connection)
        await _released(pool, connection)
        await pool.expire_connections()
        if ours is None:
            raise
        raise ours from error
    return connection


def _takes_no_writes(connection: Held) -> bool:
    """What the server has told by now without being asked: PostgreSQL reports these two whenever they change."""
    settings = connection.get_settings()
    return "on" in (
        getattr(settings, "in_hot_standby", "off"),
        getattr(settings, "default_transaction_read_only", "off"),
    )


async def _commit(connection: Held) -> None:
    if _is_closed(connection):
        raise ConnectionLost()
    try:
        status = await connection.execute("COMMIT")
    except Exception as error:
        ours = _told(error, connection)
        if isinstance(ours, DatabaseUnavailable):
            _cut(connection)
            raise CommitOutcomeUnknown() from error
        if ours is None:
            raise
        raise ours from error
    if status != "COMMIT":
        raise RuntimeError("A statement of the transaction failed and nobody was told: it was rolled back.")


async def _rolled_back(connection: Held) -> None:
    try:
        async with asyncio.timeout(_ROLLBACK_SECONDS):
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK")
    except Exception:  # whatever it is, the server rolls back when the connection is gone
        _cut(connection)


async def _released(pool: asyncpg.Pool, connection: Held) -> None:
    """Give it back, whatever comes of that. One whose server does not even answer that a statement is cancelled is closed;
    nobody hears of it, least of all instead of the cancellation."""
    with suppress(Exception):
        await pool.release(connection, timeout=_ROLLBACK_SECONDS)


def _told(error: BaseException, connection: Held) -> StatuetteError | None:
    """The error of ours. A connection whose server did not answer in time is not used again."""
    if isinstance(error, StatuetteError):
        return error
    if isinstance(error, TimeoutError):
        _cut(connection)
    return mapped(error, closed=_is_closed(connection))


def _is_closed(connection: Held) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.exceptions.InterfaceError:  # it broke, and the pool has taken it back
        return True


def _cut(connection: Held) -> None:
    with suppress(asyncpg.exceptions.InterfaceError):
        connection.terminate()

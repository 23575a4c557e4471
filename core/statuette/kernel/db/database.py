"""Transactions and reads.

A flow opens a transaction, services and repositories get it as their first argument and never commit. What has to
happen after the commit (send a message, wake a watcher) is handed to `after_commit` and never runs after a rollback.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import msgspec
from piccolo.table import Table

from statuette.kernel.db.engines import Connection, TunedEngine, TunedPostgres
from statuette.kernel.db.errors import (
    ConnectionLost,
    DatabaseReadOnly,
    DatabaseUnavailable,
    SerializationFailure,
    UnstorableText,
)
from statuette.kernel.db.sql import insert_statement
from statuette.values import Clock, new_id

Row = TypeVar("Row", bound=msgspec.Struct)
Result = TypeVar("Result")
_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Reader:
    """Runs statements and turns rows into structs. Times read and written are aware; a naive one is a bug and raises.

    Every method raises `UnstorableText` for a parameter with the character NUL.
    """

    def __init__(self, connection: Connection, now: datetime, *, postgres: bool) -> None:
        self._connection = connection
        self.now = now
        self.postgres = postgres

    async def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        for name, value in parameters.items():
            if isinstance(value, str):
                if "\0" in value:
                    raise UnstorableText()
            elif isinstance(value, datetime) and value.tzinfo is None:
                raise TypeError(f"The parameter {name!r} is a naive datetime; times carry their zone.")
        return await self._connection.fetch(sql, parameters)

    async def all(self, row: type[Row], sql: str, **parameters: Any) -> list[Row]:
        return msgspec.convert(await self.rows(sql, **parameters), list[row], strict=False)  # type: ignore[valid-type]

    async def one(self, row: type[Row], sql: str, **parameters: Any) -> Row | None:
        """The first row, or None."""
        found = await self.rows(sql, **parameters)
        return msgspec.convert(found[0], row, strict=False) if found else None

    async def value(self, sql: str, **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        found = await self.rows(sql, **parameters)
        return next(iter(found[0].values())) if found else None


class Transaction(Reader):
    """An open transaction. `now` is one moment for all of it."""

    def __init__(self, connection: Connection, now: datetime, *, postgres: bool) -> None:
        super().__init__(connection, now, postgres=postgres)
        self._at_end: list[Callable[[], Awaitable[None]]] = []
        self._after_commit: list[Callable[[], Awaitable[None]]] = []
        self.told: dict[str, list[Any]] = {}

    @property
    def for_update(self) -> str:
        """Ends a SELECT whose rows nobody else may change before this transaction is over. SQLite's has the database to itself."""
        return " FOR UPDATE" if self.postgres else ""

    def new_id(self, prefix: str) -> str:
        return new_id(prefix, self.now)

    async def execute(self, sql: str, **parameters: Any) -> None:
        await self.rows(sql, **parameters)

    async def changed(self, sql: str, **parameters: Any) -> bool:
        """Run an UPDATE or DELETE with RETURNING; whether any row met its condition."""
        return bool(await self.rows(sql, **parameters))

    async def insert(self, table: type[Table], **values: Any) -> None:
        """Insert one row. Raises `UniqueViolation`."""
        await self.rows(insert_statement(table._meta.tablename, tuple(values), False), **values)

    async def insert_new(self, table: type[Table], **values: Any) -> bool:
        """Insert one row unless its key exists; whether it was inserted. Waits for a concurrent one on PostgreSQL."""
        return bool(await self.rows(insert_statement(table._meta.tablename, tuple(values), True), **values))

    def at_end(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Run as the last thing before the commit: for a row that many transactions write, so that each locks it for a moment."""
        self._at_end.append(callback)

    async def run_at_end(self) -> None:
        for callback in self._at_end:
            await callback()

    def after_commit(self, callback: Callable[[], Awaitable[None]]) -> None:
        self._after_commit.append(callback)

    def tell(self, topic: str, item: Any) -> None:
        """After the commit, hand `item` to whoever listens to `topic` on this database; all of a topic together."""
        self.told.setdefault(topic, []).append(item)

    async def run_after_commit(self) -> None:
        for callback in self._after_commit:
            try:
                await callback()
            except Exception:  # the work is committed; the scheduler repeats what a callback did not do
                _log.exception("after_commit_failed")


class Database:
    """One database behind either engine."""

    def __init__(self, engine: TunedEngine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.postgres = isinstance(engine, TunedPostgres)
        self._listeners: dict[str, Callable[[list[Any]], Awaitable[None]]] = {}

    def listen(self, topic: str, listener: Callable[[list[Any]], Awaitable[None]]) -> None:
        """Have `listener` called with what transactions told of `topic`, once they are committed, before their end returns."""
        self._listeners[topic] = listener

    async def open(self) -> None:
        """Raises `DatabaseUnavailable`."""
        await self.engine.open()

    async def close(self) -> None:
        """Close everything, on whatever event loop it is."""
        await self.engine.close()

    async def leave_loop(self) -> None:
        """Close what belongs to the running event loop, for one that ends before the process does."""
        await self.engine.leave_loop()

    async def run(
        self, work: Callable[[Transaction], Awaitable[Result]], *, patience: timedelta = timedelta(0)
    ) -> Result:
        """Run `work` in a transaction, and again, a few times, when the database could not see it through.

        `work` may therefore run several times: it does nothing but on its transaction. When nobody can tell whether COMMIT
        was carried out it is not run again.

        Args:
            patience: for so long a database that is away is waited for, beyond the seconds that every transaction waits.

        Raises:
            What `transaction` raises, when trying again did not help.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + patience.total_seconds()
        for attempt in itertools.count(1):
            begun = False
            try:
                async with self.transaction() as tx:
                    begun = True
                    return await work(tx)
            except (SerializationFailure, DatabaseUnavailable) as error:
                # Before the transaction began, its engine has tried for long enough.
                broken_off = begun and isinstance(error, SerializationFailure | ConnectionLost | DatabaseReadOnly)
                if not (broken_off and attempt < _ATTEMPTS) and loop.time() >= until:
                    raise
                _log.info("transaction_again", extra={"facts": {"code": error.code, "attempt": attempt}})
            pause_seconds = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            await asyncio.sleep(pause_seconds * random.uniform(0.5, 1.0))  # noqa: S311 - lets two that collided part
        raise AssertionError("the last attempt returns or raises")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit when the block ends, roll back when it raises, then run what was handed to `after_commit`.

        Raises:
            DatabaseUnavailable, SerializationFailure: retryable; nothing was written.
            CommitOutcomeUnknown: the connection broke during COMMIT.
        """
        async with self.engine.writing() as connection:
            tx = Transaction(connection, self.clock.now(), postgres=self.postgres)
            yield tx
            await tx.run_at_end()
        for topic, items in tx.told.items():
            if topic in self._listeners:
                tx.after_commit(partial(self._listeners[topic], items))
        await tx.run_after_commit()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Reader]:
        """Statements outside of a transaction, each seeing what is committed. Raises `DatabaseUnavailable`."""
        async with self.engine.reading() as connection:
            yield Reader(connection, self.clock.now(), postgres=self.postgres)

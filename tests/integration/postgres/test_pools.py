"""A pool for each event loop: bounded, independent of the others, closed with them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from statuette.kernel.db import postgres as engine
from statuette.kernel.db.database import Database
from statuette.kernel.db.errors import DatabaseUnavailable
from tests.integration.postgres.conftest import Opened, numbers


async def backend(database: Database) -> int:
    """The process of the server that serves a transaction of the running loop."""
    async with database.transaction() as tx:
        return int(await tx.value("SELECT pg_backend_pid() AS pid"))


async def backends(database: Database) -> int:
    """How many connections the server has with this database, one that asks included."""
    async with database.read() as reader:
        return int(await reader.value("SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database()"))


async def until_backends(database: Database, number: int) -> None:
    """Wait until so many are left: a server notices a moment later that a connection was closed."""
    async with asyncio.timeout(10):
        while await backends(database) != number:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


async def in_another_loop(work: Callable[[], Awaitable[int]]) -> int:
    """Run `work` in an event loop of its own, in a thread of its own, as a worker does."""
    return await asyncio.to_thread(lambda: asyncio.run(_only(work)))


async def _only(work: Callable[[], Awaitable[int]]) -> int:
    return await work()


async def test_two_loops_in_two_threads_use_one_database_at_the_same_time(database: Database) -> None:
    # Given two loops that meet in the middle of a transaction each
    meet = threading.Barrier(2, timeout=10)

    async def count_up(who: str) -> int:
        for number in range(50):
            async with database.transaction() as tx:
                if number == 25:
                    await asyncio.to_thread(meet.wait)
                await tx.execute(
                    "INSERT INTO note (id, number) VALUES (:id, 1)"
                    " ON CONFLICT (id) DO UPDATE SET number = note.number + 1",
                    id=who,
                )
        return await backend(database)

    async def elsewhere() -> int:
        try:
            return await count_up("worker")
        finally:
            await database.leave_loop()

    # When both work
    here, there = await asyncio.gather(count_up("server"), in_another_loop(elsewhere))

    # Then each did over a connection of its own, and the loop that left took its connections along
    assert await numbers(database) == {"server": 50, "worker": 50}
    assert here != there
    assert len(database.engine.pools._pools) == 1  # type: ignore[union-attr]
    await until_backends(database, 1)


async def test_closing_the_database_closes_the_pool_of_a_loop_that_still_runs(
    database: Database, notes: str, opened: Opened
) -> None:
    # Given a loop in another thread that has used the database and goes on running
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(backend(database), loop).result(timeout=10)
        assert await backends(database) == 2

        # When the database is closed from here
        await database.close()

        # Then nobody is connected any more, and neither loop can go on
        watcher = opened(notes)
        await watcher.open()
        await until_backends(watcher, 1)
        with pytest.raises(DatabaseUnavailable):
            asyncio.run_coroutine_threadsafe(backend(database), loop).result(timeout=10)
        with pytest.raises(DatabaseUnavailable):
            await backend(database)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def test_a_pool_has_no_more_connections_than_it_may(notes: str, opened: Opened) -> None:
    # Given a pool of three
    database = opened(notes, pool_size=3)
    await database.open()

    # When forty transactions want to run at once
    used = await asyncio.gather(*(backend(database) for _ in range(40)))

    # Then all run, over three connections
    assert len(set(used)) <= 3
    assert await backends(database) <= 3


async def test_who_waits_for_a_connection_in_vain_is_told_and_the_next_one_is_served(
    notes: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a pool whose every connection is in use
    monkeypatch.setattr(engine, "_PATIENCE_SECONDS", 0.3)
    database = opened(notes, pool_size=2)
    await database.open()
    all_held, release = asyncio.Barrier(3), asyncio.Event()
    held: list[int] = []

    async def hold() -> None:
        async with database.transaction() as tx:
            held.append(await tx.value("SELECT pg_backend_pid() AS pid"))
            await all_held.wait()
            await release.wait()

    holding = [asyncio.create_task(hold()) for _ in range(2)]
    await all_held.wait()

    # When two more want one
    for wanted in (database.read, database.transaction):
        with pytest.raises(DatabaseUnavailable) as refused:
            async with wanted():
                raise AssertionError("there is no connection left")
        # Then they hear so soon, and what to do
        assert refused.value.retryable and "database_pool_size" in str(refused.value)

    # And as soon as one is free the next is served
    waiting = asyncio.create_task(backend(database))
    release.set()
    assert await waiting in held
    await asyncio.gather(*holding)


async def test_every_connection_carries_the_time_limits(database: Database) -> None:
    async with database.read() as reader:
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            assert await reader.value(f"SHOW {limit}") in ("15s", "10s", "30s"), limit
        assert await reader.value("SHOW timezone") == "UTC"

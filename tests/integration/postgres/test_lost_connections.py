"""The server is stopped, restarted, cut off, paused, silent: what nobody notices, and what is told to whom."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from statuette.kernel.db import postgres as engine
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.errors import ConnectionLost, DatabaseUnavailable
from statuette.testing.servers import PostgresServer
from tests.integration.postgres.conftest import Opened, numbers
from tests.integration.postgres.proxy import network
from tests.integration.road.faults import until


async def add(tx: Transaction, name: str) -> None:
    await tx.execute("INSERT INTO note (id) VALUES (:id)", id=name)


async def warmed(database: Database, connections: int = 4) -> None:
    """Fill the pool."""
    meet = asyncio.Barrier(connections)

    async def use() -> None:
        async with database.transaction() as tx:
            await tx.value("SELECT 1 AS one")
            await meet.wait()

    await asyncio.gather(*(use() for _ in range(connections)))


async def test_connections_that_were_cut_while_nobody_used_them_are_replaced_unnoticed(
    database: Database, postgres: PostgresServer
) -> None:
    # Given a pool full of connections
    await warmed(database)

    # When the server cuts them all
    await asyncio.to_thread(postgres.cut_connections)

    # Then neither a transaction nor a read notices
    async with database.transaction() as tx:
        await add(tx, "written")
    assert await numbers(database) == {"written": 0}


async def test_connections_that_were_ended_and_not_yet_closed_are_replaced_unnoticed(
    notes: str, opened: Opened, postgres: PostgresServer
) -> None:
    # Given a pool full of connections, over a network that is late with the news of an end
    async with network(notes) as net:
        database = opened(net.url)
        await database.open()
        await warmed(database)
        net.hangs_up = False

        # When the server says goodbye on all of them
        await asyncio.to_thread(postgres.cut_connections)

        # Then neither reads nor transactions notice
        for _ in range(2):
            assert await numbers(database) == {}
        for number in range(2):
            async with database.transaction() as tx:
                await add(tx, f"written-{number}")


async def test_a_restart_of_the_server_is_waited_for(database: Database, postgres: PostgresServer) -> None:
    # Given a server that is away
    await warmed(database)
    await asyncio.to_thread(postgres.stop)

    # When a transaction and a read begin, and then the server comes back
    async def write() -> None:
        async with database.transaction() as tx:
            await add(tx, "written")

    writing, reading = asyncio.create_task(write()), asyncio.create_task(numbers(database))
    await asyncio.to_thread(postgres.start)

    # Then both have only waited
    await writing
    assert await reading in ({}, {"written": 0})
    assert await numbers(database) == {"written": 0}


async def test_a_server_that_stays_away_is_told_within_seconds_and_found_when_it_returns(
    database: Database, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that is killed
    monkeypatch.setattr(engine, "_PATIENCE_SECONDS", 0.5)
    await warmed(database)
    await asyncio.to_thread(postgres.kill)

    # When it is needed
    began = asyncio.get_running_loop().time()
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable) as told:
            async with database.transaction():
                raise AssertionError("there is no server")
        assert type(told.value) is DatabaseUnavailable and told.value.retryable
    with pytest.raises(DatabaseUnavailable):
        await database.run(lambda tx: add(tx, "written"))
    with pytest.raises(DatabaseUnavailable):
        await numbers(database)

    # Then each is told after the same patience, and all is well when it is back
    assert asyncio.get_running_loop().time() - began < 4
    await asyncio.to_thread(postgres.start)
    await database.run(lambda tx: add(tx, "later"))
    assert await numbers(database) == {"later": 0}


async def test_a_transaction_whose_connection_breaks_wrote_nothing_and_says_so(
    database: Database, postgres: PostgresServer
) -> None:
    # Given a transaction that has written
    with pytest.raises(ConnectionLost) as lost:
        async with database.transaction() as tx:
            await add(tx, "first")

            # When the connection breaks in the middle of it
            await asyncio.to_thread(postgres.cut_connections)
            await add(tx, "second")

    # Then whoever tries again may, and nothing was written
    assert lost.value.retryable
    assert await numbers(database) == {}


async def test_a_connection_that_breaks_just_before_commit_leaves_no_doubt(
    database: Database, postgres: PostgresServer
) -> None:
    # Given a transaction whose connection breaks, noticeably, after its last statement
    with pytest.raises(ConnectionLost):
        async with database.transaction() as tx:
            await add(tx, "first")
            await asyncio.to_thread(postgres.cut_connections)
            await until(lambda: noticed(tx))

    # Then COMMIT was never sent, and that is known
    assert await numbers(database) == {}


async def noticed(tx: Transaction) -> bool:
    return engine._is_closed(tx._connection.raw)  # type: ignore[attr-defined]


async def test_run_does_the_whole_transaction_again_when_its_connection_breaks(
    database: Database, postgres: PostgresServer
) -> None:
    # Given work whose connection breaks in its first two attempts
    attempts: list[str] = []
    told: list[str] = []

    async def tell() -> None:
        told.append("committed")

    async def work(tx: Transaction) -> str:
        attempts.append(f"attempt {len(attempts) + 1}")
        tx.after_commit(tell)
        await add(tx, attempts[-1])
        if len(attempts) < 3:
            await asyncio.to_thread(postgres.cut_connections)
        return str(await tx.value("SELECT MAX(id) AS id FROM note"))

    # When it is run
    result = await database.run(work)

    # Then the third attempt counts, once, and what waited for the commit happened once
    assert result == "attempt 3"
    assert await numbers(database) == {"attempt 3": 0}
    assert told == ["committed"]


async def test_run_gives_up_after_some_attempts(database: Database, postgres: PostgresServer) -> None:
    # Given work whose connection breaks every time
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await asyncio.to_thread(postgres.cut_connections)
        await add(tx, "never")

    # When it is run, then it fails in the end
    with pytest.raises(ConnectionLost):
        await database.run(work)
    assert 2 < attempts < 10
    assert await numbers(database) == {}


async def test_a_read_whose_connection_breaks_is_asked_again_and_a_change_is_not(
    database: Database, postgres: PostgresServer
) -> None:
    # Given a SELECT that is under way outside of a transaction
    async def slow_read(sql: str) -> int:
        async with database.read() as reader:
            return int(await reader.value(sql))

    async def cut_while_it_runs(sql: str) -> int:
        reading = asyncio.create_task(slow_read(sql))
        async with database.read() as watcher:

            async def under_way() -> bool:
                return bool(
                    await watcher.value(
                        "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE state = 'active'"
                        " AND query LIKE '%pg_sleep(0.7)%' AND pid <> pg_backend_pid()"
                    )
                )

            await until(under_way)
        await asyncio.to_thread(postgres.cut_connections)
        return await reading

    # When its connection breaks, then it is sent again
    assert await cut_while_it_runs("SELECT 42 AS answer FROM (SELECT pg_sleep(0.7)) slow") == 42

    # And whatever changes something is not, whoever sends it
    with pytest.raises(ConnectionLost):
        await cut_while_it_runs("INSERT INTO note (id) SELECT 'x' FROM (SELECT pg_sleep(0.7)) slow RETURNING number")
    assert await numbers(database) == {}


async def test_connections_that_have_gone_silent_are_found_out_by_begin(
    notes: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a pool whose connections a firewall has forgotten: nothing arrives, nobody is told
    monkeypatch.setattr(engine, "_BEGIN_SECONDS", 0.3)
    async with network(notes) as between:
        database = opened(between.url)
        await database.open()
        await warmed(database)
        between.fall_silent()

        # When transactions begin
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(database.run(lambda tx, name=f"n{n}": add(tx, name)) for n in range(8)))  # type: ignore[misc]

        # Then fresh connections serve them, after one wait and not after one for each dead connection
        assert asyncio.get_running_loop().time() - began < 2
        assert len(await numbers(database)) == 8
        await database.close()


async def test_a_server_that_hangs_is_not_waited_for_without_end(
    notes: str, opened: Opened, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that stops answering in the middle of a transaction
    monkeypatch.setattr(engine, "_COMMAND_SECONDS", 0.5)
    database = opened(notes)
    await database.open()

    # When a statement is sent
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction() as tx:
            await add(tx, "first")
            await asyncio.to_thread(postgres.pause)
            began = asyncio.get_running_loop().time()
            await add(tx, "second")

    # Then it is given up, and nothing was written
    assert asyncio.get_running_loop().time() - began < 5
    await asyncio.to_thread(postgres.resume)
    assert await numbers(database) == {}


@pytest.mark.parametrize("kind", ["read", "transaction"])
async def test_what_is_cancelled_while_the_server_hangs_is_cancelled_within_seconds(
    database: Database, postgres: PostgresServer, kind: str
) -> None:
    # Given statements, one after the other, when the server stops answering
    answered = asyncio.Event()

    async def ask() -> None:
        async with database.read() if kind == "read" else database.transaction() as reader:
            while True:
                await reader.value("SELECT 1 AS one")
                answered.set()

    asking = asyncio.create_task(ask())
    await answered.wait()
    await asyncio.to_thread(postgres.pause)

    # When whoever sends them is cancelled
    began = asyncio.get_running_loop().time()
    asking.cancel()

    # Then that is what comes of it, not some error of the connection, and soon
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert asyncio.get_running_loop().time() - began < 4

    # And the server serves again as soon as it can
    await asyncio.to_thread(postgres.resume)
    assert await numbers(database) == {}


async def test_a_cancelled_request_leaves_no_transaction_open(notes: str, opened: Opened) -> None:
    # Given a pool of two and a request that is in the middle of a statement
    database = opened(notes, pool_size=2)
    await database.open()

    async def request() -> None:
        async with database.transaction() as tx:
            await add(tx, "never")
            await tx.value("SELECT pg_sleep(10)")

    for _ in range(4):
        task = asyncio.create_task(request())
        await asyncio.sleep(0.1)

        # When its client goes away
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    # Then nothing of it is left and the connections serve others
    async with database.read() as reader:
        assert (
            await reader.value(
                "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
                " AND (state LIKE 'idle in transaction%' OR query LIKE '%pg_sleep(10)%' AND state = 'active'"
                " AND pid <> pg_backend_pid())"
            )
            == 0
        )
    assert await numbers(database) == {}


async def test_a_transaction_that_idles_too_long_is_ended_by_the_server_and_may_be_run_again(
    database: Database,
) -> None:
    # Given work that dawdles between two statements, at first
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
        await add(tx, f"attempt {attempts}")
        if attempts == 1:
            await asyncio.sleep(timedelta(milliseconds=400).total_seconds())
        await add(tx, f"attempt {attempts}, later")

    # When it is run, then its second attempt counts
    await database.run(work)
    assert list(await numbers(database)) == ["attempt 2", "attempt 2, later"]

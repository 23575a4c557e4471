"""Statements and locks have their time; transactions that collide are run again."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.errors import DatabaseTooSlow, SerializationFailure, UniqueViolation
from tests.integration.postgres.conftest import numbers


@pytest.fixture
async def two(database: Database) -> Database:
    """Two notes, both 0."""
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO note (id) VALUES ('a'), ('b')")
    return database


async def count_up(tx: Transaction, name: str) -> None:
    await tx.execute("UPDATE note SET number = number + 1 WHERE id = :id", id=name)


async def test_a_statement_that_takes_too_long_ends_and_the_connection_goes_on(two: Database) -> None:
    # Given a limit of a tenth of a second
    with pytest.raises(DatabaseTooSlow):
        async with two.transaction() as tx:
            await tx.execute("SET LOCAL statement_timeout = '100ms'")
            await count_up(tx, "a")

            # When a statement takes longer
            await tx.value("SELECT pg_sleep(5)")

    # Then nothing was written
    assert await numbers(two) == {"a": 0, "b": 0}


async def test_a_lock_that_is_not_free_in_time_is_told_as_retryable(two: Database) -> None:
    # Given a row that another transaction has locked
    async with two.transaction() as holder:
        await count_up(holder, "a")

        # When somebody else wants it and has no time
        with pytest.raises(DatabaseTooSlow) as told:
            async with two.transaction() as tx:
                await tx.execute("SET LOCAL lock_timeout = '100ms'")
                await count_up(tx, "b")
                await count_up(tx, "a")

    # Then only the first one wrote
    assert told.value.retryable
    assert await numbers(two) == {"a": 1, "b": 0}


async def test_two_that_wait_for_each_other_both_finish_when_they_are_run(two: Database) -> None:
    # Given two transactions that lock the same rows in opposite orders, at the same time
    meet = asyncio.Barrier(2)
    attempts = 0

    async def work(tx: Transaction, first: str, second: str) -> None:
        nonlocal attempts
        attempts += 1
        await count_up(tx, first)
        if attempts <= 2:
            await meet.wait()
        await count_up(tx, second)

    # When both are run
    await asyncio.gather(
        two.run(lambda tx: work(tx, "a", "b")),
        two.run(lambda tx: work(tx, "b", "a")),
    )

    # Then the database ended one of them, which was run again: each counted once
    assert attempts == 3
    assert await numbers(two) == {"a": 2, "b": 2}


async def test_what_cannot_be_put_in_an_order_is_run_again(two: Database) -> None:
    # Given two serializable transactions, each of which reads what the other writes
    meet = asyncio.Barrier(2)
    attempts = 0

    async def work(tx: Transaction, read: str, write: str) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        number = await tx.value("SELECT number FROM note WHERE id = :id", id=read)
        if attempts <= 2:
            await meet.wait()
        await tx.execute("UPDATE note SET number = :number WHERE id = :id", number=number + 1, id=write)

    # When both are run
    await asyncio.gather(two.run(lambda tx: work(tx, "a", "b")), two.run(lambda tx: work(tx, "b", "a")))

    # Then the outcome is that of one after the other
    assert attempts > 2
    assert sorted((await numbers(two)).values()) == [1, 2]


async def test_without_run_a_deadlock_is_told_and_nothing_was_written(two: Database) -> None:
    # Given the same two, as plain transactions
    meet = asyncio.Barrier(2)

    async def work(first: str, second: str) -> None:
        async with two.transaction() as tx:
            await count_up(tx, first)
            await meet.wait()
            await count_up(tx, second)

    # When they meet
    outcomes = await asyncio.gather(work("a", "b"), work("b", "a"), return_exceptions=True)

    # Then one of them is told to try again
    assert sorted(type(outcome) for outcome in outcomes if outcome) == [SerializationFailure]
    assert await numbers(two) == {"a": 1, "b": 1}


async def test_a_schema_that_changes_under_a_prepared_statement_is_run_again(two: Database, notes: str) -> None:
    # Given connections that have prepared a statement whose columns are not named
    async def work(tx: Transaction) -> int:
        await count_up(tx, "a")
        return len((await tx.rows("SELECT * FROM note"))[0])

    assert await two.run(work) == 2

    # When a newer version of the platform adds a column
    migrating = await asyncpg.connect(notes)
    await migrating.execute("ALTER TABLE note ADD COLUMN colour text")
    await migrating.close()

    # Then the transaction is run again
    assert await two.run(work) == 3
    assert await numbers(two) == {"a": 2, "b": 0}


async def test_a_failed_statement_that_nobody_was_told_of_is_not_taken_for_a_commit(two: Database) -> None:
    # Given a transaction that goes on after a statement failed, so that the server will answer COMMIT with ROLLBACK
    with pytest.raises(RuntimeError, match="rolled back"):
        async with two.transaction() as tx:
            await count_up(tx, "a")
            with pytest.raises(UniqueViolation):
                await tx.execute("INSERT INTO note (id) VALUES ('b')")

    # Then it is not told to have been done
    assert await numbers(two) == {"a": 0, "b": 0}

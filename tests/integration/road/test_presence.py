"""Work is taken from the dead, from all of them, and from nobody who is alive, whoever looks and whatever was before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple

import pytest

from statuette.kernel.db.database import Database
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.kernel.work.presence import LEASE, Presence
from statuette.kernel.work.queues import INTERACTIVE
from statuette.testing import FrozenClock

SECOND = timedelta(seconds=1)


class Crew(NamedTuple):
    """Processes that beat when they are told to.

    Attributes:
        worker: has two items in hand, `outbox` is its own.
        leader: the scheduler that looks after the dead.
        standby: one that has never had to.
    """

    worker: Presence
    leader: Presence
    standby: Presence
    outbox: Outbox
    claimed: list[Claimed]

    async def beat(self, *silent: Presence) -> None:
        for process in (self.worker, self.leader, self.standby):
            if process not in silent:
                await process.beat()

    async def go_on(self, clock: FrozenClock, seconds: int, *silent: Presence) -> None:
        """Time passes, second by second, while all but the silent ones prove to be alive."""
        for _ in range(seconds):
            clock.advance(SECOND)
            await self.beat(*silent)


@pytest.fixture
async def crew(database: Database, clock: FrozenClock) -> AsyncIterator[Crew]:
    processes = [Presence(database) for _ in range(3)]
    for process, role in zip(processes, ("worker", "scheduler", "scheduler"), strict=True):
        await process.start(role)
        process._beating.cancel()  # type: ignore[union-attr]
    outbox = Outbox(database, processes[0].id)
    async with database.transaction() as tx:
        for subject in ("gen_1", "gen_2"):
            await outbox.put(tx, queue=INTERACTIVE, actor="generate", subject_id=subject)
    async with database.read() as reader:
        items = [row["id"] for row in await reader.rows("SELECT id FROM work_item ORDER BY id")]
    claimed = [found for item in items if (found := await outbox.claim(item)) is not None]
    crew = Crew(*processes, outbox, claimed)
    await crew.go_on(clock, 10)
    yield crew


async def test_the_work_of_a_process_that_fell_silent_is_freed_when_its_time_is_over(
    crew: Crew, clock: FrozenClock
) -> None:
    # Given a worker that is killed while others go on
    await crew.go_on(clock, 5, crew.worker)
    assert await crew.leader.free_the_dead() == 0

    # When its time is over, then its work is free, whichever scheduler looks
    await crew.go_on(clock, 1, crew.worker)
    assert await crew.standby.free_the_dead() == 2
    assert await crew.leader.free_the_dead() == 0


async def test_after_an_outage_of_the_database_nobody_is_taken_for_dead_before_they_could_beat_again(
    crew: Crew, clock: FrozenClock
) -> None:
    # Given a database that was away for longer than anybody is believed to be alive
    clock.advance(2 * LEASE)

    # When it is back, and schedulers look before anybody has beaten, and after they have
    for scheduler in (crew.leader, crew.standby):
        assert await scheduler.free_the_dead() == 0
        await scheduler.beat()
        assert await scheduler.free_the_dead() == 0

    # Then the worker, which comes a moment later, still has its work
    clock.advance(SECOND)
    await crew.worker.beat()
    assert await crew.leader.free_the_dead() == 0
    assert await crew.outbox.held() != []

    # And whoever did not come back is noticed all the same
    await crew.go_on(clock, 7, crew.worker)
    assert await crew.standby.free_the_dead() == 2


async def test_a_scheduler_that_starts_after_an_outage_does_not_bury_the_living(
    database: Database, crew: Crew, clock: FrozenClock
) -> None:
    # Given a database that was away, and a scheduler that starts just when it is back
    clock.advance(2 * LEASE)
    fresh = Presence(database)
    await fresh.start("scheduler")

    # When it looks before the worker has beaten again, then it leaves it alone
    assert await fresh.free_the_dead() == 0
    await fresh.stop()


async def test_who_said_goodbye_is_not_waited_for(database: Database, crew: Crew, clock: FrozenClock) -> None:
    # Given a worker that ended in order, though with work in hand, and a scheduler that has just started
    fresh = Presence(database)
    await fresh.start("scheduler")
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM process WHERE id = :id", id=crew.worker.id)

    # When that looks, then the work is free
    assert await fresh.free_the_dead() == 2
    await fresh.stop()


@pytest.mark.parametrize("profile_name", ["cluster"], indirect=True)
async def test_a_process_that_sleeps_in_a_transaction_keeps_nobody_from_freeing_the_rest(
    database: Database, crew: Crew, clock: FrozenClock
) -> None:
    # Given a worker that sleeps in the middle of a transaction that holds one of its items
    holds, wake = asyncio.Event(), asyncio.Event()

    async def sleep() -> None:
        async with database.transaction() as tx:
            await crew.outbox.hold(tx, crew.claimed[0])
            holds.set()
            await wake.wait()

    sleeping = asyncio.create_task(sleep())
    await holds.wait()

    # When its time is over, then what it does not hold is freed at once, and the rest when it no longer holds it
    await crew.go_on(clock, 7, crew.worker)
    assert await asyncio.wait_for(crew.leader.free_the_dead(), 2) == 1
    wake.set()
    await sleeping
    assert await crew.leader.free_the_dead() == 1

"""What the scheduler does when more has piled up than one run of a duty takes."""

from __future__ import annotations

from datetime import timedelta

from statuette.kernel.db.database import Database
from statuette.kernel.work.scheduler import Duty, Scheduler
from statuette.testing import FrozenClock

AT_ONCE = 10


class Heap:
    """Something that piles up, and is worked off a few at a time."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.runs = 0

    async def work_off(self) -> int:
        self.runs += 1
        done = min(self.size, AT_ONCE)
        self.size -= done
        return done


async def test_what_has_piled_up_is_worked_off_tick_by_tick(database: Database, clock: FrozenClock) -> None:
    # Given a duty of every hour that finds more than two runs take, and another that finds nothing
    heap, nothing = Heap(25), Heap(0)
    duties = tuple(
        Duty(name, timedelta(hours=1), each.work_off, AT_ONCE) for name, each in (("a", heap), ("b", nothing))
    )
    scheduler = Scheduler(database, clock, "prc_test", duties)

    # When the scheduler ticks, a moment apart
    for _ in range(5):
        await scheduler.tick()
        clock.advance(timedelta(milliseconds=250))

    # Then nothing is left of the heap, and neither duty was done again before its hour
    assert heap.size == 0
    assert (heap.runs, nothing.runs) == (3, 1)


async def test_a_duty_without_a_bound_waits_for_its_time(database: Database, clock: FrozenClock) -> None:
    # Given a duty of every minute that always does something
    heap = Heap(1000)
    scheduler = Scheduler(database, clock, "prc_test", (Duty("a", timedelta(minutes=1), heap.work_off),))

    # When the scheduler ticks for a minute
    for _ in range(7):
        await scheduler.tick()
        clock.advance(timedelta(seconds=10))

    # Then it was done at its beginning and at its end
    assert heap.runs == 2

"""Jumps of a machine's clock and of a database's are not followed; sleep, drift and small corrections are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from statuette.kernel.clock import SteadyClock

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Machine:
    """A wall clock and a steady one, each moved by hand."""

    def __init__(self) -> None:
        self.wall, self.seconds = START, 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic_seconds(self) -> float:
        return self.seconds

    async def sleep(self, duration: timedelta) -> None:
        raise NotImplementedError

    def passes(self, duration: timedelta, *, rate: float = 1.0) -> None:
        self.wall += duration * rate
        self.seconds += duration.total_seconds()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize("jump", [HOUR, -HOUR, DAY, -DAY, timedelta(days=400)])
def test_a_jump_is_not_followed_and_time_goes_on(machine: Machine, jump: timedelta) -> None:
    clock = SteadyClock(machine)
    machine.passes(HOUR)
    assert clock.now() == START + HOUR

    machine.wall += jump
    machine.passes(HOUR)

    assert clock.now() == START + 2 * HOUR
    assert clock.jumped_by == jump


def test_a_clock_that_comes_back_is_followed_again(machine: Machine) -> None:
    clock = SteadyClock(machine)
    machine.wall += DAY
    clock.now()

    machine.wall -= DAY
    machine.passes(HOUR)

    assert clock.now() == machine.wall
    assert clock.jumped_by == timedelta(0)


def test_a_night_asleep_is_no_jump(machine: Machine) -> None:
    clock = SteadyClock(machine)
    machine.passes(timedelta(hours=9))
    assert clock.now() == START + timedelta(hours=9)
    assert clock.jumped_by == timedelta(0)


def test_small_steps_and_drift_are_followed(machine: Machine) -> None:
    clock = SteadyClock(machine)
    for _ in range(50):
        machine.wall += timedelta(seconds=4)
        machine.passes(timedelta(seconds=1))
        assert clock.now() == machine.wall
    machine.passes(10 * DAY, rate=1.0002)
    assert clock.now() == machine.wall
    assert clock.jumped_by == timedelta(0)

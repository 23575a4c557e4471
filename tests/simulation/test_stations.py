"""Servers, loops, rows and the log behave as queueing theory, and a database, say."""

from __future__ import annotations

import math
import random

import pytest
import simpy

from tests.simulation.stations import SLICE_SECONDS, Log, Process, Row, Station, Steps


def _busy_station(servers: int, arrivals_per_second: float, *, customers: int) -> tuple[Station, simpy.Environment]:
    """Arrivals by chance, service of one second on average."""
    env, rng = simpy.Environment(), random.Random(0)
    station = Station(env, "counter", servers)

    def arriving() -> Steps:
        for _ in range(customers):
            yield env.timeout(rng.expovariate(arrivals_per_second))
            station.serve(rng.expovariate(1.0))

    env.process(arriving())
    env.run()
    return station, env


def test_as_many_are_inside_as_arrive_while_one_stays() -> None:
    # Given a counter with a queue
    station, env = _busy_station(2, 1.6, customers=20_000)

    # Then Little's law holds
    arrivals_per_second = station.visits / env.now
    assert station.mean_inside() == pytest.approx(arrivals_per_second * station.stayed_seconds / station.visits)


def test_people_wait_for_as_long_as_erlang_c_says() -> None:
    # Given three servers, busy for three fifths of the time
    servers, offered = 3, 1.8
    station, _ = _busy_station(servers, offered, customers=50_000)

    # When the wait is what is left of the stay
    waited = (station.stayed_seconds - station.asked_seconds) / station.visits

    # Then it is Erlang's
    waiting = offered**servers / math.factorial(servers) * servers / (servers - offered)
    probability = waiting / (sum(offered**n / math.factorial(n) for n in range(servers)) + waiting)
    assert waited == pytest.approx(probability / (servers - offered), rel=0.1)
    assert station.load() == pytest.approx(offered / servers, rel=0.03)


def test_who_is_patient_comes_after_all_others() -> None:
    env, order = simpy.Environment(), list[str]()
    core = Station(env, "core", 1)

    def visit(name: str, *, patient: bool) -> Steps:
        yield core.serve(1.0, patient=patient)
        order.append(name)

    # When a patient one came before the others
    for name, patient in (("first", False), ("pixels", True), ("second", False), ("third", False)):
        env.process(visit(name, patient=patient))
    env.run()

    assert order == ["first", "second", "third", "pixels"]


def test_a_loop_does_one_thing_after_another_in_slices() -> None:
    # Given a process and somebody else, on one core
    env, ended = simpy.Environment(), dict[str, float]()
    core = Station(env, "core", 1)
    process = Process(env, core)

    def work(name: str, seconds: float) -> Steps:
        yield from process.work(seconds)
        ended[name] = env.now

    def somebody_else() -> Steps:
        yield core.serve(0.001)
        ended["else"] = env.now

    # When it has much to do, then little
    env.process(work("much", 2.5 * SLICE_SECONDS))
    env.process(work("little", 0.75 * SLICE_SECONDS))
    env.process(somebody_else())
    env.run()

    # Then the other one comes after a slice, and what came later ends later
    assert ended["else"] == pytest.approx(SLICE_SECONDS + 0.001)
    assert ended["much"] < ended["little"] == pytest.approx(3.25 * SLICE_SECONDS + 0.001)
    assert process.load() == pytest.approx(3.25 * SLICE_SECONDS / env.now)


def test_who_commits_during_a_flush_shares_the_next_one() -> None:
    # Given a log that takes a second to flush
    env, done = simpy.Environment(), list[float]()
    log = Log(env, 1.0)

    def commit(at: float) -> Steps:
        yield env.timeout(at)
        yield log.commit()
        done.append(env.now)

    # When one commits, and ten more before that is on the disk
    env.process(commit(0.0))
    for number in range(10):
        env.process(commit(0.05 + number / 20))
    env.run()

    # Then the ten are on the disk together
    assert done == [1.0] + [2.0] * 10
    assert (log.commits, log.flushes) == (11, 2)


def test_a_row_is_changed_by_one_transaction_at_a_time() -> None:
    # Given a row that three want for a second each
    env, ended = simpy.Environment(), list[float]()
    row = Row(env)

    def transaction() -> Steps:
        yield from row.enter()
        yield env.timeout(1.0)
        row.leave()
        ended.append(env.now)

    for _ in range(3):
        env.process(transaction())

    # When four seconds have passed
    env.run(until=4.0)

    # Then they had it one after the other
    assert ended == [1.0, 2.0, 3.0]
    assert row.load() == pytest.approx(0.75)

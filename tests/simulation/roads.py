"""What is done for people, step by step through the parts of a site."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import simpy

from tests.simulation.assumed import (
    DESTROY,
    GET,
    PICTURE_SIZES,
    PROVIDER_SECONDS,
    PROVIDER_SPREAD,
    PUT,
    Mix,
)
from tests.simulation.course import Course, Step, course
from tests.simulation.measured import Measured
from tests.simulation.site import Machine, Shard, Site
from tests.simulation.stations import Row, Steps, sliced

_SHORTEST_CALL_SECONDS = 3.0


@dataclass(frozen=True)
class Person:
    """An account of a brand, by their numbers."""

    brand: int
    account: int


@dataclass
class Seen:
    """Seconds, one each, and counts, since the last `reset`."""

    accepted: list[float] = field(default_factory=list)
    before_call: list[float] = field(default_factory=list)
    """From accepting a job to its call, without what the store takes."""
    after_call: list[float] = field(default_factory=list)
    """From the provider's answer to the end, without what the store and the pixels take."""
    pixels: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    deleted: list[float] = field(default_factory=list)
    """From the moment a record is due until it is gone."""
    ended: int = 0


class Roads:
    def __init__(self, site: Site, mix: Mix, measured: Measured, rng: random.Random) -> None:
        self._site, self._mix, self._measured, self._rng = site, mix, measured, rng
        self._env: simpy.Environment = site.env
        operations = ("order", "work", "upload", "read", "stream", "wake", "image", "enforce")
        self._courses: dict[str, Course] = {
            name: course(getattr(measured, name), site.round_trip_seconds) for name in operations
        }
        # What was measured as Redis's share contains the hearing by the processes that were there.
        self._deliver_seconds = measured.signals.delivered_ms / 1000 * site.deployment.processes
        self.seen = Seen()

    def order(self, person: Person) -> Steps:
        """Accepted, and then done by a worker, perhaps watched."""
        began = self._env.now
        watched_at = self._site.any_of(self._site.api) if self._rng.random() < self._mix.watched else None
        yield from self.asked("order", self._site.any_of(self._site.api), person)
        self.seen.accepted.append(self._env.now - began)
        self._tell(person, watched_at, self._courses["order"].redis_seconds)
        if watched_at is not None:
            self._env.process(self.asked("stream", watched_at, person))
        yield from self._job(person, watched_at, self._env.now)

    def job_called(self, person: Person, ago: float) -> Steps:
        """One whose provider was called before the simulation began: how else would there be work from the first moment?"""
        left = self._call_seconds() - ago
        if left > 0:
            yield from self._site.places.enter()
            yield from self._held(person, None, left, None)
            self._site.places.leave()

    def upload(self, person: Person) -> Steps:
        machine, its = self._site.any_of(self._site.api), self._courses["upload"]
        machine.in_hand += 1
        yield from machine.process.work(its.around_seconds)
        yield from self._read(its, machine, person, primary=True)
        yield from machine.pixels(self._measured.pixels.normalise_ms / 1000)
        yield from self._transactions(its, its.transactions[: its.before], machine, person)
        yield from sliced(machine.cores, self._measured.store.put_ms / 1000)
        yield self._env.timeout(self._site.store.asked(PUT))
        yield from self._transactions(its, its.transactions[its.before :], machine, person)
        yield from machine.process.work(its.around_seconds)
        machine.in_hand -= 1

    def read(self, person: Person) -> Steps:
        began = self._env.now
        yield from self.asked("read", self._site.any_of(self._site.api), person)
        self.seen.read.append(self._env.now - began)

    def image(self, person: Person) -> Steps:
        machine = self._site.any_of(self._site.api)
        yield from self.asked("image", machine, person)
        yield from sliced(machine.cores, self._measured.store.read_ms / 1000)
        yield self._env.timeout(self._site.store.asked(GET))

    def deletion(self, person: Person, due_at: float) -> Steps:
        """By a worker, once it is handed out."""
        machine, its = self._site.any_of(self._site.workers), self._courses["enforce"]
        machine.in_hand += 1
        yield from self._redis(person, its.redis_seconds)
        yield from machine.process.work(its.around_seconds)
        yield from self._transactions(its, its.transactions[: its.before], machine, person)
        yield from sliced(machine.cores, self._measured.store.destroy_ms / 1000)
        yield self._env.timeout(self._site.store.asked(DESTROY))
        yield from self._transactions(its, its.transactions[its.before :], machine, person)
        yield from machine.process.work(its.around_seconds)
        machine.in_hand -= 1
        self.seen.deleted.append(self._env.now - due_at)

    def _job(self, person: Person, watched_at: Machine | None, accepted_at: float) -> Steps:
        yield from self._redis(person, self._courses["work"].redis_seconds)
        yield from self._site.places.enter()
        yield from self._held(person, watched_at, self._call_seconds(), accepted_at)
        self._site.places.leave()

    def _held(self, person: Person, watched_at: Machine | None, call: float, accepted_at: float | None) -> Steps:
        """With a place at a worker. `accepted_at` is None for a job whose call is under way."""
        machine, its = self._site.any_of(self._site.workers), self._courses["work"]
        machine.in_hand += 1
        if accepted_at is not None:
            yield from machine.process.work(its.around_seconds)
            yield from self._transactions(its, its.transactions[: its.before], machine, person)
            self._tell(person, watched_at)
            yield from sliced(machine.cores, self._measured.store.read_ms / 1000)
            self.seen.before_call.append(self._env.now - accepted_at)
            yield self._env.timeout(self._site.store.asked(GET))
        yield self._env.timeout(call)
        answered_at = self._env.now
        yield from machine.pixels(self._measured.pixels.render_ms / 1000)
        rendered_at = self._env.now
        self.seen.pixels.append(rendered_at - answered_at)
        first_of_end = its.transactions[its.before : -1]
        yield from self._transactions(its, first_of_end, machine, person)
        yield from sliced(machine.cores, PICTURE_SIZES * self._measured.store.put_ms / 1000)
        stored = max(self._site.store.asked(PUT) for _ in range(PICTURE_SIZES))  # at the same time
        yield self._env.timeout(stored)
        yield from self._transactions(its, its.transactions[-1:], machine, person)
        self.seen.after_call.append(self._env.now - rendered_at - stored)
        yield from machine.process.work(its.around_seconds)
        self._tell(person, watched_at)
        machine.in_hand -= 1
        self.seen.ended += 1

    def asked(self, name: str, machine: Machine, person: Person) -> Steps:
        """A request of this process that calls nobody but the database."""
        its = self._courses[name]
        machine.in_hand += 1
        yield from machine.process.work(its.around_seconds)
        yield from self._read(its, machine, person, primary=name not in ("read", "image"))
        yield from self._transactions(its, its.transactions, machine, person)
        yield from machine.process.work(its.around_seconds)
        machine.in_hand -= 1

    def _read(self, its: Course, machine: Machine, person: Person, *, primary: bool) -> Steps:
        if its.reads is None:
            return
        number, shard = self._site.shard(person.brand)
        cores = shard.cores if primary or not shard.replicas else self._rng.choice(shard.replicas)
        yield from machine.pools[number].enter()
        yield from sliced(cores, its.reads.database_seconds)
        if its.reads.travel_seconds:
            yield self._env.timeout(its.reads.travel_seconds)
        machine.pools[number].leave()

    def _transactions(
        self, its: Course, transactions: tuple[tuple[Step, ...], ...], machine: Machine, person: Person
    ) -> Steps:
        number, shard = self._site.shard(person.brand)
        for steps in transactions:
            yield from machine.pools[number].enter()
            if shard.connections is not None:
                yield from shard.connections.enter()
            yield from self._transaction(steps, machine, shard, person)
            if shard.connections is not None:
                shard.connections.leave()
            machine.pools[number].leave()
        if transactions:
            shard.wal_bytes += its.wal_bytes * len(transactions) // len(its.transactions)

    def _transaction(self, steps: tuple[Step, ...], machine: Machine, shard: Shard, person: Person) -> Steps:
        locked: list[Row] = []
        for step in steps:
            if step.row:
                row = self._row(step.row, shard, person)
                yield from row.enter()
                locked.append(row)
            yield from machine.process.work(step.process_seconds)
            yield from sliced(shard.cores, step.database_seconds)
            if step.travel_seconds:
                yield self._env.timeout(step.travel_seconds)
        yield shard.log.commit()
        for row in locked:
            row.leave()

    def _row(self, kind: str, shard: Shard, person: Person) -> Row:
        if kind == "wallet":
            return shard.row(kind, person.brand, person.account)
        return shard.row(kind, person.brand, self._rng.randrange(self._site.deployment.ceiling_parts))

    def _tell(self, person: Person, watched_at: Machine | None, more_seconds: float = 0.0) -> None:
        """One message: to every process, and to whoever watches."""
        self._site.hearing.seconds += self._measured.signals.heard_ms / 1000
        self._env.process(self._redis(person, self._deliver_seconds + more_seconds))
        if watched_at is not None:
            self._env.process(self.asked("wake", watched_at, person))

    def _redis(self, person: Person, seconds: float) -> Steps:
        yield from self._site.node(person.brand).work(seconds)
        if self._site.round_trip_seconds:
            yield self._env.timeout(self._site.round_trip_seconds)

    def _call_seconds(self) -> float:
        return max(_SHORTEST_CALL_SECONDS, self._rng.gauss(PROVIDER_SECONDS, PROVIDER_SECONDS * PROVIDER_SPREAD))

"""The scheduler: once a second it hands out what is due, and sweeps what has grown too old."""

from __future__ import annotations

import simpy

from statuette.kernel.enforcement.enforcer import HANDED_OUT_AT_ONCE, SWEPT_AT_ONCE
from tests.simulation.measured import Measured
from tests.simulation.roads import Person, Roads
from tests.simulation.site import Site
from tests.simulation.stations import Process, Steps

_TICK_SECONDS = 0.25
# The real one sweeps once a minute. Once a second, a sixtieth each, is the same work, and fits into a short simulation.
_EVERY_SECONDS = 1.0


class Scheduling:
    """Brands are divided among the schedulers by their number."""

    def __init__(self, site: Site, roads: Roads, measured: Measured) -> None:
        self._site, self._roads, self._duties = site, roads, measured.duties
        self._env: simpy.Environment = site.env
        count = len(site.schedulers)
        self._due: list[list[tuple[Person, float]]] = [[] for _ in range(count)]
        self._old = 0

    def due(self, person: Person) -> None:
        """The deadline of something comes."""
        self._due[person.brand % len(self._due)].append((person, self._env.now))

    def old(self) -> None:
        """A row has grown too old."""
        self._old += 1

    def start(self) -> None:
        for number, process in enumerate(self._site.schedulers):
            self._env.process(self._ticking(number, process))

    def _ticking(self, number: int, process: Process) -> Steps:
        next_run = 0.0
        while True:
            began = self._env.now
            yield from process.work(self._duties.idle_process_ms / 1000 * _TICK_SECONDS)
            if self._env.now >= next_run:
                next_run = began + _EVERY_SECONDS
                more: bool = yield from self._hand_out(number, process)
                if more:
                    next_run = 0.0
                yield from self._sweep()
            self._site.scheduler_busy_seconds += self._env.now - began
            yield self._env.timeout(_TICK_SECONDS)

    def _hand_out(self, number: int, process: Process) -> Steps:
        """One transaction, a statement for each; whether there may be more. What it takes of the database counts as enforcing."""
        batch, self._due[number] = self._due[number][:HANDED_OUT_AT_ONCE], self._due[number][HANDED_OUT_AT_ONCE:]
        if batch:
            yield from process.work(len(batch) * self._duties.hand_out_process_ms / 1000)
            travel = self._duties.hand_out_round_trips * self._site.round_trip_seconds
            yield self._env.timeout(len(batch) * travel)
            for person, due_at in batch:
                self._env.process(self._roads.deletion(person, due_at))
        return len(batch) == HANDED_OUT_AT_ONCE

    def _sweep(self) -> Steps:
        rows, self._old = min(self._old, SWEPT_AT_ONCE), max(0, self._old - SWEPT_AT_ONCE)
        shards = self._site.shards
        for shard in shards:
            yield shard.cores.serve(rows / len(shards) * self._duties.sweep_ms / 1000)

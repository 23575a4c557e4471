"""What the simulation is built of: servers with a queue, rows that one transaction at a time may lock, and a log that commits
wait for together.

A station serves in the order of arrival and knows on arrival how long each visit takes, so that the moment of departure is known
then, too: one event a visit, where a resource of SimPy's own needs four.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator
from typing import Any

import simpy

Steps = Generator[simpy.Event, Any, None]
# The Linux scheduler gives a process so long before it looks at the others: `base_slice_ns`, 2.8 to 3 ms on a few cores
# (https://docs.kernel.org/scheduler/sched-eevdf.html), as ticks of 4 ms allow.
SLICE_SECONDS = 0.004


class Station:
    """So many servers, one queue, first come, first served.

    Attributes:
        asked_seconds: of service, since the last `reset`.
        waited_seconds: before the beginning of service, all visits together.
        visits, stayed_seconds: those that have ended, and from their arrival to their departure, together.
        area: visitors times seconds.
    """

    def __init__(self, env: simpy.Environment, name: str, servers: int) -> None:
        self.name = name
        self.servers = servers
        self._env = env
        self._free_at = [0.0] * servers
        self._inside = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; whoever is inside stays."""
        self.asked_seconds = self.waited_seconds = self.stayed_seconds = self.area = 0.0
        self.visits = self.arrivals = 0
        self._since = self._changed_at = self._env.now

    def serve(self, seconds: float, then: float = 0.0) -> simpy.Event:
        """Happens when a visit of so long has been served, and `then` seconds, which take no server, have passed."""
        now = self._env.now
        start = max(now, self._free_at[0])
        heapq.heapreplace(self._free_at, start + seconds)
        self.asked_seconds += seconds
        self.waited_seconds += start - now
        self.arrivals += 1
        self._count(now, 1)
        left: simpy.Event = simpy.Timeout(self._env, start + seconds - now, value=now)
        assert left.callbacks is not None
        left.callbacks.append(self._leave)
        return left if not then else simpy.Timeout(self._env, start + seconds - now + then)

    def load(self) -> float:
        """What was asked of it, as a share of what it can do: 1 is as much as it can, more is too much."""
        lasted = self._env.now - self._since
        return self.asked_seconds / (self.servers * lasted) if lasted else 0.0

    def mean_inside(self) -> float:
        """Visitors, averaged over time."""
        self._count(self._env.now, 0)
        return self.area / (self._env.now - self._since)

    def _leave(self, event: simpy.Event) -> None:
        self._count(self._env.now, -1)
        self.visits += 1
        self.stayed_seconds += self._env.now - event.value

    def _count(self, now: float, change: int) -> None:
        self.area += self._inside * (now - self._changed_at)
        self._changed_at = now
        self._inside += change


class Process:
    """A process with one event loop, or several that share a queue, on cores that others may use, too.

    Args:
        cores: where it runs, in slices; None: on cores of its own.
    """

    def __init__(self, env: simpy.Environment, name: str, count: int, cores: Station | None) -> None:
        self._own = Station(env, name, count) if cores is None else None
        self._cores = cores
        self._turn = None if cores is None else simpy.Resource(env, count)

    def work(self, seconds: float) -> Steps:
        """Compute for so long."""
        if self._own is not None:
            yield self._own.serve(seconds)
            return
        assert self._turn is not None
        assert self._cores is not None
        with self._turn.request() as turn:
            yield turn
            yield from sliced(self._cores, seconds)


def sliced(cores: Station, seconds: float, then: float = 0.0) -> Steps:
    """Compute on cores that others use, too: after each slice the others have their turn."""
    while seconds > SLICE_SECONDS:
        yield cores.serve(SLICE_SECONDS)
        seconds -= SLICE_SECONDS
    yield cores.serve(seconds, then)


class Log:
    """The write-ahead log. A flush takes a while, and whoever commits meanwhile shares the next one.

    Attributes:
        commits, flushes: since the last `reset`.
    """

    def __init__(self, env: simpy.Environment, flush_seconds: float) -> None:
        self._env = env
        self._flush_seconds = flush_seconds
        self._ends_at = 0.0
        self.reset()

    def reset(self) -> None:
        self.commits = self.flushes = 0

    def commit(self) -> simpy.Event:
        """Happens when what was written is on the disk."""
        now = self._env.now
        self.commits += 1
        if now > self._ends_at - self._flush_seconds:  # the last flush that is planned has begun, or is over
            self._ends_at = max(now, self._ends_at) + self._flush_seconds
            self.flushes += 1
        return simpy.Timeout(self._env, self._ends_at - now)


class Row:
    """A row that is locked from an update to the commit.

    Attributes:
        held_seconds: since the last `reset`.
    """

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._lock = simpy.Resource(env, 1)
        self.reset()

    def reset(self) -> None:
        self.held_seconds = self.waited_seconds = 0.0
        self._since = self._env.now

    def request(self) -> simpy.resources.resource.Request:
        return self._lock.request()

    def held(self, request: simpy.resources.resource.Request, waited: float, seconds: float) -> None:
        """Give it back. `seconds`: for how long it was held, without the wait."""
        self.held_seconds += seconds
        self.waited_seconds += waited
        self._lock.release(request)

    @property
    def wanted_by(self) -> int:
        """How many hold it or wait for it."""
        return self._lock.count + len(self._lock.queue)

    def load(self) -> float:
        """The share of time in which it was locked."""
        lasted = self._env.now - self._since
        return self.held_seconds / lasted if lasted else 0.0

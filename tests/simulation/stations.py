"""What the simulation is built of: servers with a queue, processes that take turns on them, rows that one transaction at a time
may lock, and a log that commits wait for together.

A visit is one event, scheduled when its service begins, where a resource of SimPy's own needs four.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any, cast

import simpy

Steps = Generator[simpy.Event, Any, Any]
_Visit = tuple[simpy.Event, float]
# The Linux scheduler gives a process so long before it looks at the others: `base_slice_ns`, 2.8 to 3 ms on a few cores
# (https://docs.kernel.org/scheduler/sched-eevdf.html), as ticks of 4 ms allow.
SLICE_SECONDS = 0.004


class Station:
    """So many servers and one queue: first come, first served, but who is patient comes after all others.

    Attributes:
        asked_seconds: of service, since the last `reset`.
        visits, stayed_seconds: those that have ended, and from their arrival to their departure, together.
    """

    def __init__(self, env: simpy.Environment, name: str, servers: int) -> None:
        self.name = name
        self.servers = servers
        self._env = env
        self._free = servers
        self._waiting: tuple[deque[_Visit], deque[_Visit]] = (deque(), deque())
        self._inside = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; whoever is inside stays."""
        self.asked_seconds = self.stayed_seconds = self._area = 0.0
        self.visits = 0
        self._since = self._changed_at = float(self._env.now)

    def serve(self, seconds: float, *, patient: bool = False) -> simpy.Event:
        """Happens when a visit of so long has been served."""
        self.asked_seconds += seconds
        self._count(1)
        left = simpy.Event(self._env)
        left._ok, left._value = True, self._env.now
        assert left.callbacks is not None
        left.callbacks.append(self._leave)
        if self._free:
            self._free -= 1
            self._env.schedule(left, delay=seconds)
        else:
            self._waiting[patient].append((left, seconds))
        return left

    def load(self) -> float:
        """What was asked of it, as a share of what it can do: 1 is as much as it can, more is too much."""
        lasted = self._env.now - self._since
        return self.asked_seconds / (self.servers * lasted) if lasted else 0.0

    def mean_inside(self) -> float:
        """Visitors, averaged over time."""
        self._count(0)
        return self._area / (self._env.now - self._since)

    def _leave(self, event: simpy.Event) -> None:
        self._count(-1)
        self.visits += 1
        self.stayed_seconds += self._env.now - cast(float, event.value)
        for queue in self._waiting:
            if queue:
                left, seconds = queue.popleft()
                self._env.schedule(left, delay=seconds)
                return
        self._free += 1

    def _count(self, change: int) -> None:
        self._area += self._inside * (self._env.now - self._changed_at)
        self._changed_at = self._env.now
        self._inside += change


class Places:
    """So many may be inside at once; the others wait for their turn. Whoever finds room enters without an event."""

    def __init__(self, env: simpy.Environment, places: int) -> None:
        self.places = places
        self._env = env
        self._taken = 0
        self._waiting: deque[simpy.Event] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; whoever is inside stays."""
        self._area = 0.0
        self._since = self._changed_at = float(self._env.now)

    def enter(self) -> Steps:
        if self._taken < self.places:
            self._count(1)
            return
        turn = simpy.Event(self._env)
        self._waiting.append(turn)
        yield turn

    def leave(self) -> None:
        if self._waiting:
            self._waiting.popleft().succeed()
        else:
            self._count(-1)

    def load(self) -> float:
        """The share of places that were taken, over time."""
        self._count(0)
        lasted = self._env.now - self._since
        return self._area / lasted / self.places if lasted else 0.0

    def _count(self, change: int) -> None:
        self._area += self._taken * (self._env.now - self._changed_at)
        self._changed_at = self._env.now
        self._taken += change


class Row(Places):
    """A row that is locked from an update to the commit. Its load is the share of time in which it is."""

    def __init__(self, env: simpy.Environment) -> None:
        super().__init__(env, 1)


class Hearing:
    """What the messages on the channel of signals have cost each process that hears them, since the beginning."""

    def __init__(self) -> None:
        self.seconds = 0.0


class Process:
    """A process with one event loop, on cores that others may use, too.

    Once it has a core it does whatever is ready, for a slice at most. What it hears it works off together with what it does next,
    so that a message to a hundred processes is not a hundred events.

    Attributes:
        asked_seconds: of computing on the loop, since the last `reset`.
    """

    def __init__(self, env: simpy.Environment, cores: Station, hearing: Hearing | None = None) -> None:
        self._env = env
        self._cores = cores
        self._hearing = hearing
        self._heard_seconds = 0.0
        self._ready: deque[_Visit] = deque()
        self._at_hand: list[simpy.Event] = []
        self._busy = False
        self.reset()

    def reset(self) -> None:
        self.asked_seconds = 0.0
        self._since = self._env.now

    def work(self, seconds: float) -> Steps:
        """Compute for so long."""
        seconds += self._owed_seconds()
        self.asked_seconds += seconds
        done = simpy.Event(self._env)
        self._ready.append((done, seconds))
        if not self._busy:
            self._busy = True
            self._go_on()
        yield done

    def load(self) -> float:
        """What was asked of the loop, as a share of the time."""
        lasted = self._env.now - self._since
        return self.asked_seconds / lasted if lasted else 0.0

    def _go_on(self, _: simpy.Event | None = None) -> None:
        for done in self._at_hand:
            done.succeed()
        self._at_hand = []
        if not self._ready:
            self._busy = False
            return
        taken = 0.0
        while self._ready and taken < SLICE_SECONDS:
            done, seconds = self._ready.popleft()
            rest = taken + seconds - SLICE_SECONDS
            if rest > 0:
                self._ready.appendleft((done, rest))
                taken = SLICE_SECONDS
            else:
                self._at_hand.append(done)
                taken += seconds
        served = self._cores.serve(taken)
        assert served.callbacks is not None
        served.callbacks.append(self._go_on)

    def _owed_seconds(self) -> float:
        if self._hearing is None:
            return 0.0
        owed = self._hearing.seconds - self._heard_seconds
        self._heard_seconds = self._hearing.seconds
        return owed


def sliced(cores: Station, seconds: float, *, patient: bool = False) -> Steps:
    """Compute on cores that others use, too: after each slice the others have their turn.

    Linux lets whoever has used little go first, when it wakes up: patient are those who always compute.
    """
    while seconds > SLICE_SECONDS:
        yield cores.serve(SLICE_SECONDS, patient=patient)
        seconds -= SLICE_SECONDS
    yield cores.serve(seconds, patient=patient)


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

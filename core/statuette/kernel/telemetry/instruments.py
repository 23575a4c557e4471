"""Every metric there is. None carries an id of anybody or anything: attributes are names from the code or the configuration.

Names are those of OpenTelemetry's semantic conventions where one fits (https://opentelemetry.io/docs/specs/semconv/), else
`statuette.…`. The reference page is made from this module.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Literal

import msgspec
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Observation, UpDownCounter

_METER = metrics.get_meter("statuette")
_BATCH = 128

# Bounds of histograms, in seconds: of what a person waits for, of what a provider takes, of how late something may be.
_MOMENTS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_CALLS = (0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 60, 120, 300)
_DELAYS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400)


class Instrument(msgspec.Struct, frozen=True):
    """What the reference page says of a metric."""

    name: str
    kind: Literal["counter", "up-down counter", "histogram", "gauge"]
    unit: str
    description: str
    attributes: tuple[str, ...]


DECLARED: list[Instrument] = []


class Gauge:
    """Values that somebody determines now and then. Nothing is sent before that, nor after `hide`."""

    def __init__(self, name: str, unit: str, description: str, *attributes: str) -> None:
        DECLARED.append(Instrument(name, "gauge", unit, description, attributes))
        self._attribute = attributes[0] if attributes else ""
        self._values: Mapping[str, float] = {}
        _METER.create_observable_gauge(name, [self._observe], unit, description)

    def show(self, values: Mapping[str, float]) -> None:
        """Replace all values; by the attribute's, or by "" if there is no attribute."""
        self._values = values

    def hide(self) -> None:
        self._values = {}

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        """Called by the SDK, on a thread of its own."""
        return [
            Observation(value, {self._attribute: name} if self._attribute else {})
            for name, value in self._values.items()
        ]


class Timings:
    """A histogram of what every request does. Its values are handed on in batches, and whenever metrics are collected.

    The SDK takes some 35 µs for one value in the middle of a request, but 7 µs for one of a batch, which finds its code in
    the processor's caches.
    """

    def __init__(self, name: str, bounds: Sequence[float], description: str, *attributes: str) -> None:
        self._histogram = _histogram(name, bounds, description, *attributes)
        self._waiting: deque[tuple[float, Mapping[str, str | int] | None]] = deque()
        # Observes nothing itself; but the SDK asks it before it collects what there is.
        _METER.create_observable_gauge(f"{name}.collected", [self._hand_on])

    def record(self, seconds: float, attributes: Mapping[str, str | int] | None = None) -> None:
        self._waiting.append((seconds, attributes))
        if len(self._waiting) >= _BATCH:
            self._hand_on()

    def _hand_on(self, _: CallbackOptions | None = None) -> Iterable[Observation]:
        """Called by the SDK on a thread of its own, too; each value is taken by one of the two."""
        with suppress(IndexError):
            while True:
                self._histogram.record(*self._waiting.popleft())
        return ()


async def count(counter: Counter, amount: float, attributes: Mapping[str, str]) -> None:
    """Add to a counter; for `after_commit`, so that what is rolled back or run again is not counted."""
    counter.add(amount, attributes)


def hide_what_one_tells_for_all() -> None:
    """Another scheduler determines the gauges of the whole deployment from now on."""
    for gauge in (due_items, oldest_due_age_seconds, processes, overdue, oldest_overdue_age_seconds):
        gauge.hide()


def _counter(name: str, unit: str, description: str, *attributes: str) -> Counter:
    DECLARED.append(Instrument(name, "counter", unit, description, attributes))
    return _METER.create_counter(name, unit, description)


def _up_down_counter(name: str, unit: str, description: str, *attributes: str) -> UpDownCounter:
    DECLARED.append(Instrument(name, "up-down counter", unit, description, attributes))
    return _METER.create_up_down_counter(name, unit, description)


def _histogram(name: str, bounds: Sequence[float], description: str, *attributes: str) -> Histogram:
    """Of seconds."""
    DECLARED.append(Instrument(name, "histogram", "s", description, attributes))
    return _METER.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=bounds)


http_seconds = Timings(
    "http.server.request.duration",
    _MOMENTS,
    "How long a request took, streams and long waits included.",
    "http.request.method",
    "http.route",
    "http.response.status_code",
)
pixel_wait_seconds = _histogram(
    "statuette.pixels.wait", _MOMENTS, "How long a picture waited for a child process that was free."
)
connection_wait_seconds = Timings(
    "db.client.connection.wait_time", _MOMENTS, "How long it took to obtain an open connection from the pool."
)

queue_age_seconds = _histogram("statuette.work.queue_age", _DELAYS, "How long work was due before it began.", "queue")
work_seconds = _histogram(
    "statuette.work.duration",
    _CALLS,
    "How long a step of work took, and how it ended: `done` (or postponed in order), `again` (failed, to be retried),"
    " `poisoned` (failed too often), `lease_lost` (another process has it, or nobody has to), `abandoned` (this process stops).",
    "actor",
    "end",
)
in_hand = _up_down_counter("statuette.work.in_hand", "{item}", "Work that this process has in hand.", "queue")
due_items = Gauge(
    "statuette.work.due", "{item}", "Work that is due and in nobody's hands, in the whole deployment.", "queue"
)
oldest_due_age_seconds = Gauge(
    "statuette.work.oldest_due_age", "s", "For how long the oldest of it has been due; 0 if there is none.", "queue"
)
leases_expired = _counter(
    "statuette.work.leases_expired", "{item}", "Work taken from processes that were no longer alive.", "queue"
)
hints_lost = _counter(
    "statuette.work.hints_lost", "{hint}", "Hints that the broker did not take; the scheduler repeats them.", "queue"
)
signals_lost = _counter(
    "statuette.signals.lost",
    "{signal}",
    "Signals to other processes that Redis did not take; those who wait look again.",
)
processes = Gauge("statuette.processes", "{process}", "Processes that are alive, in the whole deployment.", "role")

leading = Gauge("statuette.scheduler.leading", "{scheduler}", "1 at the scheduler that ticks, 0 at one that stands by.")
tick_seconds = _histogram("statuette.scheduler.tick", _MOMENTS, "How long a tick with all its duties took.")
duties_failed = _counter("statuette.scheduler.failures", "{run}", "Runs of a duty that failed.", "duty")

provider_seconds = _histogram(
    "statuette.provider.latency",
    _CALLS,
    "How long a call to a provider took; `error.type` if it failed.",
    "processor",
    "error.type",
)
outcomes = _counter(
    "statuette.generation.outcomes", "{call}", "Calls for pictures by how they ended.", "provider", "outcome"
)
terminal_states = _counter("statuette.generation.states", "{job}", "Jobs that ended.", "state")
cost_micros = _counter(
    "statuette.provider.cost",
    "{micros}",
    "What calls cost, in millionths of the currency. Of a call that nobody saw the end of: what it may have cost at worst.",
    "provider",
    "currency",
)

enforcement_lag_seconds = _histogram("statuette.enforcement.lag", _DELAYS, "How late a deadline was enforced.", "rule")
overdue = Gauge("statuette.enforcement.overdue", "{deadline}", "Deadlines that have passed and are not enforced yet.")
oldest_overdue_age_seconds = Gauge(
    "statuette.enforcement.oldest_overdue_age", "s", "For how long the oldest of them has been due; 0 if there is none."
)
heartbeats = _counter(
    "statuette.enforcement.heartbeat",
    "{look}",
    "Times that the scheduler has looked for deadlines and handed out what was due.",
)

"""The course of one thing that the platform does: computing, asking the database, waiting for the network, in turn."""

from __future__ import annotations

import msgspec

from tests.simulation.measured import Operation, Row, Stretch


class Step(msgspec.Struct, frozen=True):
    """Some statements: computed in the process, then in the database, then the time that they travel."""

    row: Row
    process_seconds: float
    database_seconds: float
    travel_seconds: float


class Course(msgspec.Struct, frozen=True):
    """`measured.Operation`, made ready to be gone through.

    Attributes:
        around_seconds: of the process, before the first statement and again after the last one.
        reads: statements outside of transactions, together.
        before: those of `transactions` that come before the call to the provider, or to the store.
    """

    around_seconds: float
    reads: Step | None
    transactions: tuple[tuple[Step, ...], ...]
    before: int
    redis_seconds: float
    wal_bytes: int

    @property
    def database_seconds(self) -> float:
        steps = [step for one in self.transactions for step in one] + ([self.reads] if self.reads else [])
        return sum(step.database_seconds for step in steps)


def course(operation: Operation, round_trip_seconds: float) -> Course:
    """The database's time is divided evenly among the statements; the process's own as it was measured."""
    stretches = [stretch for one in operation.transactions for stretch in one]
    trips = operation.reads + sum(stretch.round_trips for stretch in stretches)
    a_trip_seconds = operation.database_ms / 1000 / max(1, trips)

    def step(stretch: Stretch) -> Step:
        return Step(
            stretch.row,
            operation.process_ms / 1000 * stretch.share,
            a_trip_seconds * stretch.round_trips,
            round_trip_seconds * stretch.round_trips,
        )

    inside = sum(stretch.share for stretch in stretches)
    return Course(
        around_seconds=operation.process_ms / 1000 * max(0.0, 1 - inside) / 2,
        reads=step(Stretch("", operation.reads, 0.0)) if operation.reads else None,
        transactions=tuple(tuple(step(stretch) for stretch in one) for one in operation.transactions),
        before=operation.before,
        redis_seconds=operation.redis_ms / 1000,
        wal_bytes=operation.wal_bytes,
    )

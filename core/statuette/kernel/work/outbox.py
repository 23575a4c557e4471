"""The outbox: work is a row, written in the transaction that makes it necessary, and stays until it is done.

A message in a broker is only a hint that a row is due. Whoever handles it must first claim the row's lease, so a message that
comes twice, late or not at all does no harm: the scheduler hints again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from statuette.errors import StatuetteError
from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.telemetry import trace_parent
from statuette.kernel.work.tables import WorkItem

LEASE = timedelta(seconds=60)
_HINT_AGAIN_AFTER = timedelta(seconds=10)
_RELAY_BATCH = 500

Send = Callable[[str, str], Awaitable[None]]
"""Hint that an item is due: queue, item id."""


class LeaseLost(StatuetteError):
    """Somebody else works on this now, or nobody has to. What this worker was about to write is rolled back."""

    code = "lease_lost"
    summary = "The lease on this work has been lost."


class Claimed(msgspec.Struct, frozen=True):
    """An item this worker holds. `attempts` counts claims since the last orderly end of a step."""

    id: str
    queue: str
    actor: str
    subject_id: str
    lease: str
    attempts: int
    due_at: datetime
    trace_parent: str | None


class _Due(msgspec.Struct, frozen=True):
    id: str
    queue: str


class Outbox:
    """Where work is put and taken."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._send: Send | None = None

    def connect(self, send: Send) -> None:
        """Say how hints reach workers. Without it, the scheduler of another process sends them."""
        self._send = send

    async def put(
        self, tx: Transaction, *, queue: str, actor: str, subject_id: str, due_at: datetime | None = None
    ) -> None:
        """Ask for `actor` to act on `subject_id`. A second request for the same is the same work."""
        item_id = tx.new_id("wrk")
        now_due = due_at is None or due_at <= tx.now
        put = await tx.insert_new(
            WorkItem,
            id=item_id,
            queue=queue,
            actor=actor,
            subject_id=subject_id,
            due_at=due_at or tx.now,
            sent_at=tx.now if now_due else None,
            attempts=0,
            trace_parent=trace_parent(),
            created_at=tx.now,
        )
        if put and now_due:
            tx.after_commit(lambda: self._hint(queue, item_id))

    async def withdraw(self, tx: Transaction, *, actor: str, subject_id: str) -> None:
        """The work is no longer needed; a worker that is at it loses its lease."""
        await tx.execute(
            "DELETE FROM work_item WHERE actor = :actor AND subject_id = :subject_id",
            actor=actor,
            subject_id=subject_id,
        )

    async def claim(self, item_id: str) -> Claimed | None:
        """Take the item's lease; None when it is done, not due, or under a live lease of another worker."""
        async with self._database.transaction() as tx:
            return await tx.one(
                Claimed,
                "UPDATE work_item SET lease = :lease, lease_until = :until, attempts = attempts + 1, sent_at = :now"
                " WHERE id = :id AND due_at <= :now AND (lease IS NULL OR lease_until <= :now)"
                " RETURNING id, queue, actor, subject_id, lease, attempts, due_at, trace_parent",
                id=item_id,
                lease=tx.new_id("lse"),
                until=tx.now + LEASE,
                now=tx.now,
            )

    async def hold(self, tx: Transaction, claimed: Claimed) -> None:
        """Prove, inside the transaction that writes, that the lease is still ours, and renew it. Raises `LeaseLost`."""
        if not await tx.changed(
            "UPDATE work_item SET lease_until = :until WHERE id = :id AND lease = :lease RETURNING id",
            id=claimed.id,
            lease=claimed.lease,
            until=tx.now + LEASE,
        ):
            raise LeaseLost()

    async def finish(self, tx: Transaction, claimed: Claimed) -> None:
        """The work is done, in the transaction that did it. Raises `LeaseLost`."""
        if not await tx.changed(
            "DELETE FROM work_item WHERE id = :id AND lease = :lease RETURNING id", id=claimed.id, lease=claimed.lease
        ):
            raise LeaseLost()

    async def postpone(self, tx: Transaction, claimed: Claimed, due_at: datetime) -> None:
        """A step ended in order and the next one is due later. Raises `LeaseLost`."""
        if not await tx.changed(
            "UPDATE work_item SET due_at = :due_at, lease = NULL, lease_until = NULL, sent_at = NULL, attempts = 0"
            " WHERE id = :id AND lease = :lease RETURNING id",
            id=claimed.id,
            lease=claimed.lease,
            due_at=due_at,
        ):
            raise LeaseLost()
        if due_at <= tx.now:
            tx.after_commit(lambda: self._hint(claimed.queue, claimed.id))

    async def give_back(self, claimed: Claimed, after: timedelta) -> None:
        """A step failed in disorder; try again later. `attempts` keeps counting, so that poison is found."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE work_item SET due_at = :due_at, lease = NULL, lease_until = NULL, sent_at = NULL"
                " WHERE id = :id AND lease = :lease",
                id=claimed.id,
                lease=claimed.lease,
                due_at=tx.now + after,
            )

    async def relay(self) -> int:
        """Hint at what is due and not under a live lease; returns how many. The scheduler's job."""
        async with self._database.read() as reader:
            due = await self._due(reader)
        if not due:
            return 0
        async with self._database.transaction() as tx:
            for item in due:
                await tx.execute("UPDATE work_item SET sent_at = :now WHERE id = :id", id=item.id, now=tx.now)
        for item in due:
            await self._hint(item.queue, item.id)
        return len(due)

    async def forget_hints(self) -> None:
        """After a start of the only process: no hint of an earlier life is under way, no lease is alive."""
        async with self._database.transaction() as tx:
            await tx.execute("UPDATE work_item SET sent_at = NULL, lease = NULL, lease_until = NULL")

    async def _due(self, reader: Reader) -> Sequence[_Due]:
        return await reader.all(
            _Due,
            "SELECT id, queue FROM work_item WHERE due_at <= :now AND (sent_at IS NULL OR sent_at <= :stale)"
            " AND (lease IS NULL OR lease_until <= :now) ORDER BY due_at LIMIT :batch",
            now=reader.now,
            stale=reader.now - _HINT_AGAIN_AFTER,
            batch=_RELAY_BATCH,
        )

    async def _hint(self, queue: str, item_id: str) -> None:
        if self._send is not None:
            await self._send(queue, item_id)

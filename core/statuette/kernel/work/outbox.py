"""The outbox: work is a row, written in the transaction that makes it necessary, and stays until it is done.

A message in a broker is only a hint that a row is due. Whoever handles it must first claim the row's lease, so a message that
comes twice, late or not at all does no harm: the scheduler hints again. A lease lasts as long as the process that took it is
alive: see `presence`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from statuette.errors import StatuetteError
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.telemetry import trace_parent
from statuette.kernel.work.payload import only_ids
from statuette.kernel.work.queues import QUEUES
from statuette.kernel.work.tables import WorkItem

_HINT_AGAIN_AFTER = timedelta(seconds=10)
_RELAY_BATCH = 500
# Looks at the first entry of each queue in the index, however many there are: what nobody was told of, and what was told first.
_QUEUES_WITH_WORK = " UNION ALL ".join(
    f"SELECT '{queue}' AS queue WHERE"
    f" (SELECT due_at FROM work_item WHERE queue = '{queue}' AND lease IS NULL AND sent_at IS NULL"
    " ORDER BY sent_at, due_at LIMIT 1) <= :now"
    f" OR (SELECT sent_at FROM work_item WHERE queue = '{queue}' AND lease IS NULL AND sent_at IS NOT NULL"
    " ORDER BY sent_at LIMIT 1) <= :stale"
    for queue in QUEUES
)

# What was hinted at in vain, and what nobody was told of. Neither part reads more of the index than it finds.
_OVERLOOKED = (
    "SELECT id FROM ("
    " SELECT * FROM (SELECT id, sent_at AS since FROM work_item WHERE queue = :queue AND lease IS NULL"
    " AND sent_at <= :limit ORDER BY sent_at LIMIT :most) AS told"
    " UNION ALL SELECT * FROM (SELECT id, due_at AS since FROM work_item WHERE queue = :queue AND lease IS NULL"
    " AND sent_at IS NULL AND due_at <= :limit ORDER BY due_at LIMIT :most) AS untold"
    ") AS overlooked ORDER BY since LIMIT :most"
)


class Hints(Protocol):
    """The way to the workers. Nothing here is durable, and nothing needs to be."""

    async def send(self, queue: str, item_ids: Sequence[str]) -> None:
        """Say that items are due. May be lost. Does not raise and does not wait for a broker."""

    async def backlog(self, queue: str) -> int:
        """How many hints are waiting that nobody has taken; 0 when that cannot be told."""


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
    created_at: datetime


class Held(msgspec.Struct, frozen=True):
    """An item and its lease."""

    id: str
    lease: str


class Outbox:
    """Where work is put and taken."""

    def __init__(self, database: Database, process_id: str) -> None:
        self._database = database
        self._process_id = process_id
        self._hints: Hints | None = None

    def connect(self, hints: Hints) -> None:
        """Say how hints reach workers. Without it, the scheduler of another process sends them."""
        self._hints = hints

    async def put(
        self, tx: Transaction, *, queue: str, actor: str, subject_id: str, due_at: datetime | None = None
    ) -> None:
        """Ask for `actor` to act on `subject_id`. A second request for the same is the same work.

        Raises:
            NotAnId: `subject_id` is something else than ids and fixed words.
        """
        only_ids(subject_id)
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
        """Take the item's lease; None when it is done, not due, or in somebody's hands."""
        async with self._database.transaction() as tx:
            return await tx.one(
                Claimed,
                "UPDATE work_item SET lease = :lease, held_by = :process_id, attempts = attempts + 1, sent_at = :now"
                " WHERE id = :id AND due_at <= :now AND lease IS NULL"
                " RETURNING id, queue, actor, subject_id, lease, attempts, due_at, trace_parent, created_at",
                id=item_id,
                lease=tx.new_id("lse"),
                process_id=self._process_id,
                now=tx.now,
            )

    async def hold(self, tx: Transaction, claimed: Claimed) -> None:
        """Prove, inside the transaction that writes, that the lease is still ours, and keep it so. Raises `LeaseLost`."""
        if not await tx.rows(
            f"SELECT id FROM work_item WHERE id = :id AND lease = :lease{tx.for_update}",
            id=claimed.id,
            lease=claimed.lease,
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
            "UPDATE work_item SET due_at = :due_at, lease = NULL, held_by = NULL, sent_at = NULL, attempts = 0"
            " WHERE id = :id AND lease = :lease RETURNING id",
            id=claimed.id,
            lease=claimed.lease,
            due_at=due_at,
        ):
            raise LeaseLost()
        if due_at <= tx.now:
            tx.after_commit(lambda: self._hint(claimed.queue, claimed.id))

    async def give_back(self, claimed: Claimed | Held, after: timedelta, *, counted: bool) -> None:
        """A step failed in disorder; try again later.

        Args:
            counted: whether it may be the work's fault: `attempts` keeps counting, so that poison is found.
        """
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE work_item SET due_at = :due_at, lease = NULL, held_by = NULL, sent_at = NULL,"
                " attempts = attempts - :uncounted WHERE id = :id AND lease = :lease",
                id=claimed.id,
                lease=claimed.lease,
                due_at=tx.now + after,
                uncounted=0 if counted else 1,
            )

    async def held(self) -> list[Held]:
        """What is in this process's name."""
        async with self._database.read() as reader:
            return await reader.all(
                Held, "SELECT id, lease FROM work_item WHERE held_by = :process_id", process_id=self._process_id
            )

    async def relay(self) -> int:
        """Hint at what is due and in nobody's hands; returns how many. The scheduler's job."""
        if self._hints is None:
            return 0
        sent = 0
        for queue in await self._queues_with_work():
            waiting = await self._hints.backlog(queue)
            async with self._database.transaction() as tx:
                missing = await self._missing(tx, queue, waiting)
                lost = await self._take_for_hints(tx, queue, "sent_at <= :limit", tx.now - _HINT_AGAIN_AFTER, missing)
                unsent = await self._take_for_hints(
                    tx, queue, "sent_at IS NULL AND due_at <= :limit", tx.now, _RELAY_BATCH
                )
            await self._hints.send(queue, [*lost, *unsent])
            sent += len(lost) + len(unsent)
        return sent

    async def _missing(self, tx: Transaction, queue: str, waiting: int) -> int:
        """How many hints are lost, at least: as many as there are items that were hinted at, and no hint that waits.

        More are not sent again, however long nobody takes any: they would only make the heap in the broker grow.
        """
        hinted = await tx.value(
            "SELECT COUNT(*) FROM (SELECT id FROM work_item WHERE queue = :queue AND lease IS NULL AND sent_at IS NOT NULL"
            " LIMIT :most) AS hinted",
            queue=queue,
            most=waiting + _RELAY_BATCH,
        )
        return max(0, int(hinted) - waiting)

    async def _take_for_hints(
        self, tx: Transaction, queue: str, condition: str, limit: datetime, most: int
    ) -> list[str]:
        skip = " FOR UPDATE SKIP LOCKED" if tx.postgres else ""
        rows = await tx.rows(
            "UPDATE work_item SET sent_at = :now WHERE id IN (SELECT id FROM work_item WHERE queue = :queue"
            f" AND lease IS NULL AND {condition} ORDER BY sent_at, due_at LIMIT :batch{skip}) RETURNING id",
            now=tx.now,
            queue=queue,
            limit=limit,
            batch=most,
        )
        return [row["id"] for row in rows]

    async def _queues_with_work(self) -> list[str]:
        async with self._database.read() as reader:
            rows = await reader.rows(_QUEUES_WITH_WORK, now=reader.now, stale=reader.now - _HINT_AGAIN_AFTER)
        return [row["queue"] for row in rows]

    async def overlooked(self, most: Mapping[str, int], within: timedelta) -> dict[str, list[str]]:
        """Items in nobody's hands, by queue, though a hint should have brought them into some `within` that time.

        About the oldest first, and of each queue as many as `most` says.
        """
        async with self._database.read() as reader:
            found = {
                queue: await reader.rows(_OVERLOOKED, queue=queue, limit=reader.now - within, most=number)
                for queue, number in most.items()
                if number > 0
            }
        return {queue: [row["id"] for row in rows] for queue, rows in found.items() if rows}

    async def _hint(self, queue: str, item_id: str) -> None:
        if self._hints is not None:
            await self._hints.send(queue, [item_id])

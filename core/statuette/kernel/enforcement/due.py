"""Choosing what is due, at the same cost however much has been chosen before.

A claimed deadline leaves its entry in the index of those to come, dead, until the table is vacuumed, which for a large table is
not often. Each look from the beginning goes over all of them. So a look starts where the one before ended, and only from
time to time at the beginning, for what came late: a transaction that took long, a deadline that was locked or given back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from statuette.kernel.db.database import Transaction

ACTOR = "enforce"
_FROM_THE_BEGINNING = datetime.fromtimestamp(0, tz=UTC)
_LOOK_BACK_EVERY = timedelta(seconds=30)
# Longer than nearly every transaction: what it makes due bears the time at which it began.
_OVERLAP = timedelta(seconds=10)


class _Claimed(msgspec.Struct, frozen=True):
    id: str
    due_at: datetime


def claim_statement(postgres: bool) -> str:
    """SQL that chooses what is due between `:front` and `:now`, at most `:limit`, and writes the intent."""
    skip = " FOR UPDATE SKIP LOCKED" if postgres else ""
    return (
        "UPDATE deadline SET state = 'executing', attempts = attempts + 1,"
        " intent_at = COALESCE(intent_at, :now), updated_at = :now WHERE id IN ("
        "SELECT id FROM deadline WHERE state = 'scheduled' AND due_at >= :front AND due_at <= :now"
        f" ORDER BY due_at LIMIT :limit{skip}) RETURNING id, due_at"
    )


class DueDeadlines:
    """Claims deadlines for whoever ticks; one for each process.

    Attributes:
        front: where the next look starts.
    """

    def __init__(self) -> None:
        self.front = _FROM_THE_BEGINNING
        self._looked_back_at = _FROM_THE_BEGINNING

    async def claim(self, tx: Transaction, limit: int) -> list[str]:
        """Make the `limit` deadlines that have been due for longest `executing`; returns their ids."""
        front = self.front
        # Also when the clock was set back.
        if not timedelta(0) <= tx.now - self._looked_back_at < _LOOK_BACK_EVERY:
            front, self._looked_back_at = _FROM_THE_BEGINNING, tx.now
        claimed = await tx.all(_Claimed, claim_statement(tx.postgres), now=tx.now, front=front, limit=limit)
        full = len(claimed) == limit
        self.front = front
        ended = max(deadline.due_at for deadline in claimed) if full else max(front, tx.now - _OVERLAP)
        tx.after_commit(lambda: self._move(ended))
        return [deadline.id for deadline in claimed]

    async def _move(self, front: datetime) -> None:
        self.front = front

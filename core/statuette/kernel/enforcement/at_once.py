"""Enforces one deadline here and now, to its end: for what must be gone before anything else may happen."""

from __future__ import annotations

import asyncio

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.enforcement.due import ACTOR
from statuette.kernel.enforcement.enforcer import Enforcer
from statuette.kernel.work.outbox import LeaseLost, Outbox
from statuette.kernel.work.queues import ENFORCEMENT

_ASKED_AGAIN_SECONDS = 0.2
_OF_AN_ACCOUNT_AT_ONCE = 200


class AtOnce:
    """The enforcer without the scheduler and workers around it, by the same rows, so that those may also be at it."""

    def __init__(self, database: Database, outbox: Outbox, enforcer: Enforcer) -> None:
        self._database = database
        self._outbox = outbox
        self._enforcer = enforcer

    async def enforce(self, deadline_id: str) -> None:
        """Return once the deadline's receipt is written, or something else holds or has ended the record.

        A store that is away is waited for. Raises what the database raises.
        """
        while (item_id := await self._database.run(lambda tx: self._item(tx, deadline_id))) is not None:
            claimed = await self._outbox.claim(item_id)
            if (
                claimed is None
            ):  # in the hands of a process that lives, or put off: a store is away, or an account has more
                await self._clear_the_way(deadline_id, item_id)
                await asyncio.sleep(_ASKED_AGAIN_SECONDS)
                continue
            try:
                await self._enforcer.run(claimed)
            except LeaseLost:
                continue

    async def _clear_the_way(self, deadline_id: str, item_id: str) -> None:
        """An account goes after all that is of it, which nobody else may be there to enforce. Any other deadline: nothing."""

        async def look(tx: Transaction) -> list[str]:
            await tx.execute(
                "UPDATE work_item SET due_at = :now WHERE id = :id AND lease IS NULL AND due_at > :now AND EXISTS"
                " (SELECT 1 FROM deadline d WHERE d.id = :deadline_id AND d.record_id = d.account_id)",
                id=item_id,
                deadline_id=deadline_id,
                now=tx.now,
            )
            rows = await tx.rows(
                "SELECT d.id FROM deadline a JOIN deadline d ON d.account_id = a.record_id AND d.record_id <> a.record_id"
                " WHERE a.id = :id AND d.state IN ('scheduled', 'executing') AND d.due_at <= :now ORDER BY d.id LIMIT :limit",
                id=deadline_id,
                now=tx.now,
                limit=_OF_AN_ACCOUNT_AT_ONCE,
            )
            return [row["id"] for row in rows]

        for waited_for in await self._database.run(look):
            await self.enforce(waited_for)

    async def _item(self, tx: Transaction, deadline_id: str) -> str | None:
        """The work that enforces the deadline, free of a process that died at it; None when there is nothing to do."""
        if not await tx.rows(
            "UPDATE deadline SET state = 'executing', intent_at = COALESCE(intent_at, :now), updated_at = :now"
            " WHERE id = :id AND state IN ('scheduled', 'executing') AND due_at <= :now RETURNING id",
            id=deadline_id,
            now=tx.now,
        ):
            return None
        await self._outbox.put(tx, queue=ENFORCEMENT, actor=ACTOR, subject_id=deadline_id)
        item_id: str = await tx.value(
            "SELECT id FROM work_item WHERE actor = :actor AND subject_id = :id", actor=ACTOR, id=deadline_id
        )
        await tx.execute(
            "UPDATE work_item SET lease = NULL, held_by = NULL WHERE id = :id AND held_by IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM process p WHERE p.id = work_item.held_by AND p.alive_until > :now)",
            id=item_id,
            now=tx.now,
        )
        return item_id

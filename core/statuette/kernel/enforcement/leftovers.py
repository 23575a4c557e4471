"""Objects that are written although their record has ended.

A process that is paused, or thought dead, or whose store is slow may store an object after the enforcer has deleted its record:
then no row tells of the object, and no deadline would ever remove it. So whoever ends a record that was still being written
puts on record that the place is to be emptied again, once no writer can be at it any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.kernel.work.queues import ENFORCEMENT
from statuette.policy.enforcers import enforces
from statuette.ports.storage import Storage, StorageUnavailable

ACTOR = "remove_leftovers"
# Far longer than a store is waited for; S3 refuses what was signed earlier.
WRITERS_ARE_GONE_AFTER = timedelta(minutes=15)
_STORE_IS_ASKED_AGAIN_AFTER = timedelta(seconds=15)


@enforces("upload.derived")
async def destroy(storage: Storage, prefix: str) -> int:
    """Delete every object below `prefix`, versions too, and make sure of it; returns how many. Raises `StorageUnavailable`."""
    keys = [found.key async for found in storage.list(prefix)]
    if keys:
        await storage.delete_many(keys)
    await storage.purge_versions(prefix)
    # The check is independent of what the deletion reported: it asks the store anew, by prefix and by key.
    left = [found.key async for found in storage.list(prefix)]
    left.extend([key for key in keys if await storage.head(key) is not None])
    if left:
        raise StorageUnavailable("Objects are still there after their deletion.", objects=len(left))
    return len(keys)


class Leftovers:
    """Empties prefixes whose record has ended. Ids are never used again, so nothing else can be below them."""

    def __init__(self, database: Database, outbox: Outbox, storage: Storage) -> None:
        self._database = database
        self._outbox = outbox
        self._storage = storage

    async def expect(self, tx: Transaction, prefixes: Iterable[str], *, at_once: bool = False) -> None:
        """Have prefixes emptied when no writer can be at them any more, or at once."""
        for prefix in prefixes:
            await self._outbox.put(
                tx,
                queue=ENFORCEMENT,
                actor=ACTOR,
                subject_id=prefix,
                due_at=tx.now if at_once else tx.now + WRITERS_ARE_GONE_AFTER,
            )

    async def remove(self, prefixes: Iterable[str]) -> None:
        """Empty prefixes now: what we have just written ourselves. If the store is down, it is done later."""
        for prefix in prefixes:
            try:
                await destroy(self._storage, prefix)
            except StorageUnavailable:
                async with self._database.transaction() as tx:
                    await self.expect(tx, (prefix,))

    async def run(self, claimed: Claimed) -> None:
        """Empty one prefix."""
        try:
            await destroy(self._storage, claimed.subject_id)
        except StorageUnavailable:
            async with self._database.transaction() as tx:
                await self._outbox.postpone(tx, claimed, tx.now + _STORE_IS_ASKED_AGAIN_AFTER)
            return
        async with self._database.transaction() as tx:
            await self._outbox.finish(tx, claimed)

    async def poisoned(self, tx: Transaction, prefix: str) -> None:
        """It stays to be done. The runner raises the finding."""
        await self.expect(tx, (prefix,))

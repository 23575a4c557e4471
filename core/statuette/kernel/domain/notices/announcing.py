"""Announcing a published version: a letter to every account, prepared in batches that resume where they stopped.

A batch writes its letters and how far it came in one transaction, so that a crash leaves nobody out and prepares nobody's twice.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.notices import service
from statuette.kernel.work.outbox import Claimed, Outbox

BATCH = 100
"""Accounts in one transaction."""
WAITING_AT_MOST = 500
"""Letters of one version that wait at once: others' letters get their turn between them."""
_LOOK_AGAIN_AFTER = timedelta(seconds=1)


class Announcing:
    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def run(self, claimed: Claimed) -> None:
        """Prepare the next batch of letters about a version."""
        await self._database.run(partial(self._announce, claimed=claimed))

    async def poisoned(self, tx: Transaction, version_id: str) -> str | None:
        """The announcement ended in disorder too often. The runner raises the finding."""
        version = await service.version_by_id(tx, version_id)
        return version.brand_id if version is not None else None

    async def _announce(self, tx: Transaction, *, claimed: Claimed) -> None:
        await self._outbox.hold(tx, claimed)
        version = await service.version_by_id(tx, claimed.subject_id)
        if version is None or version.announced_at is not None:
            await self._outbox.finish(tx, claimed)
            return
        if await service.waiting(tx, version.id, WAITING_AT_MOST) >= WAITING_AT_MOST:
            await self._outbox.postpone(tx, claimed, tx.now + _LOOK_AGAIN_AFTER)
            return
        after = await service.announced_upto(tx, version.id)
        found = await accounts.of_brand(
            tx, version.brand_id, after=after, made_before=version.published_at, limit=BATCH
        )
        last = len(found) < BATCH
        await service.announce(tx, self._outbox, version, found, last=last)
        if last:
            await self._outbox.finish(tx, claimed)
        else:
            await self._outbox.postpone(tx, claimed, tx.now)

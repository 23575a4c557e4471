"""Preparing news: a letter for each account that agreed to them, in batches that resume where they stopped."""

from __future__ import annotations

from functools import partial

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.domain.brands.directory import BrandDirectory
from statuette.kernel.domain.news import service
from statuette.kernel.work.outbox import Claimed, Outbox


class Preparing:
    def __init__(self, database: Database, outbox: Outbox, brands: BrandDirectory) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands

    async def run(self, claimed: Claimed) -> None:
        """Ask for the next batch of letters."""
        await self._brands.fresh()
        await self._database.run(partial(self._prepare, claimed=claimed))

    async def poisoned(self, tx: Transaction, letter_id: str) -> str | None:
        """The preparation ended in disorder too often. The runner raises the finding."""
        letter = await service.by_id(tx, letter_id)
        return letter.brand_id if letter is not None else None

    async def _prepare(self, tx: Transaction, *, claimed: Claimed) -> None:
        await self._outbox.hold(tx, claimed)
        letter = await service.by_id(tx, claimed.subject_id)
        brand = await self._brands.by_id(letter.brand_id) if letter is not None else None
        if brand is None or await service.prepare(tx, self._outbox, claimed.subject_id, brand.policy):
            await self._outbox.finish(tx, claimed)
        else:
            await self._outbox.postpone(tx, claimed, tx.now)

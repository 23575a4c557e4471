"""Writing news, and ending it for oneself."""

from __future__ import annotations

from collections.abc import Mapping

from statuette.errors import NotFound
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.consent import texts
from statuette.kernel.domain.news import service
from statuette.kernel.domain.news.repository import NewsRow
from statuette.kernel.idempotency.once import Once
from statuette.kernel.mail.unsubscribe import Ended, Unsubscribing
from statuette.kernel.mail.wording import Wording
from statuette.kernel.work.outbox import Outbox


class NewsFlow:
    def __init__(
        self, database: Database, outbox: Outbox, brands: BrandDirectory, unsubscribing: Unsubscribing
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands
        self._unsubscribing = unsubscribing

    async def write(
        self, brand: LoadedBrand, texts: Mapping[str, Wording], *, created_by: str, once: Once | None
    ) -> str:
        """Accept a letter to all, or find the one that the same keyed request made; returns its id. Raises `NewsNotOffered`."""

        async def accept(tx: Transaction) -> str:
            if once is not None and (made := await once.begin(tx)) is not None:
                return made.resource_id
            letter_id = await service.write(
                tx, self._outbox, brand_id=brand.id, texts=texts, created_by=created_by, policy=brand.policy
            )
            if once is not None:
                await once.finish(tx, status=202, resource_id=letter_id)
            return letter_id

        return await self._database.run(accept)

    async def read(self, brand: LoadedBrand, letter_id: str) -> NewsRow:
        """Raises `NotFound`."""
        async with self._database.read() as reader:
            return await service.get(reader, brand.id, letter_id)

    def ended(self, token: str) -> Ended:
        """What an address in a letter would end. Raises `NotFound` for one that is not ours."""
        found = self._unsubscribing.read(token)
        if found is None:
            raise NotFound("This address ends nothing.")
        return found

    async def unsubscribe(self, token: str) -> None:
        """Take back the consent that letters rested on; durable on return, once. Raises `NotFound`."""
        ended = self.ended(token)
        await self._brands.fresh()
        brand = await self._brands.by_id(ended.brand_id)

        async def decline(tx: Transaction) -> None:
            gone = await accounts.addressee(tx, brand.id, ended.account_id) is None
            if gone or not await consent.is_granted(tx, brand.id, ended.account_id, ended.purpose, brand.policy):
                return
            await consent.decide(
                tx,
                brand_id=brand.id,
                account_id=ended.account_id,
                purpose=ended.purpose,
                granted=False,
                seen_statement_digest=None,
                policy=brand.policy,
                locale=texts.ENGLISH,
                surface="letter",
                method="unsubscribe",
            )

        await self._database.run(decline)

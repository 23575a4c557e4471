"""Publishing, as operators do it, and what is to be published."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.notices import service
from statuette.kernel.domain.notices.rendering import rendered
from statuette.kernel.domain.notices.repository import VersionRow
from statuette.kernel.domain.notices.service import Pending
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Outbox
from statuette.policy.diff import ChangeClass, Difference
from statuette.policy.document import PolicyDocument, document


class Letters(msgspec.Struct, frozen=True):
    """How far the letters about a version have got. `ended_at`: when the last of them had been prepared."""

    queued: int
    sent: int
    refused: int
    not_sent: int
    nobody: int
    prepared_at: datetime | None


class Published(msgspec.Struct, frozen=True):
    """What publishing did for a brand, or with `dry_run` would do. `number` is the version that is published now."""

    brand: str
    needed: bool
    number: int
    change: str
    asks: tuple[str, ...]
    differences: tuple[Difference, ...]
    dry_run: bool


class PublishingFlow:
    def __init__(self, database: Database, outbox: Outbox, brands: BrandDirectory, plugins: PluginRegistry) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands
        self._plugins = plugins
        self._noticed: set[tuple[str, str]] = set()

    def document(self, brand: LoadedBrand) -> PolicyDocument:
        """The brand's policy as this process has it."""
        return document(brand.policy, self._plugins.processors())

    async def pending(self, brand: LoadedBrand) -> Pending:
        """What publishing would do."""
        async with self._database.read() as reader:
            return await service.pending(reader, brand.id, self.document(brand))

    async def publish(
        self, brand: LoadedBrand, *, approved_by: str, effective_at: datetime | None = None, expected: str | None = None
    ) -> VersionRow:
        """Publish what this process has. In force from the next look at the brands on, at most five seconds later.

        Args:
            expected: digest of the document that was looked at.

        Raises:
            NothingToPublish; PublishedMeanwhile, also when the document is another than the one expected.
        """
        new = self.document(brand)
        if expected is not None and expected != new.digest():
            raise service.PublishedMeanwhile("What would be published is not what was looked at.")
        notices = rendered(brand.policy, self._plugins.processors(), brand.config)
        row = await self._database.run(
            lambda tx: service.publish(
                tx,
                self._outbox,
                brand_id=brand.id,
                new=new,
                notices=notices,
                approved_by=approved_by,
                effective_at=effective_at,
            )
        )
        await self._brands.refresh()
        return row

    async def published(self, brand: LoadedBrand, *, approved_by: str, dry_run: bool) -> Published:
        """Publish if there is anything to publish, and say what."""
        found = await self.pending(brand)
        number = found.since.number if found.since is not None else 0
        if found.needed and not dry_run:
            digest = found.document.digest()
            number = (await self.publish(brand, approved_by=approved_by, expected=digest)).number
        compared = found.comparison
        return Published(
            brand.slug, found.needed, number, compared.change.value, compared.asks, compared.differences, dry_run
        )

    async def letters(self, version: VersionRow) -> Letters:
        async with self._database.read() as reader:
            counted = await service.letters_of(reader, version.id)
        named = {name: counted.get(name, 0) for name in ("queued", "sent", "refused", "not_sent", "nobody")}
        return Letters(**named, prepared_at=version.announced_at)

    async def look(self) -> int:
        """Publish first versions, and raise a finding for what is in force and not published; returns how many. A duty."""
        await self._brands.fresh()
        found = 0
        for brand in self._brands.loaded():
            digest = self.document(brand).digest()
            known = brand.policy.publication
            if (brand.id, digest) in self._noticed or (known is not None and known.digest == digest):
                continue
            found += 1
            pending = await self.pending(brand)
            if pending.comparison.change is ChangeClass.initial:
                await self.publish(brand, approved_by=service.PLATFORM)
            elif pending.needed:
                await self._database.run(lambda tx, b=brand.id, d=digest: _report(tx, b, d))  # type: ignore[misc]
            self._noticed.add((brand.id, digest))
        return found


async def _report(tx: Transaction, brand_id: str, digest: str) -> None:
    await findings.raise_finding(
        tx, code="policy_not_published", subject=brand_id, detail=digest[:120], brand_id=brand_id
    )

"""Whether what people state is on record for the photos that lie here: looked at in the rows themselves."""

from __future__ import annotations

from datetime import timedelta

from statuette.kernel.db.database import Database
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.statements import repository
from statuette.kernel.domain.statements.repository import TakenIn
from statuette.kernel.domain.statements.service import purpose_of
from statuette.kernel.domain.statements.words import ADULT, of_uploads, wordings
from statuette.kernel.probes import Checked

_SAMPLED = 200
# Every process knows a changed brand by then, and what it began under the old one has ended.
_KNOWN_AFTER = timedelta(minutes=20)
_CURE = "Find out what took it in, and delete it."


class StatementProbes:
    def __init__(self, database: Database, brands: BrandDirectory) -> None:
        self._database = database
        self._brands = brands

    async def accounts(self) -> Checked:
        """Where a site is for adults, nothing is taken in from somebody who has not said that they are one."""
        async with self._database.read() as reader:
            silent = await repository.photos_of_the_silent(reader, purpose_of(ADULT), _SAMPLED)
        found = [photo for brand, photo in await self._since_changes(silent) if brand.config.adults_only]
        if found:
            return Checked("account_statements", False, f"{len(found)} photos of people who did not state it", _CURE)
        return Checked("account_statements", True, "no photo of anybody who did not state what is asked")

    async def photos(self) -> Checked:
        """About every photo it is on record that its owner may use it, in words in force when it was taken in."""
        async with self._database.read() as reader:
            newest = await self._since_changes(await repository.newest_photos(reader, _SAMPLED))
        for brand, photo in newest:
            if photo.statement_digest not in wordings(of_uploads(brand.config)):
                return Checked("photo_statements", False, "a photo without the statement that is asked for", _CURE)
        return Checked("photo_statements", True, f"{len(newest)} photos looked at")

    async def _since_changes(self, photos: list[TakenIn]) -> list[tuple[LoadedBrand, TakenIn]]:
        """Those that were taken in by a brand as it is now."""
        await self._brands.fresh()
        brands = {brand.id: brand for brand in self._brands.loaded()}
        async with self._database.read() as reader:
            changed = await repository.changes(reader)
        return [
            (brands[photo.brand_id], photo)
            for photo in photos
            if photo.brand_id in brands and photo.created_at > changed[photo.brand_id] + _KNOWN_AFTER
        ]

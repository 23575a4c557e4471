"""Units of work on usage."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from statuette.errors import InvalidInput
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.figurines import service as figurines
from statuette.kernel.domain.usage import service
from statuette.kernel.domain.usage.device import Device
from statuette.kernel.domain.usage.schemas import PageVisit, RatingView, UsageCellView
from statuette.kernel.domain.usage.service import CellRow
from statuette.kernel.domain.usage.weeks import week_named
from statuette.kernel.idempotency.once import Once


class UnknownWeek(InvalidInput):
    code = "unknown_week"
    summary = "A week is named by its first day, a Monday, such as 2026-11-23."


class UsageFlow:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def visits(
        self, brand: LoadedBrand, account_id: str, seen: Sequence[PageVisit], device: Device, once: Once | None
    ) -> int:
        """Note what a front end tells; returns how many of it. A repeated keyed request notes nothing more."""

        async def note(tx: Transaction) -> int:
            if once is not None and (made := await once.begin(tx)) is not None:
                return int(made.resource_id)
            noted = 0
            for each in seen:
                noted += await service.visited(
                    tx,
                    brand_id=brand.id,
                    account_id=account_id,
                    page=each.page,
                    seconds=each.seconds,
                    device=device,
                    policy=brand.policy,
                )
            if once is not None:
                await once.finish(tx, status=202, resource_id=str(noted))
            return noted

        return await self._database.run(note)

    async def rate(
        self, brand: LoadedBrand, account_id: str, figurine_id: str, stars: int, device: Device
    ) -> RatingView:
        """Raises `NotFound`, `PurposeDeclined`."""

        async def rate(tx: Transaction) -> None:
            figurine = await figurines.get(tx, brand.id, account_id, figurine_id)
            await service.rate(
                tx,
                brand_id=brand.id,
                account_id=account_id,
                figurine_id=figurine.id,
                generation_id=figurine.generation_id,
                stars=stars,
                device=device,
                policy=brand.policy,
            )

        await self._database.run(rate)
        return RatingView(figurine_id, stars)

    async def rating(self, brand: LoadedBrand, account_id: str, figurine_id: str) -> RatingView:
        """Raises `NotFound`."""
        async with self._database.read() as reader:
            figurine = await figurines.get(reader, brand.id, account_id, figurine_id)
            return RatingView(figurine.id, await service.stars(reader, account_id, figurine.id, brand.policy))

    async def forget_rating(self, brand: LoadedBrand, account_id: str, figurine_id: str) -> None:
        """Raises `NotFound`."""

        async def forget(tx: Transaction) -> None:
            figurine = await figurines.get(tx, brand.id, account_id, figurine_id)
            await service.forget_rating(tx, brand_id=brand.id, account_id=account_id, figurine_id=figurine.id)

        await self._database.run(forget)

    async def report(self, brand_id: str, *, week: str | None, before: str | None, limit: int) -> list[CellRow]:
        """Raises `UnknownWeek`."""
        if week is not None:
            try:
                week_named(week)
            except ValueError:
                raise UnknownWeek() from None
        async with self._database.read() as reader:
            return await service.report(reader, brand_id, week=week, before=before, limit=limit)


def shown(cell: CellRow) -> UsageCellView:
    return msgspec.convert(cell, UsageCellView, from_attributes=True)

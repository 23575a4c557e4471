"""Legal holds over HTTP, for operators."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody, QueryParameter

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.enforcement import holds
from statuette.kernel.enforcement.holds import HoldReason, HoldView, Placed
from statuette.kernel.http.answers import decode_cursor, encode_cursor
from statuette.kernel.http.principal import Principal
from statuette.kernel.platform import Platform


class HoldRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes:
    subject: id of an account, photo, figurine or job.
    reference: your own, such as a case number; no names.
    """

    subject: Annotated[str, msgspec.Meta(max_length=40, examples=["acc_01kf0rdqg0g2ws8pydy3yevfrn"])]
    reason: HoldReason
    reference: Annotated[str, msgspec.Meta(max_length=holds.LONGEST_REFERENCE)] = ""


class HoldPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[HoldView]
    next_cursor: str | None


class AdminHoldRoutes(Controller):
    path = "/admin/v1/holds"
    tags = ["Admin"]

    @get(opt={"scope": "holds:read"}, summary="List legal holds")
    async def listing(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
        lifted: Annotated[bool, QueryParameter(description="Also those that were lifted.")] = False,
    ) -> HoldPage:
        """Of this brand, newest first."""
        before = decode_cursor(cursor, "hld")
        async with platform.database.read() as reader:
            rows = await holds.listed(reader, brand_id=brand.id, include_lifted=lifted, before=before, limit=limit + 1)
        return HoldPage(rows[:limit], encode_cursor(rows[limit - 1].id) if len(rows) > limit else None)

    @post(opt={"scope": "holds:write"}, summary="Place a legal hold")
    async def place(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        data: JSONBody[HoldRequest],
    ) -> Placed:
        """What the subject names stays until the hold is lifted: past its deadline it is out of sight, and not deleted.

        `too_late` names what was being deleted already.
        """
        async with platform.database.transaction() as tx:
            return await holds.place(
                tx,
                platform.datasets,
                brand_id=brand.id,
                subject=data.subject,
                reason=data.reason,
                reference=data.reference,
                placed_by=principal.id,
            )

    @post("/{hold_id:str}/lift", status_code=200, opt={"scope": "holds:write"}, summary="Lift a legal hold")
    async def lift(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        hold_id: FromPath[str],
    ) -> HoldView:
        """What is past its deadline is deleted soon, unless another hold keeps it. Lifting twice is fine."""
        async with platform.database.transaction() as tx:
            return await holds.lift(tx, brand_id=brand.id, hold_id=hold_id, lifted_by=principal.id)

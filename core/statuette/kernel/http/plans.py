"""Enforcement plans over HTTP, for operators."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody, QueryParameter

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.enforcement import plans
from statuette.kernel.enforcement.plans import Drafted, PlanView
from statuette.kernel.http.answers import decode_cursor, encode_cursor
from statuette.kernel.http.principal import Principal
from statuette.kernel.platform import Platform


class PlanRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes:
    rules: plan for these only; none: for all that would move anything.
    """

    rules: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=80)]], msgspec.Meta(max_length=100, examples=[["upload.used"]])
    ] = []


class PlanPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[PlanView]
    next_cursor: str | None


class AdminPlanRoutes(Controller):
    path = "/admin/v1/plans"
    tags = ["Admin"]

    @get(opt={"scope": "policy:plan"}, summary="List enforcement plans")
    async def listing(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> PlanPage:
        """Of this brand, newest first."""
        before = decode_cursor(cursor, "pln")
        async with platform.database.read() as reader:
            rows = await plans.listed(reader, brand_id=brand.id, before=before, limit=limit + 1)
        return PlanPage(rows[:limit], encode_cursor(rows[limit - 1].id) if len(rows) > limit else None)

    @post(opt={"scope": "policy:plan"}, summary="Draft an enforcement plan")
    async def draft(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        data: JSONBody[PlanRequest],
    ) -> Drafted:
        """What deadlines will do by when; and, if the policy in force brings some forward, a plan that waits for approval.

        The answer takes as long as a look at every deadline does: minutes for millions.
        """
        return await platform.plans.draft(brand.id, created_by=principal.id, rules=data.rules)

    @post("/{plan_id:str}/approve", status_code=200, opt={"scope": "policy:approve"}, summary="Approve a plan")
    async def approve(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        plan_id: FromPath[str],
    ) -> PlanView:
        """The scheduler moves what the plan forecast. Approving twice is fine."""
        return await platform.plans.approve(brand.id, plan_id, approved_by=principal.id)

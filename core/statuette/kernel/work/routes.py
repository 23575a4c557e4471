"""Findings over HTTP, for operators."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, QueryParameter

from statuette.errors import NotFound
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.http.answers import decode_cursor, encode_cursor
from statuette.kernel.platform import Platform
from statuette.kernel.work import findings
from statuette.kernel.work.findings import FindingView


class FindingPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[FindingView]
    next_cursor: str | None


class AdminFindingRoutes(Controller):
    path = "/admin/v1/findings"
    tags = ["Admin"]

    @get(opt={"scope": "findings:read"}, summary="List findings")
    async def listing(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
        resolved: Annotated[bool, QueryParameter(description="Also those that were dealt with.")] = False,
    ) -> FindingPage:
        """What needs a look: of this brand, newest first."""
        before = decode_cursor(cursor, "fnd")
        async with platform.database.read() as reader:
            rows = await findings.listed(
                reader, brand_id=brand.id, include_resolved=resolved, before=before, limit=limit + 1
            )
        return FindingPage(rows[:limit], encode_cursor(rows[limit - 1].id) if len(rows) > limit else None)

    @post("/{finding_id:str}/resolve", status_code=204, opt={"scope": "findings:write"}, summary="Resolve a finding")
    async def resolve(
        self, platform: Injected[Platform], brand: Injected[LoadedBrand], finding_id: FromPath[str]
    ) -> None:
        """Say that it was dealt with. It opens again when it happens again."""
        async with platform.database.transaction() as tx:
            if not await findings.resolve(tx, finding_id, brand.id):
                raise NotFound()

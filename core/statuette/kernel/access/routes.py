"""Who uncovered what, for whoever supervises."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency as Injected
from litestar.params import QueryParameter

from statuette.kernel.access import reveals
from statuette.kernel.access.schemas import RevealPage, RevealView
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.http.answers import decode_cursor, encode_cursor
from statuette.kernel.platform import Platform


class AdminRevealRoutes(Controller):
    path = "/admin/v1/reveals"
    tags = ["Admin"]

    @get(opt={"scope": "reveals:read"}, summary="List who uncovered what")
    async def listing(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account: Annotated[str | None, QueryParameter(max_length=60, description="Of this account alone.")] = None,
        key: Annotated[str | None, QueryParameter(max_length=60, description="By this key alone.")] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> RevealPage:
        """Newest first: which key, whom and what it was about, when, and the reason that was given. Not what was seen."""
        before = decode_cursor(cursor, "rvl")
        async with platform.database.read() as reader:
            rows = await reveals.listed(reader, brand.id, account_id=account, actor=key, before=before, limit=limit + 1)
        more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
        return RevealPage([RevealView.of(row) for row in rows[:limit]], more)

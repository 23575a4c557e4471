"""Usage over HTTP: what front ends tell, what people think of figurines, and what operators may know of all together."""

from __future__ import annotations

import re
from typing import Annotated, Any

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody, QueryParameter

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.usage.device import device_of
from statuette.kernel.domain.usage.flow import shown
from statuette.kernel.domain.usage.schemas import RatingRequest, RatingView, UsageEvents, UsageRecorded, UsageReport
from statuette.kernel.http.answers import MalformedCursor, answer, decode_text, encode_cursor
from statuette.kernel.idempotency.once import Once
from statuette.kernel.platform import Platform

_PLACE = re.compile(r"\d{4}-\d\d-\d\d\.\d{5}")


class UsageRoutes(Controller):
    path = "/v1/usage"
    tags = ["Usage"]

    @post("/events", status_code=202, summary="Tell how long pages were open")
    async def events(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        once: Injected[Once | None],
        data: JSONBody[UsageEvents],
    ) -> UsageRecorded:
        """Noted only while the person lets their use be counted (`analytics`); what styles they choose is noted without you.

        Send several at once, for instance when a page is left (`navigator.sendBeacon` sends no headers: use `fetch` with
        `keepalive`).
        """
        recorded = await platform.usage.visits(brand, account_id, data.events, device_of(request.scope), once)
        return UsageRecorded(recorded)


class RatingRoutes(Controller):
    path = "/v1/figurines/{figurine_id:str}/rating"
    tags = ["Figurines"]

    @put(summary="Rate a figurine")
    async def rate(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        figurine_id: FromPath[str],
        data: JSONBody[RatingRequest],
    ) -> RatingView:
        """In place of what you thought before. A rating is there to be counted: 403 `purpose_declined` if you are not."""
        return await platform.usage.rate(brand, account_id, figurine_id, data.stars, device_of(request.scope))

    @get(summary="Read your rating")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        figurine_id: FromPath[str],
    ) -> Response[bytes]:
        return answer(request, await platform.usage.rating(brand, account_id, figurine_id))

    @delete(status_code=204, summary="Take your rating back")
    async def forget(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        figurine_id: FromPath[str],
    ) -> None:
        await platform.usage.forget_rating(brand, account_id, figurine_id)


class AdminUsageRoutes(Controller):
    path = "/admin/v1/usage"
    tags = ["Admin"]
    opt = {"scope": "usage:read"}

    @get(summary="How the site is used, by week")
    async def report(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        week: Annotated[
            str | None, QueryParameter(description="Only this week, by its first day, a Monday.", max_length=10)
        ] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[bytes]:
        """The latest week first, once it has been over for a day. Numbers are give or take a few, and small ones are left out."""
        before = decode_text(cursor)
        if before is not None and not _PLACE.fullmatch(before):
            raise MalformedCursor()
        rows = await platform.usage.report(brand.id, week=week, before=before, limit=limit + 1)
        more = encode_cursor(rows[limit - 1].place) if len(rows) > limit else None
        return answer(request, UsageReport([shown(row) for row in rows[:limit]], more))

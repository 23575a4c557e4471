"""Jobs over HTTP: order, watch, cancel."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.response import Stream

from statuette.errors import InvalidInput, NotFound, Unauthenticated
from statuette.kernel.db.database import Transaction
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.generations import repository, shown, views, watching
from statuette.kernel.domain.generations.outcomes import State
from statuette.kernel.domain.generations.schemas import (
    AttemptView,
    GenerationPage,
    GenerationRequest,
    GenerationView,
    StreamTicketView,
)
from statuette.kernel.domain.usage.device import device_of
from statuette.kernel.events import tickets
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.http.headers import first
from statuette.kernel.http.requests import ApiRequest
from statuette.kernel.platform import Platform

_MAX_WAIT_SECONDS = 60
_PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,3})(?:$|[,;\s])")
_RETRY_AFTER_SECONDS = 1
_LAST_SEQ = 2**31 - 1

Limit = Annotated[int, QueryParameter(ge=1, le=100, description="Most items on a page.")]
Cursor = Annotated[str | None, QueryParameter(description="`next_cursor` of the page before.", max_length=200)]


class InvalidState(InvalidInput):
    code = "invalid_state"
    summary = "There is no such state."


class GenerationRoutes(Controller):
    path = "/v1/generations"
    tags = ["Generations"]
    request_class = ApiRequest

    @post(status_code=202, summary="Order figurines")
    async def order(self, request: ApiRequest, data: JSONBody[GenerationRequest]) -> Response[GenerationView]:
        """Accept a job and hold its credits. Answers 202 as soon as the job is durable; `Prefer: wait=n` waits for its end.

        A redo needs nothing but `parent`. Send an `Idempotency-Key`, so that a repeated request is not a second job.
        """
        platform, brand, account_id = request.platform, request.brand, request.account_id
        platform.buckets.take(
            f"generations:{account_id}", limit=brand.config.limits.generations_per_hour, window_seconds=3600
        )
        generation_id = await platform.generation_flow.order(
            brand, account_id, data, await request.once(), device_of(request.scope)
        )
        return await _watched(request, generation_id, ordered=True)

    @get(summary="List jobs")
    async def listing(
        self,
        request: ApiRequest,
        limit: Limit = 20,
        cursor: Cursor = None,
        job_state: Annotated[str | None, QueryParameter(name="state", description="Only jobs in this state.")] = None,
    ) -> Response[GenerationPage]:
        """Newest first."""
        if job_state is not None and job_state not in set(State):
            raise InvalidState(allowed=[state.value for state in State])
        before = decode_cursor(cursor, "gen")
        async with request.platform.database.read() as reader:
            rows = await shown.page(
                reader, request.brand.id, request.account_id, before=before, state=job_state, limit=limit + 1
            )
        items = [views.generation(request.platform, row) for row in rows[:limit]]
        more = encode_cursor(rows[limit - 1].job.id) if len(rows) > limit else None
        return answer(request, GenerationPage(items, more))

    @get("/{generation_id:str}", summary="Read a job")
    async def read(self, request: ApiRequest, generation_id: FromPath[str]) -> Response[GenerationView]:
        """The job as it is now. `Prefer: wait=n` answers when it ends, or after `n` seconds (60 at most)."""
        return await _watched(request, generation_id, ordered=False)

    @post("/{generation_id:str}/cancel", status_code=200, summary="Cancel a job")
    async def cancel(self, request: ApiRequest, generation_id: FromPath[str]) -> Response[GenerationView]:
        """End a job early. Pictures it has made stay and are paid for; the rest of the hold is released."""
        await request.platform.generation_flow.cancel(request.brand, request.account_id, generation_id)
        return answer(request, await _view(request, generation_id))

    @post("/{generation_id:str}/stream-tickets", status_code=201, summary="Get a ticket for a stream")
    async def ticket(self, request: ApiRequest, generation_id: FromPath[str]) -> StreamTicketView:
        """For `EventSource`, which sends no headers. Good once, for a minute."""
        platform, brand, account_id = request.platform, request.brand, request.account_id

        async def issue(tx: Transaction) -> tuple[str, datetime]:
            if await repository.get(tx, brand.id, account_id, generation_id) is None:
                raise NotFound()
            return await tickets.issue(tx, brand_id=brand.id, account_id=account_id, generation_id=generation_id)

        ticket, expires_at = await platform.database.run(issue)
        url = f"{platform.settings.public_url}/v1/generations/{generation_id}/events?ticket={ticket}"
        return StreamTicketView(ticket, url, expires_at)

    @get("/{generation_id:str}/events", opt={"public": True}, summary="Watch a job")
    async def events(
        self,
        request: ApiRequest,
        generation_id: FromPath[str],
        ticket: Annotated[str | None, QueryParameter(description="From `stream-tickets`.", max_length=100)] = None,
        last_event_id: Annotated[int | None, HeaderParameter(name="Last-Event-ID", ge=0, le=_LAST_SEQ)] = None,
        after: Annotated[
            int | None, QueryParameter(ge=0, le=_LAST_SEQ, description="Like `Last-Event-ID`, for a first connection.")
        ] = None,
    ) -> Stream:
        """Server-sent events, from the first one or after `Last-Event-ID`; ends with the job.

        An account may watch some dozens of jobs at once; beyond that, 429.
        """
        platform, brand, account_id = request.platform, request.brand, request.principal.account_id
        if ticket is not None:
            passed = await platform.database.run(partial(tickets.redeem, ticket=ticket))
            if passed is None or passed.generation_id != generation_id or passed.brand_id != brand.id:
                raise Unauthenticated("The stream ticket is unknown, used or expired.")
            account_id = passed.account_id
        if account_id is None:
            raise Unauthenticated()
        async with platform.database.read() as reader:
            if await repository.get(reader, brand.id, account_id, generation_id) is None:
                raise NotFound()
        platform.hub.admit(account_id)
        return Stream(
            watching.stream(platform, brand.id, account_id, generation_id, last_event_id or after or 0),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )


class AdminGenerationRoutes(Controller):
    path = "/admin/v1/generations"
    tags = ["Admin"]

    @get("/{generation_id:str}/attempts", opt={"scope": "generations:read"}, summary="Calls made for a job")
    async def attempts(
        self, platform: Injected[Platform], brand: Injected[LoadedBrand], generation_id: FromPath[str]
    ) -> list[AttemptView]:
        """Every call to a provider, with its outcome and cost."""
        async with platform.database.read() as reader:
            if await repository.get(reader, brand.id, None, generation_id) is None:
                raise NotFound()
            rows = await repository.attempts(reader, generation_id)
        return [msgspec.convert(row, AttemptView, from_attributes=True) for row in rows]


async def _watched(request: ApiRequest, generation_id: str, *, ordered: bool) -> Response[GenerationView]:
    """The job now, or once it has ended within the time the caller prefers to wait."""
    prefer = first(request.scope, b"prefer")
    match = _PREFER_WAIT.search(prefer) if prefer else None
    wait_seconds = min(_MAX_WAIT_SECONDS, int(match.group(1))) if match else 0
    view = await _view(request, generation_id)
    if wait_seconds and not view.final:
        view = await watching.ended(
            request.platform, generation_id, request.account_id, lambda: _view(request, generation_id), wait_seconds
        )
    headers = {}
    if match:
        headers["preference-applied"] = f"wait={wait_seconds}"
    if ordered:
        headers["location"] = f"/v1/generations/{generation_id}"
    if not view.final:
        headers["retry-after"] = str(_RETRY_AFTER_SECONDS)
    dues = [figurine.expires_at or figurine.images_expire_at for figurine in view.figurines]
    return answer(
        request,
        view,
        status=202 if ordered and not view.final else 200,
        headers=headers,
        max_age_seconds=30 if view.final else 0,
        due_at=min(dues, default=None),
        now=request.platform.clock.now(),
    )


async def _view(request: ApiRequest, generation_id: str) -> GenerationView:
    """The job as it is now. Raises `NotFound`."""
    async with request.platform.database.read() as reader:
        whole = await shown.whole(reader, request.brand.id, request.account_id, generation_id)
    if whole is None:
        raise NotFound()
    return views.generation(request.platform, whole)

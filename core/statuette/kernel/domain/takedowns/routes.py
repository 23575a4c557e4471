"""Takedowns over HTTP: asked for by anybody, decided by operators, appealed by whoever's picture it is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.response import Stream

from statuette.errors import NotFound
from statuette.kernel.access.schemas import Reveal
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.figurines import service as figurines
from statuette.kernel.domain.takedowns import repository, service
from statuette.kernel.domain.takedowns.flow import view
from statuette.kernel.domain.takedowns.schemas import (
    OwnTakedowns,
    RevealedTakedown,
    TakedownAppeal,
    TakedownDecision,
    TakedownOpened,
    TakedownPage,
    TakedownRequest,
    TakedownState,
    TakedownView,
)
from statuette.kernel.domain.uploads import service as uploads
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.http.principal import Principal
from statuette.kernel.platform import Platform

_AN_HOUR_AND_ADDRESS = 20


class TakedownRoutes(Controller):
    path = "/v1/takedowns"
    tags = ["Site"]
    opt = {"public": True}

    @post(status_code=202, summary="Ask for a picture to be taken down")
    async def ask(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        data: JSONBody[TakedownRequest],
    ) -> TakedownOpened:
        """For anybody, without an account. The picture and its identical copies are out of sight from this answer on, until it is
        decided, at `decide_by` at the latest. The answer does not tell whether there is such a picture.
        """
        address = request.scope["state"]["client_address"]
        platform.buckets.take(f"takedowns:{address}", limit=_AN_HOUR_AND_ADDRESS, window_seconds=3600)
        return await platform.takedowns.open(brand, data)

    @get("/{case_id:str}", summary="What became of a request")
    async def state(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        case_id: FromPath[str],
        token: Annotated[str, HeaderParameter(name="Takedown-Token", max_length=80)],
    ) -> Response[bytes]:
        """With the token that opening it told."""
        async with platform.database.read() as reader:
            case = await service.of_token(reader, brand.id, case_id, token)
        return answer(request, TakedownState(case.id, case.state, case.decide_by, case.decided_at))


class OwnTakedownRoutes(Controller):
    path = "/v1/account/takedowns"
    tags = ["Account"]

    @get(summary="Requests to take pictures of yours down")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
    ) -> Response[bytes]:
        """The newest hundred. Who asked is not told."""
        return answer(request, OwnTakedowns(await platform.takedowns.own(brand, account_id)))

    @post("/{case_id:str}/appeal", status_code=204, summary="Say why your picture should stay")
    async def appeal(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        case_id: FromPath[str],
        data: JSONBody[TakedownAppeal],
    ) -> None:
        """Heard before a decision, and within seven days after one: then it is decided once more."""
        await platform.takedowns.appeal(brand, account_id, case_id, data.message)


class AdminTakedownRoutes(Controller):
    path = "/admin/v1/takedowns"
    tags = ["Admin"]

    @get(opt={"scope": "takedowns:read"}, summary="List requests to take pictures down")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        status: Annotated[
            Literal["open", "deleting", "appealed", "kept", "deleted"] | None, QueryParameter(name="state")
        ] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[bytes]:
        """Newest first."""
        before = decode_cursor(cursor, "tkd")
        async with platform.database.read() as reader:
            rows = await repository.page(reader, brand.id, state=status, before=before, limit=limit + 1)
        more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
        return answer(request, TakedownPage([view(row) for row in rows[:limit]], more))

    @get("/{case_id:str}", opt={"scope": "takedowns:read"}, summary="Read a request to take a picture down")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        case_id: FromPath[str],
    ) -> Response[bytes]:
        """With its pictures; without what was written."""
        return answer(request, await platform.takedowns.read(brand, case_id))

    @post(
        "/{case_id:str}/reveal",
        status_code=200,
        opt={"scope": "takedowns:reveal", "reveals": True},
        summary="Read what was written about a picture",
    )
    async def reveal(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        case_id: FromPath[str],
        data: JSONBody[Reveal],
    ) -> Response[RevealedTakedown]:
        """By whom, and what the pictures' owners say. Who looked, and why, is on record before anything is shown."""
        revealed = await platform.takedowns.revealed(brand, case_id, actor=principal.id, reason=data.reason)
        return Response(revealed, status_code=200, headers={"cache-control": "no-store"})

    @get(
        "/{case_id:str}/pictures/{record_id:str}",
        opt={"scope": "takedowns:decide", "reveals": True},
        summary="See a picture that is to be decided on",
    )
    async def picture(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        case_id: FromPath[str],
        record_id: FromPath[str],
    ) -> Response[Any]:
        """It is hidden from everybody else. Each look is on record, with the reason `to_decide`."""
        found = await platform.takedowns.looked_at(brand, case_id, record_id, actor=principal.id)
        if found.dataset == "figurines":
            key, media_type = figurines.object_key(brand.id, record_id, "1024"), figurines.media_type("1024")
        else:
            key, media_type = uploads.object_key(brand.id, record_id), "image/jpeg"
        if await platform.plugins.storage.head(key) is None:
            raise NotFound()
        stream = platform.plugins.storage.stream(key)
        return Stream(stream, media_type=media_type, headers={"cache-control": "no-store"})

    @post(
        "/{case_id:str}/decision",
        status_code=200,
        opt={"scope": "takedowns:decide"},
        summary="Decide on a request to take a picture down",
    )
    async def decide(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        case_id: FromPath[str],
        data: JSONBody[TakedownDecision],
    ) -> TakedownView:
        """`keep` shows the pictures again. `delete` deletes them after seven days for their owner to appeal, and at once where
        they did. What a legal hold names stays, out of sight.
        """
        return await platform.takedowns.decide(brand, case_id, data.decision, principal.id)

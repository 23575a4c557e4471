"""Privacy requests over HTTP: for people, for operators, and for whoever holds the address of a receipt."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from statuette.errors import NotFound, Unauthenticated
from statuette.kernel.access.schemas import Reveal
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.rights import operating
from statuette.kernel.domain.rights.flow import Asked
from statuette.kernel.domain.rights.schemas import (
    AddressChange,
    DownloadLink,
    Extension,
    OperatorRequest,
    OperatorRequestPage,
    PrivacyRequestBody,
    PrivacyRequestPage,
    PrivacyRequestResponse,
    Refusal,
    Revealed,
)
from statuette.kernel.evidence import holders
from statuette.kernel.evidence.routes import ReceiptNotSealed
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.http.principal import Principal
from statuette.kernel.idempotency.once import Once
from statuette.kernel.platform import Platform

_RECEIPTS_PER_MINUTE = 30
_COPIES_PER_MINUTE = 10


class AddressRoutes(Controller):
    path = "/v1/account/email"
    tags = ["Account"]

    @put(summary="Change your address")
    async def change(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        data: JSONBody[AddressChange],
    ) -> PrivacyRequestResponse:
        """Both addresses take part: a code to the old one within ten minutes before (`POST /v1/session/confirm`), one to the new.

        The old address gets a letter, and what it was stays on record, encrypted, as long as the request does.
        """
        if principal.account_id is None or principal.session_id is None:
            raise Unauthenticated()
        asked = await platform.rights.change_address(
            brand, principal.account_id, principal.session_id, email=data.email, code=data.code
        )
        return _response(asked)


class PrivacyRequestRoutes(Controller):
    path = "/v1/account/requests"
    tags = ["Account"]

    @post(status_code=201, summary="Ask for something by right")
    async def ask(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        once: Injected[Once | None],
        data: JSONBody[PrivacyRequestBody],
    ) -> Response[PrivacyRequestResponse]:
        """Access, portability, correction, erasure, withdrawal, restriction or objection.

        What shows everything or cannot be taken back wants a code that was entered within ten minutes:
        `POST /v1/session/confirm`. Erasing ends every session; signing in again, within the days that the policy leaves, it can
        be taken back.
        """
        if principal.account_id is None or principal.session_id is None:
            raise Unauthenticated()
        asked = await platform.rights.ask(brand, principal.account_id, principal.session_id, data, once)
        if data.kind == "erasure":
            platform.authenticator.forget_account(principal.account_id)
        return Response(
            _response(asked),
            status_code=201,
            headers={"cache-control": "no-store", "location": f"/v1/account/requests/{asked.request.id}"},
        )

    @get(summary="List what you asked for")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[bytes]:
        """Newest first."""
        before = decode_cursor(cursor, "prq")
        rows = await platform.rights.listed(brand, account_id, before=before, limit=limit + 1)
        more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
        return answer(request, PrivacyRequestPage([PrivacyRequestResponse.of(row) for row in rows[:limit]], more))

    @get("/{request_id:str}", summary="Follow a request")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        request_id: FromPath[str],
    ) -> Response[bytes]:
        return answer(request, _response(await platform.rights.read(brand, account_id, request_id)))

    @post("/{request_id:str}/download-links", status_code=201, summary="Get an address of your copy")
    async def download_link(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        request_id: FromPath[str],
    ) -> Response[DownloadLink]:
        """For `access` and `portability`, up to seven days after asking. It works for 15 minutes, without other credentials."""
        if principal.account_id is None or principal.session_id is None:
            raise Unauthenticated()
        url, expires_at = await platform.rights.download_link(
            brand, principal.account_id, principal.session_id, request_id
        )
        return Response(DownloadLink(url, expires_at), status_code=201, headers={"cache-control": "no-store"})

    @post("/{request_id:str}/cancel", status_code=200, summary="Take a request back")
    async def cancel(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        request_id: FromPath[str],
    ) -> PrivacyRequestResponse:
        """An erasure, before its moment; a restriction or an objection, whenever you like; else what is not answered yet."""
        return _response(await platform.rights.cancel(brand, account_id, request_id))


@get(
    "/v1/copies/{brand_id:str}/{request_id:str}",
    opt={"brandless": True, "public": True},
    tags=["Account"],
    summary="Download a copy of your data",
)
async def data_copy(
    request: Request[Any, Any, Any],
    platform: Injected[Platform],
    brand_id: FromPath[str],
    request_id: FromPath[str],
    expires: Annotated[int, QueryParameter(ge=0, le=99_999_999_999)] = 0,
    signature: Annotated[str, QueryParameter(max_length=100)] = "",
) -> Stream:
    """A ZIP: a page to read, JSON for every kind of data, a dictionary, photos and figurines. It is written while it is sent."""
    address = request.scope["state"]["client_address"]
    platform.buckets.take(f"copies:{address}", limit=_COPIES_PER_MINUTE, window_seconds=60)
    pieces = await platform.rights.copy(brand_id, request_id, expires=expires, signature=signature)
    return Stream(
        pieces,
        media_type="application/zip",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="your-data.zip"',
            "Referrer-Policy": "no-referrer",
        },
    )


@get(
    "/v1/erasures/{token:str}",
    opt={"brandless": True, "public": True},
    tags=["Evidence"],
    summary="Download the receipt of an erasure",
)
async def erasure_receipt(
    request: Request[Any, Any, Any], platform: Injected[Platform], token: FromPath[str]
) -> Response[bytes]:
    """For whoever has the address, which was shown and mailed when the erasure was asked for."""
    address = request.scope["state"]["client_address"]
    platform.buckets.take(f"erasures:{address}", limit=_RECEIPTS_PER_MINUTE, window_seconds=60)
    async with platform.database.read() as reader:
        if not await holders.known(reader, token):
            raise NotFound()
        held = await holders.held(reader, token)
        file = await platform.evidence.receipt_file(reader, held) if held is not None else None
    if file is None:
        raise ReceiptNotSealed(cure="Ask again once the account has gone: the letter about the erasure says when.")
    return Response(
        file,
        media_type="application/json",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="erasure.json"',
            "Referrer-Policy": "no-referrer",
        },
    )


class AdminPrivacyRequestRoutes(Controller):
    path = "/admin/v1/privacy-requests"
    tags = ["Admin"]

    @get(opt={"scope": "requests:read"}, summary="List privacy requests")
    async def listing(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
        closed: Annotated[bool, QueryParameter(description="Also those that are over.")] = False,
    ) -> OperatorRequestPage:
        """Those that are not over, newest first."""
        before = decode_cursor(cursor, "prq")
        items = await operating.listed(
            platform.database, brand.id, include_closed=closed, before=before, limit=limit + 1
        )
        return OperatorRequestPage(items[:limit], encode_cursor(items[limit - 1].id) if len(items) > limit else None)

    @get("/{request_id:str}", opt={"scope": "requests:read"}, summary="Read a privacy request")
    async def read(
        self, platform: Injected[Platform], brand: Injected[LoadedBrand], request_id: FromPath[str]
    ) -> OperatorRequest:
        """With every step, and without the words of the person."""
        return await operating.shown(platform.database, brand.id, request_id)

    @post(
        "/{request_id:str}/reveal",
        status_code=200,
        opt={"scope": "requests:reveal", "reveals": True},
        summary="Read what the person wrote",
    )
    async def reveal(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        request_id: FromPath[str],
        data: JSONBody[Reveal],
    ) -> Response[Revealed]:
        """Who read it, and why, becomes a step of the request, which the person sees."""
        revealed = await operating.revealed(
            platform.database, platform.cipher, brand.id, request_id, actor=principal.id, reason=data.reason
        )
        return Response(revealed, status_code=200, headers={"cache-control": "no-store"})

    @post(
        "/{request_id:str}/complete",
        status_code=200,
        opt={"scope": "requests:write"},
        summary="Complete a privacy request",
    )
    async def complete(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        request_id: FromPath[str],
    ) -> OperatorRequest:
        """Say that what was asked for is done. The person is told."""
        return await operating.completed(platform.database, platform.requests, brand.id, request_id, actor=principal.id)

    @post(
        "/{request_id:str}/refuse", status_code=200, opt={"scope": "requests:write"}, summary="Refuse a privacy request"
    )
    async def refuse(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        request_id: FromPath[str],
        data: JSONBody[Refusal],
    ) -> OperatorRequest:
        """Say no, and why. The person is told, and that they may complain."""
        return await operating.refused(
            platform.database, platform.requests, brand.id, request_id, actor=principal.id, reason=data.reason
        )

    @post(
        "/{request_id:str}/extend",
        status_code=200,
        opt={"scope": "requests:write"},
        summary="Take more time for a privacy request",
    )
    async def extend(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        request_id: FromPath[str],
        data: JSONBody[Extension],
    ) -> OperatorRequest:
        """Once, by two months at most in all, and before the first one is over. The person is told."""
        return await operating.extended(
            platform.database,
            platform.requests,
            brand.id,
            request_id,
            actor=principal.id,
            reason=data.reason,
            days=data.days,
        )


def _response(asked: Asked) -> PrivacyRequestResponse:
    return PrivacyRequestResponse.of(asked.request, asked.steps, asked.receipt_address)

"""Consent over HTTP: what data is used for, and the person's say in it."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, put
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody, QueryParameter

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.consent.flow import texts_of
from statuette.kernel.domain.consent.schemas import ConsentHistory, ConsentResponse, ConsentUpdate
from statuette.kernel.domain.generations.service import PURPOSE
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.http.headers import language_of
from statuette.kernel.platform import Platform


class ConsentRoutes(Controller):
    path = "/v1/account/consents"
    tags = ["Account"]

    @get(summary="List purposes and consents")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        locale: Annotated[str | None, QueryParameter(max_length=35)] = None,
    ) -> Response[bytes]:
        """Every purpose that data is used for, in your account's language, with your decision where one is asked for."""
        listed = await platform.consents.purposes(
            brand_id=brand.id, account_id=account_id, policy=brand.policy, locale=locale
        )
        return answer(request, listed)

    @get("/history", summary="List your decisions")
    async def history(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        purpose: Annotated[str | None, QueryParameter(max_length=120)] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[bytes]:
        """Newest first: what was shown, what you said, when and where. Nothing is ever changed or left out."""
        before = decode_cursor(cursor, "con")
        items, more = await platform.consents.history(brand, account_id, purpose=purpose, before=before, limit=limit)
        return answer(request, ConsentHistory(items, encode_cursor(items[-1].record_id) if more else None))

    @put("/{purpose:str}", summary="Give or take back consent")
    async def decide(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        purpose: FromPath[str],
        data: JSONBody[ConsentUpdate],
    ) -> ConsentResponse:
        """Taking consent back is as easy as giving it, and stops queued work at once."""
        decided = await platform.consents.decide(
            brand_id=brand.id,
            account_id=account_id,
            purpose=purpose,
            granted=data.granted,
            statement_digest=data.statement_digest,
            policy=brand.policy,
            locale=language_of(request),
            surface="api",
        )
        if purpose == PURPOSE and not data.granted:
            await platform.generation_flow.consent_withdrawn(brand, account_id)
        return decided


class ConsentTextRoutes(Controller):
    path = "/v1/consents"
    tags = ["Site"]
    opt = {"public": True}

    @get("/texts", summary="Texts to show before somebody decides")
    async def texts(
        self,
        request: Request[Any, Any, Any],
        brand: Injected[LoadedBrand],
        locale: Annotated[str | None, QueryParameter(max_length=35)] = None,
    ) -> Response[bytes]:
        """Each purpose in words, in the language asked for where there is one, else in English."""
        return answer(request, texts_of(brand.policy, locale or language_of(request)), max_age_seconds=60)

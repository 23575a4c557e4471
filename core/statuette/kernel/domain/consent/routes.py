"""Consent over HTTP: what data is used for, and the person's say in it."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, get, put
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.consent.schemas import ConsentResponse, ConsentUpdate
from statuette.kernel.domain.generations.service import PURPOSE
from statuette.kernel.http.answers import answer
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
    ) -> Response[bytes]:
        """Every purpose that data is used for, with your decision where one is asked for."""
        return answer(
            request,
            await platform.consents.purposes(brand_id=brand.id, account_id=account_id, policy=brand.policy),
        )

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
            locale=request.headers.get("accept-language", "en").split(",")[0].split(";")[0][:35] or "en",
            surface="api",
        )
        if purpose == PURPOSE and not data.granted:
            await platform.generation_flow.consent_withdrawn(brand, account_id)
        return decided

"""Credits over HTTP: what an account has, how it came about, and giving it some."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from statuette.errors import InvalidInput
from statuette.kernel.db.database import Transaction
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.credits import service
from statuette.kernel.domain.credits.schemas import BalanceResponse, GrantRequest, HistoryPage, TransferResponse
from statuette.kernel.domain.credits.views import TransferView
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.http.principal import Principal
from statuette.kernel.platform import Platform


class IdempotencyKeyRequired(InvalidInput):
    code = "idempotency_key_required"
    summary = "Credits are only given with an Idempotency-Key."


class CreditRoutes(Controller):
    path = "/v1/credits"
    tags = ["Credits"]

    @get(summary="Read your balance")
    async def balance(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
    ) -> Response[bytes]:
        """What may be spent, what running jobs hold, and what expires when."""
        async with platform.database.read() as reader:
            balance = await service.balance(reader, brand.id, account_id)
        return answer(request, BalanceResponse.of(balance))

    @get("/history", summary="List how credits came and went")
    async def history(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[bytes]:
        """Newest first."""
        before = decode_cursor(cursor, "trf")
        async with platform.database.read() as reader:
            rows = await service.history(reader, brand.id, account_id, before=before, limit=limit + 1)
        more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
        return answer(request, HistoryPage([TransferResponse.of(row) for row in rows[:limit]], more))


class AdminCreditRoutes(Controller):
    path = "/admin/v1/accounts"
    tags = ["Admin"]

    @post("/{account:str}/credits", status_code=201, opt={"scope": "credits:write"}, summary="Grant credits")
    async def grant(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        account: FromPath[str],
        data: JSONBody[GrantRequest],
        idempotency_key: Annotated[
            str | None,
            HeaderParameter(name="Idempotency-Key", max_length=255, description="Makes the grant happen once."),
        ] = None,
    ) -> TransferResponse:
        """Give an account credits. The same key is the same grant, for ever."""
        if idempotency_key is None:
            raise IdempotencyKeyRequired(cure="Send a key of your own, one a grant.")

        async def grant(tx: Transaction) -> TransferView:
            await accounts.require(tx, brand.id, account)
            return await service.grant(
                tx,
                brand_id=brand.id,
                account_id=account,
                amount=data.amount,
                key=f"grant:{idempotency_key}",
                actor=principal.id,
                expires_at=data.expires_at,
            )

        return TransferResponse.of(await platform.database.run(grant))

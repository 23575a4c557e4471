"""Questions over HTTP: asked by anybody, with an account or with a token that asking tells."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.support.asking import AskOperation, read_question
from statuette.kernel.domain.support.owner import Owner
from statuette.kernel.domain.support.schemas import MessageBody, QuestionOpened, QuestionPage, QuestionView
from statuette.kernel.domain.support.serving import served
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.http.principal import Principal
from statuette.kernel.idempotency.once import Once
from statuette.kernel.platform import Platform

_QUESTIONS_AN_HOUR = 20
_MESSAGES_AN_HOUR = 60

Token = Annotated[str, HeaderParameter(name="Support-Token", max_length=80)]


class SupportRoutes(Controller):
    path = "/v1/support"
    tags = ["Site"]
    opt = {"public": True}

    @post(status_code=201, summary="Ask a question", operation_class=AskOperation, opt={"cookie": True})
    async def ask(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
    ) -> QuestionOpened:
        """For anybody: signed in, or with an `email` to be answered at. 201 means that it is durable.

        As JSON, or as a form with up to three files. Without an account `token` opens the question under `/v1/support/{id}`; it
        is told once, not by a repeated request. With one the question is under `/v1/account/support/{id}`.
        """
        return await _ask(request, platform, brand, principal)

    @get("/{question_id:str}", summary="Read your question")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        question_id: FromPath[str],
        token: Token,
    ) -> Response[bytes]:
        """With the token that asking told."""
        return answer(request, await platform.support.read(brand, Owner(token=token), question_id))

    @post("/{question_id:str}/messages", status_code=201, summary="Write again")
    async def add(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        once: Injected[Once | None],
        question_id: FromPath[str],
        token: Token,
        data: JSONBody[MessageBody],
    ) -> QuestionView:
        """A question that was closed is open again."""
        _bound(platform, request, None, "support_messages", _MESSAGES_AN_HOUR)
        owner = Owner(token=token)
        await platform.support.add(brand, owner, question_id, data.message, once)
        return await platform.support.read(brand, owner, question_id)

    @get("/{question_id:str}/attachments/{attachment_id:str}", summary="Get what you attached")
    async def attachment(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        question_id: FromPath[str],
        attachment_id: FromPath[str],
        token: Token,
    ) -> Response[Any]:
        row = await platform.support.attachment(brand, Owner(token=token), question_id, attachment_id)
        return await served(platform, brand, row)

    @post("/{question_id:str}/close", status_code=200, summary="Close your question")
    async def close(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        question_id: FromPath[str],
        token: Token,
    ) -> QuestionView:
        """It is deleted when its time is over; `expires_at` says when."""
        owner = Owner(token=token)
        await platform.support.close(brand, owner, question_id)
        return await platform.support.read(brand, owner, question_id)

    @delete("/{question_id:str}", status_code=204, summary="Delete your question")
    async def remove(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        question_id: FromPath[str],
        token: Token,
    ) -> None:
        """With everything said and attached: gone from sight at once, from the store right after."""
        await platform.support.delete(brand, Owner(token=token), question_id)


class OwnSupportRoutes(Controller):
    path = "/v1/account/support"
    tags = ["Account"]

    @post(status_code=201, summary="Ask a question, signed in", operation_class=AskOperation)
    async def ask(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
    ) -> QuestionOpened:
        """As `POST /v1/support`, for nobody without an account."""
        return await _ask(request, platform, brand, principal)

    @get(summary="List your questions")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[bytes]:
        """Newest first."""
        before = decode_cursor(cursor, "sup")
        found = await platform.support.listed(brand, account_id, before=before, limit=limit + 1)
        more = encode_cursor(found[limit - 1].id) if len(found) > limit else None
        return answer(request, QuestionPage(found[:limit], more))

    @get("/{question_id:str}", summary="Read a question of yours")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        question_id: FromPath[str],
    ) -> Response[bytes]:
        """With everything said, oldest first."""
        return answer(request, await platform.support.read(brand, Owner(account_id), question_id))

    @post("/{question_id:str}/messages", status_code=201, summary="Write again")
    async def add(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        once: Injected[Once | None],
        question_id: FromPath[str],
        data: JSONBody[MessageBody],
    ) -> QuestionView:
        """A question that was closed is open again."""
        _bound(platform, request, account_id, "support_messages", _MESSAGES_AN_HOUR)
        owner = Owner(account_id)
        await platform.support.add(brand, owner, question_id, data.message, once)
        return await platform.support.read(brand, owner, question_id)

    @get("/{question_id:str}/attachments/{attachment_id:str}", summary="Get what you attached")
    async def attachment(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        question_id: FromPath[str],
        attachment_id: FromPath[str],
    ) -> Response[Any]:
        row = await platform.support.attachment(brand, Owner(account_id), question_id, attachment_id)
        return await served(platform, brand, row)

    @post("/{question_id:str}/close", status_code=200, summary="Close a question of yours")
    async def close(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        question_id: FromPath[str],
    ) -> QuestionView:
        """It is deleted when its time is over; `expires_at` says when."""
        owner = Owner(account_id)
        await platform.support.close(brand, owner, question_id)
        return await platform.support.read(brand, owner, question_id)

    @delete("/{question_id:str}", status_code=204, summary="Delete a question of yours")
    async def remove(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        question_id: FromPath[str],
    ) -> None:
        """With everything said and attached: gone from sight at once, from the store right after."""
        await platform.support.delete(brand, Owner(account_id), question_id)


async def _ask(
    request: Request[Any, Any, Any], platform: Platform, brand: LoadedBrand, principal: Principal
) -> QuestionOpened:
    _bound(platform, request, principal.account_id, "support", _QUESTIONS_AN_HOUR)
    asked = await read_question(request, platform, brand, principal)
    return await platform.support.open(brand, principal.account_id, asked.body, asked.files, asked.once)


def _bound(platform: Platform, request: Request[Any, Any, Any], account_id: str | None, what: str, limit: int) -> None:
    """Raises `TooManyRequests`. Before a body is read that somebody may have made large."""
    who = account_id or request.scope["state"]["client_address"]
    platform.buckets.take(f"{what}:{who}", limit=limit, window_seconds=3600)

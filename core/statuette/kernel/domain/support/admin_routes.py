"""Questions over HTTP, for operators."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody, QueryParameter

from statuette.kernel.access.schemas import Reveal
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.support.schemas import MessageBody, OperatorPage, OperatorQuestion, RevealedQuestion
from statuette.kernel.domain.support.serving import served
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.http.principal import Principal
from statuette.kernel.idempotency.once import Once
from statuette.kernel.platform import Platform


class AdminSupportRoutes(Controller):
    path = "/admin/v1/support"
    tags = ["Admin"]

    @get(opt={"scope": "support:read"}, summary="List questions")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        status: Annotated[Literal["open", "answered", "closed"] | None, QueryParameter(name="state")] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[bytes]:
        """Newest first. `open` waits for an answer."""
        before = decode_cursor(cursor, "sup")
        found = await platform.support_desk.listed(brand, state=status, before=before, limit=limit + 1)
        more = encode_cursor(found[limit - 1].id) if len(found) > limit else None
        return answer(request, OperatorPage(found[:limit], more))

    @get("/{question_id:str}", opt={"scope": "support:read"}, summary="Read a question")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        question_id: FromPath[str],
    ) -> Response[bytes]:
        """Its steps, who took them, and what is attached; without what was said. The address is shown in outline."""
        return answer(request, await platform.support_desk.read(brand, question_id))

    @post(
        "/{question_id:str}/reveal",
        status_code=200,
        opt={"scope": "support:reveal", "reveals": True},
        summary="Read what was said in a question",
    )
    async def reveal(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        question_id: FromPath[str],
        data: JSONBody[Reveal],
    ) -> Response[RevealedQuestion]:
        """Who looked, and why, is on record before anything is shown."""
        found = await platform.support_desk.revealed(brand, question_id, actor=principal.id, reason=data.reason)
        return Response(found, status_code=200, headers={"cache-control": "no-store"})

    @get(
        "/{question_id:str}/attachments/{attachment_id:str}",
        opt={"scope": "support:reveal", "reveals": True},
        summary="Get what is attached to a question",
    )
    async def attachment(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        question_id: FromPath[str],
        attachment_id: FromPath[str],
    ) -> Response[Any]:
        """Each look is on record, with the reason `to_answer`."""
        row = await platform.support_desk.attachment(brand, question_id, attachment_id, actor=principal.id)
        return await served(platform, brand, row)

    @post("/{question_id:str}/answers", status_code=201, opt={"scope": "support:write"}, summary="Answer a question")
    async def answer(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        once: Injected[Once | None],
        question_id: FromPath[str],
        data: JSONBody[MessageBody],
    ) -> OperatorQuestion:
        """The answer is there in the API at once, and goes out by mail."""
        return await platform.support_desk.answer(brand, question_id, data.message, answered_by=principal.id, once=once)

    @post("/{question_id:str}/close", status_code=200, opt={"scope": "support:write"}, summary="Close a question")
    async def close(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        question_id: FromPath[str],
    ) -> OperatorQuestion:
        """Its time runs from now on. Whoever asked gets a letter, and opens it again by writing."""
        return await platform.support_desk.close(brand, question_id, closed_by=principal.id)

    @post("/{question_id:str}/reopen", status_code=200, opt={"scope": "support:write"}, summary="Open a question again")
    async def reopen(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        question_id: FromPath[str],
    ) -> OperatorQuestion:
        """Its time runs no more."""
        return await platform.support_desk.reopen(brand, question_id, reopened_by=principal.id)

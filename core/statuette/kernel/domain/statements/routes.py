"""Statements over HTTP: what a site asks people to state, and stating it."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, put
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody, QueryParameter

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.statements.flow import texts_of
from statuette.kernel.domain.statements.schemas import StatementMade, StatementView
from statuette.kernel.http.answers import answer
from statuette.kernel.http.headers import language_of
from statuette.kernel.platform import Platform


class StatementTextRoutes(Controller):
    path = "/v1/statements"
    tags = ["Site"]
    opt = {"public": True}

    @get(summary="Statements that this site asks for")
    async def texts(
        self,
        request: Request[Any, Any, Any],
        brand: Injected[LoadedBrand],
        locale: Annotated[str | None, QueryParameter(max_length=35)] = None,
    ) -> Response[bytes]:
        """Show those of `signup` before an account is made, that of `upload` with every photo."""
        return answer(request, texts_of(brand, locale or language_of(request)), max_age_seconds=60)


class StatementRoutes(Controller):
    path = "/v1/account/statements"
    tags = ["Account"]

    @get(summary="List statements and whether you made them")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        locale: Annotated[str | None, QueryParameter(max_length=35)] = None,
    ) -> Response[bytes]:
        """Whoever has not made one in the words in force can neither upload nor order."""
        found = await platform.statements.listed(brand, account_id, locale or language_of(request))
        return answer(request, found)

    @put("/{statement:str}", summary="Make a statement")
    async def make(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        statement: FromPath[str],
        data: JSONBody[StatementMade],
    ) -> StatementView:
        """On record with the words that were shown; making it again changes nothing."""
        return await platform.statements.make(
            brand, account_id, statement, digest=data.digest, locale=language_of(request), surface="api"
        )

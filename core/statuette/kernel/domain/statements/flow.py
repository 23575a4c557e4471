"""Units of work on statements."""

from __future__ import annotations

from typing import Literal

from statuette.kernel.db.database import Database
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.statements import service
from statuette.kernel.domain.statements.schemas import StatementList, StatementText, StatementTexts, StatementView
from statuette.kernel.domain.statements.service import Made
from statuette.kernel.domain.statements.words import Statement, of_accounts, of_uploads, worded


class StatementFlow:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self, brand: LoadedBrand, account_id: str, locale: str) -> StatementList:
        """What the brand asks of accounts, and how this one stands to it."""
        async with self._database.read() as reader:
            found = await service.made(reader, brand.id, account_id, of_accounts(brand.config), locale)
        return StatementList([_view(each) for each in found.values()])

    async def make(
        self, brand: LoadedBrand, account_id: str, statement: str, *, digest: str | None, locale: str, surface: str
    ) -> StatementView:
        """Durable on return; once. Raises what `service.make` raises."""
        asked = of_accounts(brand.config)
        await self._database.run(
            lambda tx: service.make(
                tx,
                brand_id=brand.id,
                account_id=account_id,
                asked=asked,
                said={statement: digest},
                policy_digest=brand.policy.digest,
                locale=locale,
                surface=surface,
            )
        )
        async with self._database.read() as reader:
            return _view((await service.made(reader, brand.id, account_id, asked, locale))[statement])


def texts_of(brand: LoadedBrand, locale: str) -> StatementTexts:
    """What is to be shown before an account is made, and with every photo."""
    return StatementTexts(
        [
            *(_text(each, locale, "signup") for each in of_accounts(brand.config)),
            _text(of_uploads(brand.config), locale, "upload"),
        ]
    )


def _text(statement: Statement, locale: str, asked: Literal["signup", "upload"]) -> StatementText:
    shown = worded(statement, locale)
    return StatementText(shown.statement, shown.text, shown.digest, shown.locale, asked, shown.url)


def _view(made: Made) -> StatementView:
    shown = made.wording
    again = made.made_at is not None and not made.in_force
    return StatementView(
        shown.statement, shown.text, shown.digest, shown.locale, shown.url, made.in_force, again, made.made_at
    )

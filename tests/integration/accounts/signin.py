"""What the tests of signing in share: a front end's steps, and a look at the statements that go by."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from statuette.kernel.db.database import Database
from statuette.kernel.domain.accounts.flow import AccountFlow, SignedIn
from statuette.policy import EffectivePolicy
from statuette.testing.outbox_mailer import RecordingMailer

BRAND = "brd_one"
OTHER_BRAND = "brd_two"


class NotedConnection:
    def __init__(self, connection: Any, statements: list[str]) -> None:
        self._connection = connection
        self._statements = statements

    async def fetch(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        self._statements.append(sql)
        rows: list[dict[str, Any]] = await self._connection.fetch(sql, parameters)
        return rows


class NotedEngine:
    """An open engine whose statements are noted on their way."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.statements: list[str] = []

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[NotedConnection]:
        async with self._engine.writing() as connection:
            yield NotedConnection(connection, self.statements)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[NotedConnection]:
        async with self._engine.reading() as connection:
            yield NotedConnection(connection, self.statements)


def noted(database: Database) -> tuple[Database, list[str]]:
    """The same open database, and the statements that go through it from now on."""
    engine = NotedEngine(database.engine)
    twin = Database(engine, database.clock)  # type: ignore[arg-type]
    twin.postgres = database.postgres
    return twin, engine.statements


class Signin:
    """Signs people in the way a front end would: ask, read the mail, answer."""

    def __init__(self, flow: AccountFlow, mailer: RecordingMailer, policy: EffectivePolicy) -> None:
        self.flow = flow
        self._mailer = mailer
        self._policy = policy

    async def ask(self, email: str, brand_id: str = BRAND, locale: str = "en") -> None:
        await self.flow.request_code(
            brand_id=brand_id,
            brand_title="Little People",
            sender="Little People <hello@little.example>",
            email=email,
            locale=locale,
            policy=self._policy,
        )

    def mailed_code(self, email: str) -> str:
        found = re.search(r"^ {4}(\d{6})$", self._mailer.sent_to(email)[-1].text, re.MULTILINE)
        assert found is not None
        return found.group(1)

    async def answer(self, email: str, code: str, brand_id: str = BRAND, *, cookie: bool = False) -> SignedIn:
        return await self.flow.verify_code(
            brand_id=brand_id, email=email, code=code, cookie=cookie, locale="en", policy=self._policy
        )

    async def sign_in(self, email: str, brand_id: str = BRAND, *, cookie: bool = False) -> SignedIn:
        await self.ask(email, brand_id)
        return await self.answer(email, self.mailed_code(email), brand_id, cookie=cookie)


def wrong(code: str) -> str:
    """A well-formed code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"

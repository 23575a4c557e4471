"""What tests of letters order, wait for and read."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec

from statuette.errors import StatuetteError
from statuette.kernel.work.queues import MAIL
from statuette.ports.mail import MailUnavailable, Message
from statuette.testing import FrozenClock
from tests.integration.road.faults import hurry
from tests.site import Site, Visitor


def told(person: Visitor) -> list[Message]:
    """The letters about jobs, without those that carried codes."""
    return [letter for letter in person.site.mailer.sent_to(person.email) if letter.idempotency_key.startswith("gen_")]


async def waiting_letters(site: Site) -> list[dict[str, Any]]:
    async with site.platform.database.read() as reader:
        return await reader.rows("SELECT * FROM work_item WHERE queue = :queue", queue=MAIL)


async def nothing_waits(site: Site) -> bool:
    return not await waiting_letters(site)


async def findings_about_letters(site: Site) -> list[dict[str, Any]]:
    async with site.platform.database.read() as reader:
        return await reader.rows("SELECT * FROM finding WHERE code LIKE 'letter%' OR code = 'work_poisoned'")


async def ordered_and_ended(person: Visitor, **body: Any) -> dict[str, Any]:
    """A job with a letter to come, once it has ended."""
    upload = await person.upload()
    return await person.finished((await person.order(upload["id"], notify=True, **body))["id"])


class Outage:
    """A mailer that fails whatever it is given, until `end`.

    Attributes:
        asked: how many times it was asked to send.
    """

    def __init__(self, site: Site, fault: type[StatuetteError] = MailUnavailable) -> None:
        self.asked = 0
        self._mailer, self._sending, self._fault = site.mailer, site.mailer.send, fault
        self._mailer.send = self._fail  # type: ignore[method-assign]

    async def _fail(self, letter: Message) -> None:
        self.asked += 1
        raise self._fault()

    def end(self) -> None:
        self._mailer.send = self._sending  # type: ignore[method-assign]


async def put_off(site: Site, letters: int = 1) -> bool:
    """Whether so many letters have been tried in vain and wait for their next time."""
    return [row["sent_at"] for row in await waiting_letters(site)] == [None] * letters


async def all_over(site: Site, clock: FrozenClock) -> None:
    """Let time pass, from one try to the next, until no letter waits any more."""
    hurry(site)
    async with asyncio.timeout(60):
        while rows := await waiting_letters(site):
            next_try = min(msgspec.convert(row["due_at"], type=datetime, strict=False) for row in rows)
            clock.advance(max(next_try - clock.now(), timedelta(seconds=1)))
            await asyncio.sleep(0.05)

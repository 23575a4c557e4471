"""The way of a letter that is a work item: prepared when it is about to go out, sent, tried again while its post is away, recorded.

The work is an id. Who is told what is read just before, the address is opened then and kept nowhere. The work is done once the
mailer has taken the letter; a process that dies just then leaves a second letter with the same key, which a mailer that can
sends once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Generic, Protocol, TypeVar

import msgspec

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.domain.brands.directory import BrandDirectory
from statuette.kernel.domain.consent.service import ConsentRequired
from statuette.kernel.egress import EgressDenied
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit, PermitRefused
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.ports.keys import KeyDestroyed, KeyStoreUnavailable
from statuette.ports.mail import MailRefused, MailUnavailable, Message

_SHORTEST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
_DONE_WAITS_FOR = timedelta(minutes=1)


class Fate(StrEnum):
    """What became of a letter."""

    sent = "sent"
    nobody = "nobody"
    """Whoever it was for was erased just now."""
    refused = "refused"
    """The mailer does not take it, or nobody takes mail there."""
    not_sent = "not_sent"
    """It may not go out, or could not for too long."""


class Ended(msgspec.Struct, frozen=True):
    """A letter's end. `why` is the code of the error that brought it, empty for one that was sent."""

    fate: Fate
    why: str = ""


class Errand(Protocol):
    """A letter that is due: what it is made of, and that it may go out."""

    @property
    def permit(self) -> Permit: ...


E = TypeVar("E", bound=Errand)
T = TypeVar("T")


class Letters(ABC, Generic[E]):
    """One kind of letter: who is told what, and what is written down in the end."""

    given_up_after: timedelta
    """How long a letter is tried while its post is away."""

    @abstractmethod
    async def errand(self, tx: Transaction, subject_id: str) -> E | None:
        """What the letter is made of; None where there is nobody to tell. May raise `PermitRefused`, `ConsentRequired`."""

    @abstractmethod
    async def message(self, errand: E) -> Message:
        """Write the letter. Raises `KeyDestroyed`, `KeyStoreUnavailable`."""

    @abstractmethod
    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        """The letter was tried in disorder too often; returns its brand. The runner raises the finding."""

    async def none_due(self, tx: Transaction, subject_id: str) -> None:
        """There was nobody to tell. Part of the transaction that ends the work."""

    async def before_end(self, errand: E) -> None:
        """What must be done outside the database before the end is recorded. Harmless twice."""

    async def ended(self, tx: Transaction, errand: E, end: Ended) -> None:
        """Record what became of the letter. Part of the transaction that ends the work."""


async def report_unsent(tx: Transaction, brand_id: str, end: Ended) -> None:
    """One finding a brand: a server that is away or unwilling is one thing to look at, not one a letter."""
    code = {Fate.refused: "letter_refused", Fate.not_sent: "letter_not_sent"}.get(end.fate)
    if code is not None:
        await findings.raise_finding(tx, code=code, subject=brand_id, detail=end.why, brand_id=brand_id)


class Courier:
    def __init__(self, database: Database, outbox: Outbox, brands: BrandDirectory, post: Post) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands
        self._post = post

    async def carry(self, letters: Letters[E], claimed: Claimed) -> None:
        """Send one letter, or see that there is nobody to tell."""
        await self._brands.fresh()
        errand = await self._database.run(partial(self._prepare, letters=letters, claimed=claimed))
        if errand is None:
            return
        end = Ended(Fate.sent)
        try:
            await self._post.send(await letters.message(errand), errand.permit)
        except KeyDestroyed as error:
            end = Ended(Fate.nobody, error.code)
        except MailRefused as error:
            end = Ended(Fate.refused, error.code)
        except EgressDenied as error:
            end = Ended(Fate.not_sent, error.code)
        except (MailUnavailable, KeyStoreUnavailable) as error:
            wait = timedelta(seconds=error.attributes.get("retry_after_seconds") or 0)
            again = partial(self._again, claimed=claimed, wait=wait, within=letters.given_up_after)
            if await self._done(again):
                return
            end = Ended(Fate.not_sent, error.code)
        await letters.before_end(errand)
        await self._done(partial(self._end, letters=letters, claimed=claimed, errand=errand, end=end))

    async def _done(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        # A letter that is out must not go out again because the database is away for a moment.
        return await self._database.run(unit, patience=_DONE_WAITS_FOR)

    async def _prepare(self, tx: Transaction, *, letters: Letters[E], claimed: Claimed) -> E | None:
        """What the letter is made of; None, and the work is over, when there is nobody to tell."""
        await self._outbox.hold(tx, claimed)
        try:
            errand = await letters.errand(tx, claimed.subject_id)
        except (PermitRefused, ConsentRequired):
            errand = None
        if errand is None:
            await self._outbox.finish(tx, claimed)
            await letters.none_due(tx, claimed.subject_id)
        return errand

    async def _again(self, tx: Transaction, *, claimed: Claimed, wait: timedelta, within: timedelta) -> bool:
        """Wait as long again as the letter is old, so that the waits double. False: for too long."""
        age = tx.now - claimed.created_at
        if age >= within:
            return False
        await self._outbox.postpone(tx, claimed, tx.now + max(wait, min(max(age, _SHORTEST_WAIT), _LONGEST_WAIT)))
        return True

    async def _end(self, tx: Transaction, *, letters: Letters[E], claimed: Claimed, errand: E, end: Ended) -> None:
        await self._outbox.finish(tx, claimed)
        await letters.ended(tx, errand, end)

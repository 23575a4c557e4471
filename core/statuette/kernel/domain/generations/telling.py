"""Telling a person by letter that their job has ended, if they asked for that.

The work is an id. Whose job it is and how it ended is read when a letter is about to go out, the address is opened then and
kept nowhere. The work is done once the mailer has taken the letter; a process that dies just then leaves a second letter with
the same key, which a mailer that can sends once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import msgspec

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.consent.service import ConsentRequired
from statuette.kernel.domain.generations import repository
from statuette.kernel.domain.generations.letters import ended_letter, has_pictures
from statuette.kernel.domain.generations.repository import GenerationRow
from statuette.kernel.domain.generations.service import figurines_of
from statuette.kernel.egress import EgressDenied
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit, PermitRefused
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.ports.keys import KeyDestroyed, KeyStoreUnavailable
from statuette.ports.mail import MailRefused, MailUnavailable

_SHORTEST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
_OLD_NEWS = timedelta(hours=24)
_DONE_WAITS_FOR = timedelta(minutes=1)


class _Errand(msgspec.Struct, frozen=True):
    """A letter that is due: about what, to whom, and that it may go out."""

    job: GenerationRow
    brand: LoadedBrand
    addressee: Addressee
    permit: Permit


class Telling:
    def __init__(
        self, database: Database, outbox: Outbox, brands: BrandDirectory, cipher: FieldCipher, post: Post
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands
        self._cipher = cipher
        self._post = post

    async def run(self, claimed: Claimed) -> None:
        """Send the letter about one job, or see that there is nobody to tell."""
        await self._brands.fresh()
        errand = await self._database.run(partial(self._prepare, claimed=claimed))
        if errand is None:
            return
        end: Callable[[Transaction], Awaitable[None]] = partial(self._outbox.finish, claimed=claimed)
        give_up = partial(self._give_up, claimed=claimed, job=errand.job)
        try:
            await self._send(errand)
        except KeyDestroyed:
            pass  # erased just now: there is nobody to tell
        except MailRefused:
            end = partial(give_up, code="letter_refused", detail="mail_refused")
        except EgressDenied:
            end = partial(give_up, code="letter_not_sent", detail="egress_denied")
        except (MailUnavailable, KeyStoreUnavailable) as error:
            wait = timedelta(seconds=error.attributes.get("retry_after_seconds") or 0)
            end = partial(self._later, claimed=claimed, job=errand.job, wait=wait, why=error.code)
        # A letter that is out must not go out again because the database is away for a moment.
        await self._database.run(end, patience=_DONE_WAITS_FOR)

    async def poisoned(self, tx: Transaction, generation_id: str) -> str | None:
        """The letter was tried in disorder too often. The runner raises the finding."""
        job = await repository.by_id(tx, generation_id)
        return job.brand_id if job is not None else None

    async def _prepare(self, tx: Transaction, *, claimed: Claimed) -> _Errand | None:
        """What the letter is made of; None, and the work is over, when there is nobody to tell or nothing to tell of."""
        await self._outbox.hold(tx, claimed)
        errand = await self._errand(tx, claimed.subject_id)
        if errand is None:
            await self._outbox.finish(tx, claimed)
        return errand

    async def _errand(self, tx: Transaction, generation_id: str) -> _Errand | None:
        job = await repository.by_id(tx, generation_id)
        if job is None or (has_pictures(job) and not await figurines_of(tx, job)):
            return None
        addressee = await accounts.addressee(tx, job.brand_id, job.account_id)
        if addressee is None:
            return None
        brand = await self._brands.by_id(job.brand_id)
        try:
            permit = await self._post.permit(tx, brand_id=brand.id, account_id=job.account_id, policy=brand.policy)
        except (PermitRefused, ConsentRequired):
            return None
        return _Errand(job, brand, addressee, permit)

    async def _send(self, errand: _Errand) -> None:
        """Raises `KeyDestroyed`, `KeyStoreUnavailable`, and what `Post.send` raises."""
        letter = ended_letter(
            errand.job,
            recipient=await accounts.address_of(self._cipher, errand.addressee),
            sender=errand.brand.config.mail_sender,
            brand_title=errand.brand.config.title,
            locale=errand.addressee.locale,
        )
        await self._post.send(letter, errand.permit)

    async def _later(self, tx: Transaction, *, claimed: Claimed, job: GenerationRow, wait: timedelta, why: str) -> None:
        """Wait as long again as the news is old, so that the waits double; after a day it is old news."""
        assert job.finished_at is not None, "only an ended job is told of"
        age = tx.now - job.finished_at
        if age >= _OLD_NEWS:
            await self._give_up(tx, claimed=claimed, job=job, code="letter_not_sent", detail=why)
            return
        await self._outbox.postpone(tx, claimed, tx.now + max(wait, min(max(age, _SHORTEST_WAIT), _LONGEST_WAIT)))

    async def _give_up(self, tx: Transaction, *, claimed: Claimed, job: GenerationRow, code: str, detail: str) -> None:
        """One finding a brand: a server that is away or unwilling is one thing to look at, not one a letter."""
        await self._outbox.finish(tx, claimed)
        await findings.raise_finding(tx, code=code, subject=job.brand_id, detail=detail, brand_id=job.brand_id)

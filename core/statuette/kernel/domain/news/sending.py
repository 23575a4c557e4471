"""Sending news: each letter with a fresh permit, so that whoever says no before theirs goes out gets none."""

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
from statuette.kernel.domain.news import service
from statuette.kernel.domain.news.letters import news_letter
from statuette.kernel.domain.news.repository import NewsRow
from statuette.kernel.egress import EgressDenied
from statuette.kernel.mail.post import Post
from statuette.kernel.mail.unsubscribe import Unsubscribing
from statuette.kernel.permit import Permit, PermitRefused
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.ports.keys import KeyDestroyed, KeyStoreUnavailable
from statuette.ports.mail import MailRefused, MailUnavailable

_SHORTEST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
_OLD_NEWS = timedelta(days=2)
_DONE_WAITS_FOR = timedelta(minutes=1)


class _Errand(msgspec.Struct, frozen=True):
    letter: NewsRow
    brand: LoadedBrand
    addressee: Addressee
    permit: Permit


class Sending:
    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        brands: BrandDirectory,
        cipher: FieldCipher,
        post: Post,
        unsubscribing: Unsubscribing,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands
        self._cipher = cipher
        self._post = post
        self._unsubscribing = unsubscribing

    async def prepare(self, claimed: Claimed) -> None:
        """Ask for the next batch of letters."""
        await self._brands.fresh()
        await self._database.run(partial(self._prepare, claimed=claimed))

    async def send(self, claimed: Claimed) -> None:
        """Send one letter, or see that nobody wants it any more."""
        await self._brands.fresh()
        errand = await self._database.run(partial(self._take, claimed=claimed))
        if errand is None:
            return
        end: Callable[[Transaction], Awaitable[None]] = partial(self._outbox.finish, claimed=claimed)
        try:
            await self._hand_over(errand)
        except (KeyDestroyed, MailRefused):
            pass  # nobody is there any more, or nobody takes mail there: a greeting is not worth a finding
        except EgressDenied:
            end = partial(self._give_up, claimed=claimed, letter=errand.letter, why="egress_denied")
        except (MailUnavailable, KeyStoreUnavailable) as error:
            wait = timedelta(seconds=error.attributes.get("retry_after_seconds") or 0)
            end = partial(self._later, claimed=claimed, letter=errand.letter, wait=wait, why=error.code)
        await self._database.run(end, patience=_DONE_WAITS_FOR)

    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        """The letter was tried in disorder too often. The runner raises the finding."""
        letter = await service.by_id(tx, subject_id.partition(".")[0])
        return letter.brand_id if letter is not None else None

    async def _prepare(self, tx: Transaction, *, claimed: Claimed) -> None:
        await self._outbox.hold(tx, claimed)
        letter = await service.by_id(tx, claimed.subject_id)
        brand = await self._brands.by_id(letter.brand_id) if letter is not None else None
        if brand is None or await service.prepare(tx, self._outbox, claimed.subject_id, brand.policy):
            await self._outbox.finish(tx, claimed)
        else:
            await self._outbox.postpone(tx, claimed, tx.now)

    async def _take(self, tx: Transaction, *, claimed: Claimed) -> _Errand | None:
        """What the letter is made of; None, and the work is over, when nobody wants it."""
        await self._outbox.hold(tx, claimed)
        letter_id, _, account_id = claimed.subject_id.partition(".")
        errand = await self._errand(tx, letter_id, account_id)
        if errand is None:
            await self._outbox.finish(tx, claimed)
        return errand

    async def _errand(self, tx: Transaction, letter_id: str, account_id: str) -> _Errand | None:
        letter = await service.by_id(tx, letter_id)
        if letter is None:
            return None
        addressee = await accounts.addressee(tx, letter.brand_id, account_id)
        brand = await self._brands.by_id(letter.brand_id)
        try:
            permit = await self._post.permit(
                tx, brand_id=brand.id, account_id=account_id, policy=brand.policy, purpose=service.PURPOSE
            )
        except (PermitRefused, ConsentRequired):
            return None
        return _Errand(letter, brand, addressee, permit) if addressee is not None else None

    async def _hand_over(self, errand: _Errand) -> None:
        """Raises `KeyDestroyed`, `KeyStoreUnavailable`, and what `Post.send` raises."""
        whose = (errand.brand.id, errand.addressee.account_id, service.PURPOSE)
        letter = news_letter(
            service.texts_of(errand.letter),
            letter_id=f"{errand.letter.id}.{errand.addressee.account_id}",
            recipient=await accounts.address_of(self._cipher, errand.addressee),
            sender=errand.brand.config.mail_sender,
            locale=errand.addressee.locale,
            unsubscribe=self._unsubscribing.address(*whose),
            headers=self._unsubscribing.headers(*whose),
        )
        await self._post.send(letter, errand.permit)

    async def _later(self, tx: Transaction, *, claimed: Claimed, letter: NewsRow, wait: timedelta, why: str) -> None:
        """Wait as long again as the letter is old, so that the waits double; after two days it is no news."""
        age = tx.now - letter.created_at
        if age >= _OLD_NEWS:
            await self._give_up(tx, claimed=claimed, letter=letter, why=why)
            return
        await self._outbox.postpone(tx, claimed, tx.now + max(wait, min(max(age, _SHORTEST_WAIT), _LONGEST_WAIT)))

    async def _give_up(self, tx: Transaction, *, claimed: Claimed, letter: NewsRow, why: str) -> None:
        """One finding a letter to all."""
        await self._outbox.finish(tx, claimed)
        await findings.raise_finding(tx, code="news_not_sent", subject=letter.id, detail=why, brand_id=letter.brand_id)

"""Telling people what became of a takedown: whoever asked, and whoever's picture it is."""

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
from statuette.kernel.domain.takedowns import service
from statuette.kernel.domain.takedowns.letters import takedown_letter
from statuette.kernel.domain.takedowns.service import REQUESTER, Requester, sealing_key
from statuette.kernel.egress import EgressDenied
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit, PermitRefused
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.ports.keys import KeyDestroyed, KeyStoreUnavailable
from statuette.ports.mail import MailRefused, MailUnavailable

_WAIT = timedelta(minutes=2)
_GIVEN_UP_AFTER = timedelta(days=2)
_DONE_WAITS_FOR = timedelta(minutes=1)


class _Errand(msgspec.Struct, frozen=True):
    case_id: str
    event: str
    brand: LoadedBrand
    whom: Addressee | Requester
    permit: Permit


class TakedownTelling:
    def __init__(
        self, database: Database, outbox: Outbox, brands: BrandDirectory, cipher: FieldCipher, post: Post
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands
        self._cipher = cipher
        self._post = post

    async def run(self, claimed: Claimed) -> None:
        """Send one letter, or see that there is nobody to tell."""
        await self._brands.fresh()
        errand = await self._database.run(partial(self._prepare, claimed=claimed))
        if errand is None:
            return
        end: Callable[[Transaction], Awaitable[None]] = partial(self._outbox.finish, claimed=claimed)
        try:
            await self._send(errand, claimed.subject_id)
        except KeyDestroyed:
            pass
        except (MailRefused, EgressDenied) as error:
            end = partial(self._give_up, claimed=claimed, errand=errand, why=error.code)
        except (MailUnavailable, KeyStoreUnavailable) as error:
            end = partial(self._later, claimed=claimed, errand=errand, why=error.code)
        await self._database.run(end, patience=_DONE_WAITS_FOR)

    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        """The letter was tried in disorder too often. The runner raises the finding."""
        case = await service.by_id(tx, subject_id.split(".")[0])
        return case.brand_id if case is not None else None

    async def _prepare(self, tx: Transaction, *, claimed: Claimed) -> _Errand | None:
        await self._outbox.hold(tx, claimed)
        errand = await self._errand(tx, *claimed.subject_id.split("."))
        if errand is None:
            await self._outbox.finish(tx, claimed)
        return errand

    async def _errand(self, tx: Transaction, case_id: str, event: str, whom: str) -> _Errand | None:
        case = await service.by_id(tx, case_id)
        if case is None:
            return None
        brand = await self._brands.by_id(case.brand_id)
        found: Addressee | Requester | None
        if whom == REQUESTER:
            found, account_id = await service.requester(tx, case_id), None
        else:
            found, account_id = await accounts.addressee(tx, brand.id, whom), whom
        if found is None:
            return None
        try:
            permit = await self._post.permit(tx, brand_id=brand.id, account_id=account_id, policy=brand.policy)
        except (PermitRefused, ConsentRequired):
            return None
        return _Errand(case_id, event, brand, found, permit)

    async def _send(self, errand: _Errand, letter_id: str) -> None:
        """Raises `KeyDestroyed`, `KeyStoreUnavailable`, and what `Post.send` raises."""
        whom = errand.whom
        if isinstance(whom, Requester):
            recipient = await self._cipher.open(sealing_key(errand.brand.id), "contact", whom.sealed_contact)
        else:
            recipient = await accounts.address_of(self._cipher, whom)
        letter = takedown_letter(
            letter_id=letter_id,
            case_id=errand.case_id,
            event=errand.event,
            owner=not isinstance(whom, Requester),
            recipient=recipient,
            sender=errand.brand.config.mail_sender,
            brand_title=errand.brand.config.title,
            locale=whom.locale,
        )
        await self._post.send(letter, errand.permit)

    async def _later(self, tx: Transaction, *, claimed: Claimed, errand: _Errand, why: str) -> None:
        case = await service.by_id(tx, errand.case_id)
        since = None if case is None else case.decided_at or case.created_at
        if since is None or tx.now - since >= _GIVEN_UP_AFTER:
            await self._give_up(tx, claimed=claimed, errand=errand, why=why)
            return
        await self._outbox.postpone(tx, claimed, tx.now + _WAIT)

    async def _give_up(self, tx: Transaction, *, claimed: Claimed, errand: _Errand, why: str) -> None:
        await self._outbox.finish(tx, claimed)
        await findings.raise_finding(
            tx, code="takedown_letter_not_sent", subject=errand.case_id, detail=why, brand_id=errand.brand.id
        )

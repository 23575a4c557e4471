"""Letters about privacy requests. The work is an id and a step; whom to write to is read when a letter is about to go out.

Where the account is, its address is used. An erasure keeps the address for its letters under a key of its own, which is destroyed
once the last of them is out, or cannot go out.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import msgspec

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.consent.service import ConsentRequired
from statuette.kernel.domain.rights import repository
from statuette.kernel.domain.rights.flow import Contact
from statuette.kernel.domain.rights.letters import request_letter
from statuette.kernel.domain.rights.repository import RequestRow
from statuette.kernel.domain.rights.service import Kind
from statuette.kernel.egress import EgressDenied
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit, PermitRefused
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.ports.keys import KeyDestroyed, KeyStoreUnavailable
from statuette.ports.mail import MailRefused, MailUnavailable

_LAST = frozenset({"completed", "canceled"})
_SHORTEST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
_GIVEN_UP_AFTER = timedelta(days=7)
_DONE_WAITS_FOR = timedelta(minutes=1)


class _Errand(msgspec.Struct, frozen=True):
    """A letter that is due. `contact` is sealed with the request's key, `addressee` with the account's."""

    request: RequestRow
    event: str
    brand: LoadedBrand
    permit: Permit
    contact: bytes | None
    addressee: Addressee | None


class RequestLetters:
    def __init__(
        self, database: Database, outbox: Outbox, brands: BrandDirectory, cipher: FieldCipher, post: Post
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands
        self._cipher = cipher
        self._post = post

    async def run(self, claimed: Claimed) -> None:
        """Send the letter about one step of a request, or see that there is nobody to tell."""
        await self._brands.fresh()
        errand = await self._database.run(partial(self._prepare, claimed=claimed))
        if errand is None:
            return
        code, detail = None, ""
        try:
            await self._send(errand)
        except KeyDestroyed:
            pass  # the last letter is out, or the account is gone: there is nobody to tell
        except MailRefused:
            code, detail = "letter_refused", "mail_refused"
        except EgressDenied:
            code, detail = "letter_not_sent", "egress_denied"
        except (MailUnavailable, KeyStoreUnavailable) as error:
            wait = timedelta(seconds=error.attributes.get("retry_after_seconds") or 0)
            if await self._database.run(partial(self._later, claimed=claimed, wait=wait), patience=_DONE_WAITS_FOR):
                return
            code, detail = "letter_not_sent", error.code
        if errand.event in _LAST and errand.contact is not None:
            await self._cipher.destroy(errand.request.id)
        end = partial(self._end, claimed=claimed, errand=errand, code=code, detail=detail)
        await self._database.run(end, patience=_DONE_WAITS_FOR)

    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        """The letter was tried in disorder too often. The runner raises the finding."""
        row = await repository.by_id(tx, subject_id.partition(":")[0])
        return row.brand_id if row is not None else None

    async def _prepare(self, tx: Transaction, *, claimed: Claimed) -> _Errand | None:
        """What the letter is made of; None, and the work is over, when there is nobody to tell."""
        await self._outbox.hold(tx, claimed)
        request_id, _, event = claimed.subject_id.partition(":")
        row = await repository.by_id(tx, request_id)
        errand = await self._errand(tx, row, event) if row is not None else None
        if errand is None:
            await self._outbox.finish(tx, claimed)
        return errand

    async def _errand(self, tx: Transaction, row: RequestRow, event: str) -> _Errand | None:
        sealed = await repository.sealed(tx, row.id)
        contact = sealed.contact if sealed is not None else None
        addressee = await accounts.addressee(tx, row.brand_id, row.account_id) if contact is None else None
        if contact is None and addressee is None:
            return None
        brand = await self._brands.by_id(row.brand_id)
        try:
            permit = await self._post.permit(tx, brand_id=brand.id, account_id=row.account_id, policy=brand.policy)
        except (PermitRefused, ConsentRequired):
            return None
        return _Errand(row, event, brand, permit, contact, addressee)

    async def _send(self, errand: _Errand) -> None:
        """Raises `KeyDestroyed`, `KeyStoreUnavailable`, and what `Post.send` raises."""
        row = errand.request
        if errand.contact is not None:
            opened = await self._cipher.open(row.id, "contact", errand.contact)
            contact = msgspec.json.decode(opened, type=Contact)
        else:
            assert errand.addressee is not None, "there is one or the other"
            contact = Contact(await accounts.address_of(self._cipher, errand.addressee), errand.addressee.locale, "")
        day = row.effective_at if row.kind == Kind.erasure and row.effective_at is not None else row.due_at
        letter = request_letter(
            errand.event,
            request_id=row.id,
            kind=row.kind,
            subject=row.subject,
            day=day,
            address=contact.address,
            recipient=contact.email,
            sender=errand.brand.config.mail_sender,
            brand_title=errand.brand.config.title,
            locale=contact.locale,
        )
        await self._post.send(letter, errand.permit)

    async def _later(self, tx: Transaction, *, claimed: Claimed, wait: timedelta) -> bool:
        """Wait as long again as the work is old, so that the waits double. False: for too long."""
        age = tx.now - claimed.created_at
        if age >= _GIVEN_UP_AFTER:
            return False
        await self._outbox.postpone(tx, claimed, tx.now + max(wait, min(max(age, _SHORTEST_WAIT), _LONGEST_WAIT)))
        return True

    async def _end(self, tx: Transaction, *, claimed: Claimed, errand: _Errand, code: str | None, detail: str) -> None:
        await self._outbox.finish(tx, claimed)
        if errand.event in _LAST and errand.contact is not None:
            await repository.drop_contact(tx, errand.request.id)
        if code is not None:
            await findings.raise_finding(
                tx, code=code, subject=errand.brand.id, detail=detail, brand_id=errand.brand.id
            )

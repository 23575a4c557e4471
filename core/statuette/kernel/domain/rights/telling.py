"""Letters about privacy requests. The work is an id and a step; whom to write to is read when a letter is about to go out.

Where the account is, its address is used. An erasure keeps the address for its letters under a key of its own, which is destroyed
once the last of them is out, or cannot go out.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from statuette.kernel.db.database import Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.rights import repository
from statuette.kernel.domain.rights.flow import Contact
from statuette.kernel.domain.rights.letters import request_letter
from statuette.kernel.domain.rights.repository import RequestRow
from statuette.kernel.domain.rights.service import Kind
from statuette.kernel.mail.courier import Ended, Letters, report_unsent
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit
from statuette.ports.mail import Message

_LAST = frozenset({"completed", "canceled"})


class _Errand(msgspec.Struct, frozen=True):
    """A letter that is due. `contact` is sealed with the request's key, `addressee` with the account's."""

    request: RequestRow
    event: str
    brand: LoadedBrand
    permit: Permit
    contact: bytes | None
    addressee: Addressee | None


class RequestLetters(Letters[_Errand]):
    given_up_after = timedelta(days=7)

    def __init__(self, brands: BrandDirectory, cipher: FieldCipher, post: Post) -> None:
        self._brands = brands
        self._cipher = cipher
        self._post = post

    async def errand(self, tx: Transaction, subject_id: str) -> _Errand | None:
        request_id, _, event = subject_id.partition(":")
        row = await repository.by_id(tx, request_id)
        if row is None:
            return None
        sealed = await repository.sealed(tx, row.id)
        contact = sealed.contact if sealed is not None else None
        addressee = await accounts.addressee(tx, row.brand_id, row.account_id) if contact is None else None
        if contact is None and addressee is None:
            return None
        brand = await self._brands.by_id(row.brand_id)
        permit = await self._post.permit(tx, brand_id=brand.id, account_id=row.account_id, policy=brand.policy)
        return _Errand(row, event, brand, permit, contact, addressee)

    async def message(self, errand: _Errand) -> Message:
        row = errand.request
        if errand.contact is not None:
            opened = await self._cipher.open(row.id, "contact", errand.contact)
            contact = msgspec.json.decode(opened, type=Contact)
        else:
            assert errand.addressee is not None, "there is one or the other"
            contact = Contact(await accounts.address_of(self._cipher, errand.addressee), errand.addressee.locale, "")
        day = row.effective_at if row.kind == Kind.erasure and row.effective_at is not None else row.due_at
        return request_letter(
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

    async def before_end(self, errand: _Errand) -> None:
        if _is_last(errand):
            await self._cipher.destroy(errand.request.id)

    async def ended(self, tx: Transaction, errand: _Errand, end: Ended) -> None:
        if _is_last(errand):
            await repository.drop_contact(tx, errand.request.id)
        await report_unsent(tx, errand.brand.id, end)

    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        row = await repository.by_id(tx, subject_id.partition(":")[0])
        return row.brand_id if row is not None else None


def _is_last(errand: _Errand) -> bool:
    """Whether the address that was kept for a request's letters is needed no more."""
    return errand.event in _LAST and errand.contact is not None

"""Telling whoever asked that their question was answered, or closed. The work is the question's id and the entry's, with a
point between them.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from statuette.kernel.db.database import Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.support import service
from statuette.kernel.domain.support.letters import support_letter
from statuette.kernel.domain.support.owner import sealing_key
from statuette.kernel.domain.support.repository import EntryRow, QuestionRow
from statuette.kernel.mail.courier import Ended, Fate, Letters
from statuette.kernel.mail.post import ADDRESS, Post
from statuette.kernel.permit import Permit
from statuette.kernel.work import findings
from statuette.ports.mail import Message

CORRESPONDENCE = frozenset({"correspondence"})


class _Errand(msgspec.Struct, frozen=True):
    """`addressee` is the account, `contact` the sealed address of somebody without one: one of the two is there."""

    letter_id: str
    question: QuestionRow
    entry: EntryRow
    brand: LoadedBrand
    addressee: Addressee | None
    contact: bytes | None
    permit: Permit


class SupportLetters(Letters[_Errand]):
    given_up_after = timedelta(days=2)

    def __init__(self, brands: BrandDirectory, cipher: FieldCipher, post: Post) -> None:
        self._brands = brands
        self._cipher = cipher
        self._post = post

    async def errand(self, tx: Transaction, subject_id: str) -> _Errand | None:
        question_id, _, entry_id = subject_id.partition(".")
        found = await service.to_tell(tx, question_id, entry_id)
        if found is None:
            return None
        question, sealed, entry = found
        brand = await self._brands.by_id(question.brand_id)
        addressee = None
        if question.account_id is not None:
            addressee = await accounts.addressee(tx, brand.id, question.account_id)
        if addressee is None and sealed.contact is None:
            return None
        permit = await self._post.permit(
            tx,
            brand_id=brand.id,
            account_id=question.account_id,
            policy=brand.policy,
            categories=ADDRESS if entry.text is None else ADDRESS | CORRESPONDENCE,
        )
        return _Errand(subject_id, question, entry, brand, addressee, sealed.contact, permit)

    async def message(self, errand: _Errand) -> Message:
        question, entry = errand.question, errand.entry
        key = sealing_key(question.id, question.account_id)
        if errand.addressee is not None:
            recipient, locale = await accounts.address_of(self._cipher, errand.addressee), errand.addressee.locale
        else:
            assert errand.contact is not None  # `errand` has seen to it
            recipient, locale = await self._cipher.open(key, "contact", errand.contact), question.locale
        return support_letter(
            letter_id=errand.letter_id,
            question_id=question.id,
            action=entry.action,
            answer=await self._cipher.open(key, "text", entry.text) if entry.text is not None else "",
            with_account=errand.addressee is not None,
            recipient=recipient,
            sender=errand.brand.config.mail_sender,
            brand_title=errand.brand.config.title,
            locale=locale,
        )

    async def ended(self, tx: Transaction, errand: _Errand, end: Ended) -> None:
        if end.fate in (Fate.refused, Fate.not_sent):
            await findings.raise_finding(
                tx,
                code="support_letter_not_sent",
                subject=errand.question.id,
                detail=end.why,
                brand_id=errand.brand.id,
            )

    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        return await service.brand_of(tx, subject_id.partition(".")[0])

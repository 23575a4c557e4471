"""News to one account, with a fresh permit, so that whoever says no before theirs goes out gets none.

The work is the letter's id and the account's, with a point between them.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from statuette.kernel.db.database import Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.news import service
from statuette.kernel.domain.news.letters import news_letter
from statuette.kernel.domain.news.repository import NewsRow
from statuette.kernel.mail.courier import Ended, Fate, Letters
from statuette.kernel.mail.post import Post
from statuette.kernel.mail.unsubscribe import Unsubscribing
from statuette.kernel.permit import Permit
from statuette.kernel.work import findings
from statuette.ports.mail import Message


class _Errand(msgspec.Struct, frozen=True):
    letter: NewsRow
    brand: LoadedBrand
    addressee: Addressee
    permit: Permit


class NewsLetters(Letters[_Errand]):
    given_up_after = timedelta(days=2)

    def __init__(self, brands: BrandDirectory, cipher: FieldCipher, post: Post, unsubscribing: Unsubscribing) -> None:
        self._brands = brands
        self._cipher = cipher
        self._post = post
        self._unsubscribing = unsubscribing

    async def errand(self, tx: Transaction, subject_id: str) -> _Errand | None:
        letter_id, _, account_id = subject_id.partition(".")
        letter = await service.by_id(tx, letter_id)
        if letter is None:
            return None
        addressee = await accounts.addressee(tx, letter.brand_id, account_id)
        if addressee is None:
            return None
        brand = await self._brands.by_id(letter.brand_id)
        permit = await self._post.permit(
            tx, brand_id=brand.id, account_id=account_id, policy=brand.policy, purpose=service.PURPOSE
        )
        return _Errand(letter, brand, addressee, permit)

    async def message(self, errand: _Errand) -> Message:
        whose = (errand.brand.id, errand.addressee.account_id, service.PURPOSE)
        return news_letter(
            service.texts_of(errand.letter),
            letter_id=f"{errand.letter.id}.{errand.addressee.account_id}",
            recipient=await accounts.address_of(self._cipher, errand.addressee),
            sender=errand.brand.config.mail_sender,
            locale=errand.addressee.locale,
            unsubscribe=self._unsubscribing.address(*whose),
            headers=self._unsubscribing.headers(*whose),
        )

    async def ended(self, tx: Transaction, errand: _Errand, end: Ended) -> None:
        """One finding a letter to all; that nobody takes mail at one address is not worth one: it is a greeting."""
        if end.fate is Fate.not_sent:
            await findings.raise_finding(
                tx, code="news_not_sent", subject=errand.letter.id, detail=end.why, brand_id=errand.brand.id
            )

    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        letter = await service.by_id(tx, subject_id.partition(".")[0])
        return letter.brand_id if letter is not None else None

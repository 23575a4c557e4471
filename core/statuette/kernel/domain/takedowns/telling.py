"""Telling people what became of a takedown: whoever asked, and whoever's picture it is.

The work is the case's id, what happened, and whom to tell, with points between them.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from statuette.kernel.db.database import Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.takedowns import service
from statuette.kernel.domain.takedowns.letters import takedown_letter
from statuette.kernel.domain.takedowns.service import REQUESTER, Requester, sealing_key
from statuette.kernel.mail.courier import Ended, Fate, Letters
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit
from statuette.kernel.work import findings
from statuette.ports.mail import Message


class _Errand(msgspec.Struct, frozen=True):
    letter_id: str
    case_id: str
    event: str
    brand: LoadedBrand
    whom: Addressee | Requester
    permit: Permit


class TakedownLetters(Letters[_Errand]):
    given_up_after = timedelta(days=2)

    def __init__(self, brands: BrandDirectory, cipher: FieldCipher, post: Post) -> None:
        self._brands = brands
        self._cipher = cipher
        self._post = post

    async def errand(self, tx: Transaction, subject_id: str) -> _Errand | None:
        case_id, event, whom = subject_id.split(".")
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
        permit = await self._post.permit(tx, brand_id=brand.id, account_id=account_id, policy=brand.policy)
        return _Errand(subject_id, case_id, event, brand, found, permit)

    async def message(self, errand: _Errand) -> Message:
        whom = errand.whom
        if isinstance(whom, Requester):
            recipient = await self._cipher.open(sealing_key(errand.brand.id), "contact", whom.sealed_contact)
        else:
            recipient = await accounts.address_of(self._cipher, whom)
        return takedown_letter(
            letter_id=errand.letter_id,
            case_id=errand.case_id,
            event=errand.event,
            owner=not isinstance(whom, Requester),
            recipient=recipient,
            sender=errand.brand.config.mail_sender,
            brand_title=errand.brand.config.title,
            locale=whom.locale,
        )

    async def ended(self, tx: Transaction, errand: _Errand, end: Ended) -> None:
        if end.fate in (Fate.refused, Fate.not_sent):
            await findings.raise_finding(
                tx,
                code="takedown_letter_not_sent",
                subject=errand.case_id,
                detail=end.why,
                brand_id=errand.brand.id,
            )

    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        case = await service.by_id(tx, subject_id.split(".")[0])
        return case.brand_id if case is not None else None

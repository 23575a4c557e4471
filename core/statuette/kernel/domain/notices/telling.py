"""Letters about a change of the policy, and a record of what became of each. The work is the notice's id."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from statuette.kernel.db.database import Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.notices import service
from statuette.kernel.domain.notices.letters import change_letter
from statuette.kernel.domain.notices.repository import NoticeRow, VersionRow
from statuette.kernel.mail.courier import Ended, Fate, Letters
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit
from statuette.kernel.work import findings
from statuette.policy import enforces
from statuette.ports.mail import Message


class _Errand(msgspec.Struct, frozen=True):
    notice: NoticeRow
    version: VersionRow
    brand: LoadedBrand
    addressee: Addressee
    permit: Permit


class ChangeLetters(Letters[_Errand]):
    given_up_after = timedelta(days=7)

    def __init__(self, brands: BrandDirectory, cipher: FieldCipher, post: Post, *, public_url: str) -> None:
        self._brands = brands
        self._cipher = cipher
        self._post = post
        self._public_url = public_url

    @enforces("policy.change")
    async def errand(self, tx: Transaction, subject_id: str) -> _Errand | None:
        notice = await service.letter(tx, subject_id)
        if notice is None or notice.state != "queued":
            return None
        version = await service.version_by_id(tx, notice.version_id)
        addressee = await accounts.addressee(tx, notice.brand_id, notice.account_id)
        if version is None or addressee is None:
            return None
        brand = await self._brands.by_id(notice.brand_id)
        permit = await self._post.permit(tx, brand_id=brand.id, account_id=notice.account_id, policy=brand.policy)
        return _Errand(notice, version, brand, addressee, permit)

    async def none_due(self, tx: Transaction, subject_id: str) -> None:
        await service.end_letter(tx, subject_id, Fate.nobody)

    async def message(self, errand: _Errand) -> Message:
        return change_letter(
            notice_id=errand.notice.id,
            number=errand.version.number,
            effective_at=errand.version.effective_at,
            address=f"{self._public_url}/policy/{errand.version.id}",
            asks=bool(errand.version.asked()),
            recipient=await accounts.address_of(self._cipher, errand.addressee),
            sender=errand.brand.config.mail_sender,
            brand_title=errand.brand.config.title,
            locale=errand.addressee.locale,
        )

    async def ended(self, tx: Transaction, errand: _Errand, end: Ended) -> None:
        """An address that takes no mail is on record; only what could go out and did not is for the operator to look at."""
        await service.end_letter(tx, errand.notice.id, end.fate)
        if end.fate is Fate.not_sent:
            await findings.raise_finding(
                tx,
                code="policy_letter_not_sent",
                subject=errand.version.id,
                detail=end.why,
                brand_id=errand.brand.id,
            )

    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        notice = await service.letter(tx, subject_id)
        await service.end_letter(tx, subject_id, Fate.not_sent)
        return notice.brand_id if notice is not None else None

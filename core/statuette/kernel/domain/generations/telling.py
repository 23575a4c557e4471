"""Telling a person by letter that their job has ended, if they asked for that. The work is the job's id."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from statuette.kernel.db.database import Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.generations import repository
from statuette.kernel.domain.generations.letters import ended_letter, has_pictures
from statuette.kernel.domain.generations.repository import GenerationRow
from statuette.kernel.domain.generations.service import figurines_of
from statuette.kernel.mail.courier import Ended, Letters, report_unsent
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit
from statuette.ports.mail import Message


class _Errand(msgspec.Struct, frozen=True):
    job: GenerationRow
    brand: LoadedBrand
    addressee: Addressee
    permit: Permit


class EndedLetters(Letters[_Errand]):
    given_up_after = timedelta(hours=24)

    def __init__(self, brands: BrandDirectory, cipher: FieldCipher, post: Post) -> None:
        self._brands = brands
        self._cipher = cipher
        self._post = post

    async def errand(self, tx: Transaction, subject_id: str) -> _Errand | None:
        """None also where the job is gone, or its pictures are: there is nothing to tell of."""
        job = await repository.by_id(tx, subject_id)
        if job is None or (has_pictures(job) and not await figurines_of(tx, job)):
            return None
        addressee = await accounts.addressee(tx, job.brand_id, job.account_id)
        if addressee is None:
            return None
        brand = await self._brands.by_id(job.brand_id)
        permit = await self._post.permit(tx, brand_id=brand.id, account_id=job.account_id, policy=brand.policy)
        return _Errand(job, brand, addressee, permit)

    async def message(self, errand: _Errand) -> Message:
        return ended_letter(
            errand.job,
            recipient=await accounts.address_of(self._cipher, errand.addressee),
            sender=errand.brand.config.mail_sender,
            brand_title=errand.brand.config.title,
            locale=errand.addressee.locale,
        )

    async def ended(self, tx: Transaction, errand: _Errand, end: Ended) -> None:
        await report_unsent(tx, errand.brand.id, end)

    async def poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        job = await repository.by_id(tx, subject_id)
        return job.brand_id if job is not None else None

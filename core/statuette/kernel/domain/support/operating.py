"""The operator's side of questions."""

from __future__ import annotations

from statuette.errors import NotFound
from statuette.kernel.access.reveals import Look, Subject, uncover
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.support import repository, service
from statuette.kernel.domain.support.owner import sealing_key
from statuette.kernel.domain.support.repository import AttachmentRow
from statuette.kernel.domain.support.schemas import OperatorQuestion, OperatorSummary, RevealedQuestion
from statuette.kernel.domain.support.views import Gathered, gathered, listed_for_operators, revealed, shown_to_operators
from statuette.kernel.domain.support.writing import checked_text
from statuette.kernel.enforcement.deadlines import dooms
from statuette.kernel.idempotency.once import Once
from statuette.kernel.work.outbox import Outbox
from statuette.ports.keys import KeyDestroyed

TO_ANSWER = "to_answer"
"""The reason that is on record for a look at what is attached."""


class SupportDesk:
    """Lists, reads, answers, closes and opens again. Whoever did it, and when, stays on record with the question."""

    def __init__(self, database: Database, outbox: Outbox, cipher: FieldCipher) -> None:
        self._database = database
        self._outbox = outbox
        self._cipher = cipher

    async def listed(
        self, brand: LoadedBrand, *, state: str | None, before: str | None, limit: int
    ) -> list[OperatorSummary]:
        """Newest first."""
        async with self._database.read() as reader:
            rows = await repository.page(reader, brand.id, state=state, before=before, limit=limit)
            doomed = await dooms(reader, [row.id for row in rows])
        return [listed_for_operators(row, doomed.get(row.id)) for row in rows]

    async def read(self, brand: LoadedBrand, question_id: str) -> OperatorQuestion:
        """Raises `NotFound`, `KeyStoreUnavailable`."""
        async with self._database.read() as reader:
            found = await gathered(reader, await service.get(reader, brand.id, question_id), contact=True)
        try:
            return await shown_to_operators(self._cipher, found)
        except KeyDestroyed:
            raise NotFound() from None  # its account was erased just now

    async def revealed(self, brand: LoadedBrand, question_id: str, *, actor: str, reason: str) -> RevealedQuestion:
        """What was said; that it was read is on record before. Raises `NotFound`, `KeyStoreUnavailable`."""

        async def find(tx: Transaction) -> tuple[list[Look], Gathered]:
            row = await service.get(tx, brand.id, question_id)
            return [Look(Subject.support_question, row.id, row.account_id)], await gathered(tx, row)

        async def show(found: Gathered) -> RevealedQuestion:
            try:
                return await revealed(self._cipher, found)
            except KeyDestroyed:
                raise NotFound() from None

        return await uncover(self._database, find, show, brand_id=brand.id, actor=actor, reason=reason)

    async def attachment(
        self, brand: LoadedBrand, question_id: str, attachment_id: str, *, actor: str
    ) -> AttachmentRow:
        """What is attached, about to be shown to whoever answers; that it is looked at is on record. Raises `NotFound`."""

        async def find(tx: Transaction) -> tuple[list[Look], AttachmentRow]:
            row = await service.get(tx, brand.id, question_id)
            found = await service.attachment(tx, row, attachment_id)
            return [Look(Subject.support_attachment, row.id, row.account_id)], found

        async def show(found: AttachmentRow) -> AttachmentRow:
            return found

        return await uncover(self._database, find, show, brand_id=brand.id, actor=actor, reason=TO_ANSWER)

    async def answer(
        self, brand: LoadedBrand, question_id: str, message: str, *, answered_by: str, once: Once | None
    ) -> OperatorQuestion:
        """Raises `NotFound`, `QuestionClosed`, `InvalidInput`, `KeyStoreUnavailable`."""
        text = checked_text(message)
        async with self._database.read() as reader:
            row = await service.get(reader, brand.id, question_id)
        try:
            sealed = await self._cipher.seal(sealing_key(row.id, row.account_id), "text", text)
        except KeyDestroyed:
            raise NotFound() from None

        async def answer(tx: Transaction) -> None:
            if once is not None and await once.begin(tx) is not None:
                return
            await service.answer(
                tx, self._outbox, brand_id=brand.id, question_id=question_id, text=sealed, answered_by=answered_by
            )
            if once is not None:
                await once.finish(tx, status=201, resource_id=question_id)

        await self._database.run(answer)
        return await self.read(brand, question_id)

    async def close(self, brand: LoadedBrand, question_id: str, *, closed_by: str) -> OperatorQuestion:
        """Raises `NotFound`."""
        await self._database.run(
            lambda tx: service.close(
                tx, self._outbox, brand_id=brand.id, question_id=question_id, policy=brand.policy, closed_by=closed_by
            )
        )
        return await self.read(brand, question_id)

    async def reopen(self, brand: LoadedBrand, question_id: str, *, reopened_by: str) -> OperatorQuestion:
        """Raises `NotFound`, `QuestionNotClosed`."""
        await self._database.run(
            lambda tx: service.reopen(
                tx, brand_id=brand.id, question_id=question_id, policy=brand.policy, reopened_by=reopened_by
            )
        )
        return await self.read(brand, question_id)

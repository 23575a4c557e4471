"""Questions as the API shows them: gathered from the database first, then opened with the key of whoever asked."""

from __future__ import annotations

import msgspec

from statuette.kernel.access.masking import masked_address
from statuette.kernel.db.database import Reader
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.support import repository
from statuette.kernel.domain.support.owner import sealing_key
from statuette.kernel.domain.support.repository import AttachmentRow, EntryRow, QuestionRow, Sealed
from statuette.kernel.domain.support.schemas import (
    AttachmentView,
    EntryView,
    OperatorEntry,
    OperatorQuestion,
    OperatorSummary,
    QuestionSummary,
    QuestionView,
    RevealedEntry,
    RevealedQuestion,
)
from statuette.kernel.domain.support.service import ASKER, PLATFORM
from statuette.kernel.enforcement.deadlines import Doom, dooms

_BY = {ASKER: "you", PLATFORM: "itself"}


class Gathered(msgspec.Struct, frozen=True):
    """A question with all that belongs to it, sealed as it is."""

    row: QuestionRow
    sealed: Sealed
    entries: list[EntryRow]
    attachments: list[AttachmentRow]
    doom: Doom | None
    addressee: Addressee | None = None


async def gathered(reader: Reader, row: QuestionRow, *, whole: bool = True, contact: bool = False) -> Gathered:
    """
    Args:
        whole: with what was said and attached.
        contact: with the account's address, for operators.
    """
    sealed = await repository.sealed(reader, row.id)
    assert sealed is not None  # read in the same transaction as its row
    return Gathered(
        row,
        sealed,
        await repository.entries(reader, row.id) if whole else [],
        await repository.attachments(reader, row.id) if whole else [],
        (await dooms(reader, [row.id])).get(row.id),
        await accounts.addressee(reader, row.brand_id, row.account_id) if contact and row.account_id else None,
    )


async def summary(cipher: FieldCipher, found: Gathered) -> QuestionSummary:
    """For whoever asked. Raises what `FieldCipher.open` raises."""
    row, doom = found.row, found.doom
    return QuestionSummary(
        id=row.id,
        state=row.state,
        category=row.category,
        subject=await _subject(cipher, found),
        attachments=row.attachments,
        created_at=row.created_at,
        closes_at=row.closes_at,
        closed_at=row.closed_at,
        expires_at=doom.due_at if doom else None,
        retention=_retention(doom),
    )


async def shown(cipher: FieldCipher, found: Gathered) -> QuestionView:
    """For whoever asked. Raises what `FieldCipher.open` raises."""
    row, doom = found.row, found.doom
    return QuestionView(
        id=row.id,
        state=row.state,
        category=row.category,
        subject=await _subject(cipher, found),
        created_at=row.created_at,
        closes_at=row.closes_at,
        closed_at=row.closed_at,
        expires_at=doom.due_at if doom else None,
        retention=_retention(doom),
        entries=[
            EntryView(each.action, _BY.get(each.actor, "us"), await _text(cipher, row, each), each.created_at)
            for each in found.entries
        ],
        attachments=[_attachment(each) for each in found.attachments],
    )


def listed_for_operators(row: QuestionRow, doom: Doom | None) -> OperatorSummary:
    return OperatorSummary(
        id=row.id,
        state=row.state,
        category=row.category,
        account_id=row.account_id,
        attachments=row.attachments,
        created_at=row.created_at,
        closes_at=row.closes_at,
        closed_at=row.closed_at,
        expires_at=doom.due_at if doom else None,
    )


async def shown_to_operators(cipher: FieldCipher, found: Gathered) -> OperatorQuestion:
    """Without what was said. Raises what `FieldCipher.open` raises."""
    row = found.row
    return OperatorQuestion(
        id=row.id,
        state=row.state,
        category=row.category,
        account_id=row.account_id,
        contact=await _contact(cipher, found),
        created_at=row.created_at,
        closes_at=row.closes_at,
        closed_at=row.closed_at,
        expires_at=found.doom.due_at if found.doom else None,
        entries=[OperatorEntry(each.action, each.actor, each.created_at) for each in found.entries],
        attachments=[_attachment(each) for each in found.attachments],
    )


async def revealed(cipher: FieldCipher, found: Gathered) -> RevealedQuestion:
    """Raises what `FieldCipher.open` raises."""
    return RevealedQuestion(
        await _subject(cipher, found),
        [
            RevealedEntry(each.action, each.actor, await _text(cipher, found.row, each), each.created_at)
            for each in found.entries
        ],
    )


async def _contact(cipher: FieldCipher, found: Gathered) -> str | None:
    if found.addressee is not None:
        return masked_address(await accounts.address_of(cipher, found.addressee))
    if found.sealed.contact is None:
        return None
    return masked_address(await cipher.open(sealing_key(found.row.id, None), "contact", found.sealed.contact))


async def _subject(cipher: FieldCipher, found: Gathered) -> str:
    return await cipher.open(sealing_key(found.row.id, found.row.account_id), "subject", found.sealed.subject)


async def _text(cipher: FieldCipher, row: QuestionRow, entry: EntryRow) -> str | None:
    if entry.text is None:
        return None
    return await cipher.open(sealing_key(row.id, row.account_id), "text", entry.text)


def _retention(doom: Doom | None) -> str:
    return f"deleted by the rule {doom.rule}" if doom is not None else "kept until it is closed"


def _attachment(row: AttachmentRow) -> AttachmentView:
    return AttachmentView(row.id, row.media_type, row.size_bytes)

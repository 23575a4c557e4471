"""SQL of questions. Every read asks for what is still visible, of one brand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from statuette.dataset import Transaction as AnyTransaction
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.support.tables import SupportAttachment, SupportEntry, SupportQuestion
from statuette.kernel.enforcement.deadlines import visible

_VISIBLE = visible("support_question")


class QuestionRow(msgspec.Struct, frozen=True):
    """A question without what is sealed in it."""

    id: str
    brand_id: str
    account_id: str | None
    state: str
    category: str
    locale: str
    token_hash: str | None
    attachments: int
    closes_at: datetime | None
    closed_at: datetime | None
    created_at: datetime


class Sealed(msgspec.Struct, frozen=True):
    contact: bytes | None
    subject: bytes


class EntryRow(msgspec.Struct, frozen=True):
    id: str
    number: int
    action: str
    actor: str
    text: bytes | None
    created_at: datetime


class AttachmentRow(msgspec.Struct, frozen=True):
    id: str
    question_id: str
    media_type: str
    size_bytes: int
    sha256: str


_QUESTION = columns_of(QuestionRow)
_ENTRY = columns_of(EntryRow)
_ATTACHMENT = columns_of(AttachmentRow)


async def add(tx: Transaction, row: QuestionRow, sealed: Sealed) -> None:
    await tx.insert(
        SupportQuestion,
        **{name: getattr(row, name) for name in QuestionRow.__struct_fields__},
        contact=sealed.contact,
        subject=sealed.subject,
    )


async def add_entry(
    tx: Transaction, *, brand_id: str, question_id: str, action: str, actor: str, text: bytes | None
) -> str:
    """Under the question's lock, so that numbers have no gap; returns the entry's id."""
    entry_id = tx.new_id("sen")
    number = await tx.value("SELECT COUNT(*) AS n FROM support_entry WHERE question_id = :id", id=question_id)
    await tx.insert(
        SupportEntry,
        id=entry_id,
        brand_id=brand_id,
        question_id=question_id,
        number=int(number),
        action=action,
        actor=actor,
        text=text,
        created_at=tx.now,
    )
    return entry_id


async def add_attachments(tx: Transaction, brand_id: str, rows: Sequence[AttachmentRow]) -> None:
    for row in rows:
        await tx.insert(
            SupportAttachment,
            **{name: getattr(row, name) for name in AttachmentRow.__struct_fields__},
            brand_id=brand_id,
            created_at=tx.now,
        )


async def make_open(tx: Transaction, brand_id: str, question_id: str, *, attachments: int, closes_at: datetime) -> bool:
    """What is attached is stored. False: the question was given up meanwhile."""
    return await tx.changed(
        "UPDATE support_question SET state = 'open', attachments = :attachments, closes_at = :closes_at"
        f" WHERE id = :id AND brand_id = :brand_id AND state = 'receiving' AND {_VISIBLE} RETURNING id",
        id=question_id,
        brand_id=brand_id,
        attachments=attachments,
        closes_at=closes_at,
        now=tx.now,
    )


async def get(reader: Reader, brand_id: str, question_id: str) -> QuestionRow | None:
    return await reader.one(
        QuestionRow,
        f"SELECT {_QUESTION} FROM support_question WHERE id = :id AND brand_id = :brand_id AND state <> 'receiving'"
        f" AND {_VISIBLE}",
        id=question_id,
        brand_id=brand_id,
        now=reader.now,
    )


async def by_id(reader: Reader, question_id: str) -> QuestionRow | None:
    """Of whichever brand, while it is visible."""
    return await reader.one(
        QuestionRow,
        f"SELECT {_QUESTION} FROM support_question WHERE id = :id AND {_VISIBLE}",
        id=question_id,
        now=reader.now,
    )


async def lock(tx: Transaction, brand_id: str, question_id: str) -> QuestionRow | None:
    """The visible question, whatever its state, locked until the transaction ends."""
    return await tx.one(
        QuestionRow,
        f"SELECT {_QUESTION} FROM support_question WHERE id = :id AND brand_id = :brand_id AND {_VISIBLE}{tx.for_update}",
        id=question_id,
        brand_id=brand_id,
        now=tx.now,
    )


async def sealed(reader: Reader, question_id: str) -> Sealed | None:
    return await reader.one(Sealed, "SELECT contact, subject FROM support_question WHERE id = :id", id=question_id)


async def entries(reader: Reader, question_id: str) -> list[EntryRow]:
    return await reader.all(
        EntryRow,
        f"SELECT {_ENTRY} FROM support_entry WHERE question_id = :question_id ORDER BY number",
        question_id=question_id,
    )


async def entry(reader: Reader, question_id: str, entry_id: str) -> EntryRow | None:
    return await reader.one(
        EntryRow,
        f"SELECT {_ENTRY} FROM support_entry WHERE id = :id AND question_id = :question_id",
        id=entry_id,
        question_id=question_id,
    )


async def any_after(reader: Reader, question_id: str, at: datetime) -> bool:
    """Whether a step was taken later."""
    sql = "SELECT 1 AS found FROM support_entry WHERE question_id = :id AND created_at > :at LIMIT 1"
    return bool(await reader.value(sql, id=question_id, at=at))


async def attachments(reader: Reader, question_id: str) -> list[AttachmentRow]:
    return await reader.all(
        AttachmentRow,
        f"SELECT {_ATTACHMENT} FROM support_attachment WHERE question_id = :question_id ORDER BY id",
        question_id=question_id,
    )


async def page_of_account(
    reader: Reader, brand_id: str, account_id: str, *, before: str | None, limit: int
) -> list[QuestionRow]:
    """Newest first."""
    return await reader.all(
        QuestionRow,
        f"SELECT {_QUESTION} FROM support_question WHERE brand_id = :brand_id AND account_id = :account_id"
        f" AND id < :before AND state <> 'receiving' AND {_VISIBLE} ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        account_id=account_id,
        before=before or "sup_~",
        limit=limit,
        now=reader.now,
    )


async def page(
    reader: Reader, brand_id: str, *, state: str | None, before: str | None, limit: int
) -> list[QuestionRow]:
    """Of a brand, newest first."""
    of_state = " AND state = :state" if state is not None else " AND state <> 'receiving'"
    parameters = {"state": state} if state is not None else {}
    return await reader.all(
        QuestionRow,
        f"SELECT {_QUESTION} FROM support_question WHERE brand_id = :brand_id AND id < :before{of_state}"
        f" AND {_VISIBLE} ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        before=before or "sup_~",
        limit=limit,
        now=reader.now,
        **parameters,
    )


async def quiet(reader: Reader, limit: int) -> list[QuestionRow]:
    """Questions in which nobody has written for long enough, and those that were never taken in."""
    return await reader.all(
        QuestionRow,
        f"SELECT {_QUESTION} FROM support_question WHERE closes_at IS NOT NULL AND closes_at <= :now AND {_VISIBLE}"
        " ORDER BY closes_at LIMIT :limit",
        now=reader.now,
        limit=limit,
    )


async def set_state(
    tx: Transaction, question_id: str, state: str, *, closes_at: datetime | None, closed_at: datetime | None = None
) -> None:
    await tx.execute(
        "UPDATE support_question SET state = :state, closes_at = :closes_at, closed_at = :closed_at WHERE id = :id",
        id=question_id,
        state=state,
        closes_at=closes_at,
        closed_at=closed_at,
    )


async def place(tx: AnyTransaction, question_id: str) -> dict[str, Any] | None:
    """Brand, account and state, visible or not; None when it is gone."""
    rows = await tx.rows("SELECT brand_id, account_id, state FROM support_question WHERE id = :id", id=question_id)
    return rows[0] if rows else None


async def delete(tx: AnyTransaction, question_id: str) -> None:
    """With all that belongs to it. Idempotent."""
    await tx.execute("DELETE FROM support_attachment WHERE question_id = :id", id=question_id)
    await tx.execute("DELETE FROM support_entry WHERE question_id = :id", id=question_id)
    await tx.execute("DELETE FROM support_question WHERE id = :id", id=question_id)

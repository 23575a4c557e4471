"""What is covered is uncovered in one way: who, what and why is committed first, and shown afterwards.

Whoever has something to uncover says in a transaction what it is and whom it is about; it is opened once that transaction is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import msgspec

from statuette.kernel.access.tables import Reveal
from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.policy.enforcers import enforces

_Sealed = TypeVar("_Sealed")
_Shown = TypeVar("_Shown")


class Subject(StrEnum):
    """What can be uncovered."""

    account = "account"
    """Name and address."""
    privacy_request = "privacy_request"
    """What somebody wrote with a request."""
    takedown = "takedown"
    """Who asked for a picture to be taken down, what they wrote, and what its owners say."""
    takedown_picture = "takedown_picture"
    """A picture that is to be decided on. `record_id` is the case's."""

    support_question = "support_question"
    """What was said in a question."""
    support_attachment = "support_attachment"
    """What is attached to one. `record_id` is the question's."""


class Look(msgspec.Struct, frozen=True):
    """What is about to be seen of one person.

    Attributes:
        account_id: whose it is; None for somebody without an account.
    """

    subject: Subject
    record_id: str
    account_id: str | None


class RevealRow(msgspec.Struct, frozen=True):
    """A look that was taken.

    Attributes:
        actor: id of the key.
        reason: a code.
    """

    id: str
    subject: str
    record_id: str
    account_id: str | None
    actor: str
    reason: str
    created_at: datetime


_COLUMNS = columns_of(RevealRow)

Found = Callable[[Transaction], Awaitable[tuple[Sequence[Look], _Sealed]]]


async def uncover(
    database: Database,
    find: Found[_Sealed],
    show: Callable[[_Sealed], Awaitable[_Shown]],
    *,
    brand_id: str,
    actor: str,
    reason: str,
) -> _Shown:
    """Put a look on record, and then take it.

    Args:
        find: gives whom it is about, and what `show` needs; it may raise, and then nobody has seen anything.
        show: opens that, once the record is durable.
    """

    async def note(tx: Transaction) -> _Sealed:
        looks, sealed = await find(tx)
        for look in looks:
            await record(tx, look, brand_id=brand_id, actor=actor, reason=reason)
        return sealed

    return await show(await database.run(note))


@enforces("safeguard.access")
async def record(tx: Transaction, look: Look, *, brand_id: str, actor: str, reason: str) -> None:
    await tx.insert(
        Reveal,
        id=tx.new_id("rvl"),
        brand_id=brand_id,
        account_id=look.account_id,
        subject=look.subject.value,
        record_id=look.record_id,
        actor=actor,
        reason=reason,
        created_at=tx.now,
    )


async def of_record(reader: Reader, record_id: str) -> list[RevealRow]:
    """Oldest first."""
    return await reader.all(
        RevealRow, f"SELECT {_COLUMNS} FROM reveal WHERE record_id = :record_id ORDER BY id", record_id=record_id
    )


async def listed(
    reader: Reader, brand_id: str, *, account_id: str | None, actor: str | None, before: str | None, limit: int
) -> list[RevealRow]:
    """Of a brand, newest first; of one account, or by one key, if named."""
    conditions, parameters = "brand_id = :brand_id AND id < :before", {}
    for column, value in (("account_id", account_id), ("actor", actor)):
        if value is not None:
            conditions += f" AND {column} = :{column}"
            parameters[column] = value
    return await reader.all(
        RevealRow,
        f"SELECT {_COLUMNS} FROM reveal WHERE {conditions} ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        before=before or "rvl_~",
        limit=limit,
        **parameters,
    )

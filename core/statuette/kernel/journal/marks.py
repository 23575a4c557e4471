"""SQL of the high-water marks: how far the database knows what the journal says."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.journal.tables import JournalMark


class Mark(msgspec.Struct, frozen=True):
    id: str
    upto: int
    at: datetime


class Destroyed(msgspec.Struct, frozen=True):
    """The last data key that was destroyed, as far as the database knows."""

    destroyed: str
    destroyed_at: datetime


async def begin(tx: Transaction, stream: str) -> None:
    """A stream's first segment."""
    await tx.insert(JournalMark, id=stream, upto=1, at=tx.now, destroyed=None, destroyed_at=None)


async def advance(tx: Transaction, stream: str, number: int) -> bool:
    """The stream's next segment; False when the database does not know the one before: it is not what it was."""
    return await tx.changed(
        "UPDATE journal_mark SET upto = :number, at = :now WHERE id = :stream AND upto = :before RETURNING id",
        stream=stream,
        number=number,
        before=number - 1,
        now=tx.now,
    )


async def remember_key(tx: Transaction, stream: str, subject: str) -> None:
    await tx.execute(
        "UPDATE journal_mark SET destroyed = :subject, destroyed_at = :now WHERE id = :stream",
        stream=stream,
        subject=subject,
        now=tx.now,
    )


async def caught_up(tx: Transaction, stream: str, upto: int) -> None:
    """What the journal says in a stream up to that segment has been carried out."""
    await tx.execute(
        "INSERT INTO journal_mark (id, upto, at, destroyed, destroyed_at) VALUES (:stream, :upto, :now, NULL, NULL)"
        " ON CONFLICT (id) DO UPDATE SET upto = :upto, at = :now WHERE journal_mark.upto < :upto",
        stream=stream,
        upto=upto,
        now=tx.now,
    )


async def of(reader: Reader, streams: list[str]) -> dict[str, int]:
    """How far each of the streams is known; those that are not are left out."""
    found = {}
    for stream in streams:
        upto = await reader.value("SELECT upto FROM journal_mark WHERE id = :stream", stream=stream)
        if upto is not None:
            found[stream] = int(upto)
    return found


async def newest(reader: Reader) -> datetime | None:
    """When the database last learned anything about the journal."""
    mark = await reader.one(Mark, "SELECT id, upto, at FROM journal_mark ORDER BY at DESC LIMIT 1")
    return mark.at if mark is not None else None


async def last_destroyed(reader: Reader) -> Destroyed | None:
    return await reader.one(
        Destroyed,
        "SELECT destroyed, destroyed_at FROM journal_mark WHERE destroyed_at IS NOT NULL ORDER BY destroyed_at DESC LIMIT 1",
    )


async def forget(tx: Transaction, older_than: datetime) -> None:
    """Marks of streams whose segments have all expired."""
    await tx.execute("DELETE FROM journal_mark WHERE at < :older_than", older_than=older_than)

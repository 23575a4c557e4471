"""Entries written in the same transaction as what they tell of. Nothing is acted on that is not noted, nor noted that is not."""

from __future__ import annotations

import msgspec

from statuette.kernel.db.database import Transaction
from statuette.kernel.journal.entries import Entry
from statuette.kernel.journal.tables import JournalNote

TOPIC = "journal"


class Note(msgspec.Struct, frozen=True):
    id: str
    body: str


async def note(tx: Transaction, entry: Entry) -> None:
    """Have `entry` in the journal. It is there when the request is answered, unless the journal's store is away; then soon."""
    noted = Note(tx.new_id("jnt"), msgspec.json.encode(entry).decode())
    await tx.insert(JournalNote, id=noted.id, body=noted.body, created_at=tx.now)
    tx.tell(TOPIC, noted)

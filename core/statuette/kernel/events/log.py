"""The durable events of a job, numbered without gaps, from which a stream can be resumed anywhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.events.signals import CHANGED, Signals


class EventRow(msgspec.Struct, frozen=True):
    """One event. `data` is a JSON text."""

    seq: int
    type: str
    data: str
    created_at: datetime


class EventLog:
    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    async def append(self, tx: Transaction, *, brand_id: str, generation_id: str, type: str, **data: Any) -> None:
        """Add an event. The caller has changed the job's row in this transaction, which orders concurrent writers."""
        await tx.execute(
            "INSERT INTO generation_event (id, brand_id, generation_id, seq, type, data, created_at)"
            " VALUES (:id, :brand_id, :generation_id,"
            " (SELECT COALESCE(MAX(seq), 0) + 1 FROM generation_event WHERE generation_id = :same_generation_id),"
            " :type, :data, :now)",
            id=tx.new_id("evt"),
            brand_id=brand_id,
            generation_id=generation_id,
            same_generation_id=generation_id,  # PostgreSQL gives a parameter one type, and here it would want two
            type=type,
            data=msgspec.json.encode(data).decode(),
            now=tx.now,
        )
        tx.after_commit(lambda: self._signals.send(CHANGED, generation_id))


async def events_after(reader: Reader, brand_id: str, generation_id: str, seq: int) -> list[EventRow]:
    """Events with a number above `seq`, in order."""
    return await reader.all(
        EventRow,
        "SELECT seq, type, data, created_at FROM generation_event"
        " WHERE generation_id = :generation_id AND brand_id = :brand_id AND seq > :seq ORDER BY seq LIMIT 200",
        generation_id=generation_id,
        brand_id=brand_id,
        seq=seq,
    )

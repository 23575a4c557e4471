"""Shows that deadlines are looked at, so that an enforcer which silently does nothing does not go unnoticed.

Whoever looks for due deadlines notes the moment. Another duty and `statuette doctor` compare it with the time: a
process that ticks and never comes to its deadlines is found while it lasts, and a time in which nothing ran once it is over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.work import findings

SILENT = "enforcement_silent"
SILENT_AFTER = timedelta(hours=1)
"""Longer than any restart, and a part of the shortest time that a promise gives."""
_SUBJECT = "enforcement"
_BEAT_EVERY = timedelta(seconds=30)


async def last_beat(reader: Reader) -> datetime | None:
    """When due deadlines were last looked for; None before the first time."""
    at: datetime | None = await reader.value("SELECT at FROM time_mark WHERE name = :name", name=_SUBJECT)
    return at


async def watch(database: Database) -> int:
    """Raise a finding if nobody has looked for due deadlines for long; returns how many. The scheduler's job."""
    async with database.read() as reader:
        last, now = await last_beat(reader), reader.now
    if last is None or now - last < SILENT_AFTER:
        return 0
    await database.run(lambda tx: _report(tx, now - last))
    return 1


class Heartbeat:
    """Of one process. A beat that falls due is a statement in the transaction that looks for deadlines, the others are free."""

    def __init__(self) -> None:
        self._beaten_at: datetime | None = None

    async def beat(self, tx: Transaction) -> None:
        if self._beaten_at is not None and timedelta(0) <= tx.now - self._beaten_at < _BEAT_EVERY:
            return
        last = await last_beat(tx)
        if last is not None and tx.now - last >= SILENT_AFTER:
            await _report(tx, tx.now - last)
        await tx.execute(
            "INSERT INTO time_mark (name, at) VALUES (:name, :now) ON CONFLICT (name) DO UPDATE SET at = :now",
            name=_SUBJECT,
            now=tx.now,
        )
        self._beaten_at = tx.now


async def _report(tx: Transaction, silent_for: timedelta) -> None:
    minutes = round(silent_for.total_seconds() / 60)
    await findings.raise_finding(tx, code=SILENT, subject=_SUBJECT, detail=f"{minutes} minutes", brand_id=None)

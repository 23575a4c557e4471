"""When backups were made and tried, as the database remembers it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from statuette.kernel.db.database import Reader, Transaction


class Done(StrEnum):
    backup = "backup"
    key_backup = "key_backup"
    restore_tried = "restore_tried"
    """A backup was opened on trial, or restored for good."""
    drill = "drill"
    """A synthetic account was erased and looked for everywhere."""


class _Row(msgspec.Struct, frozen=True):
    at: datetime


async def note(tx: Transaction, done: Done, detail: str) -> None:
    await tx.execute(
        "INSERT INTO upkeep (id, at, detail) VALUES (:id, :now, :detail)"
        " ON CONFLICT (id) DO UPDATE SET at = :now, detail = :detail",
        id=done.value,
        detail=detail[:120],
        now=tx.now,
    )


async def last(reader: Reader, done: Done) -> datetime | None:
    found = await reader.one(_Row, "SELECT at FROM upkeep WHERE id = :id", id=done.value)
    return found.at if found is not None else None

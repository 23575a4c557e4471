"""Writing and moving deadlines. A record's deadlines are committed before its first byte is stored."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.enforcement.tables import Deadline
from statuette.kernel.telemetry import trace_parent


class Doom(msgspec.Struct, frozen=True):
    """When a record goes, and by which rule."""

    record_id: str
    rule: str
    due_at: datetime


def visible(alias: str) -> str:
    """An SQL condition: no deadline of the row has passed. Every read of personal data carries it; it needs `:now`."""
    return f"NOT EXISTS (SELECT 1 FROM deadline d WHERE d.record_id = {alias}.id AND d.due_at <= :now)"


async def schedule(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str | None,
    dataset: str,
    record_id: str,
    rule: str,
    policy_digest: str,
    due_at: datetime | None,
) -> None:
    """Store a deadline; `due_at` None means that its trigger has not happened yet."""
    await tx.insert(
        Deadline,
        id=tx.new_id("ddl"),
        brand_id=brand_id,
        account_id=account_id,
        dataset=dataset,
        record_id=record_id,
        rule=rule,
        policy_digest=policy_digest,
        state="scheduled",
        due_at=due_at,
        attempts=0,
        trace_parent=trace_parent(),
        created_at=tx.now,
        updated_at=tx.now,
    )


async def unarmed(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str | None,
    dataset: str,
    record_id: str,
    rule: str,
    policy_digest: str,
) -> None:
    """Store a deadline whose trigger has not happened yet."""
    await schedule(
        tx,
        brand_id=brand_id,
        account_id=account_id,
        dataset=dataset,
        record_id=record_id,
        rule=rule,
        policy_digest=policy_digest,
        due_at=None,
    )


async def arm(tx: Transaction, record_id: str, rule: str, due_at: datetime | None) -> bool:
    """Move a deadline that has not passed, or with None take its arming back. False: it has passed, or is not there."""
    return await tx.changed(
        "UPDATE deadline SET due_at = :due_at, updated_at = :now, trace_parent = :trace_parent"
        " WHERE record_id = :record_id AND rule = :rule AND state = 'scheduled'"
        " AND (due_at IS NULL OR due_at > :now) RETURNING id",
        record_id=record_id,
        rule=rule,
        due_at=due_at,
        trace_parent=trace_parent(),
        now=tx.now,
    )


async def dooms(reader: Reader, record_ids: list[str]) -> dict[str, Doom]:
    """The earliest armed deadline of each record that has one."""
    found: dict[str, Doom] = {}
    for record_id in record_ids:
        doom = await reader.one(
            Doom,
            "SELECT record_id, rule, due_at FROM deadline WHERE record_id = :record_id AND due_at IS NOT NULL"
            " ORDER BY due_at LIMIT 1",
            record_id=record_id,
        )
        if doom is not None:
            found[record_id] = doom
    return found

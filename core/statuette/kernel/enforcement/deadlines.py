"""Writing and moving deadlines. A record's deadlines are committed before its first byte is stored."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.enforcement.tables import Deadline
from statuette.kernel.journal.entries import Due
from statuette.kernel.journal.notes import note
from statuette.kernel.telemetry import trace_parent


class Doom(msgspec.Struct, frozen=True):
    """When a record goes, and by which rule."""

    record_id: str
    rule: str
    due_at: datetime


class _Armed(msgspec.Struct, frozen=True):
    brand_id: str
    dataset: str


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
    """Store a deadline that is armed now; `due_at` None means that its trigger has not happened yet."""
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
        armed_at=tx.now if due_at is not None else None,
        forecast_at=due_at,
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


async def arm(tx: Transaction, record_id: str, rule: str, due_at: datetime | None, *, asked: bool = False) -> bool:
    """Move a deadline that has not passed, or with None take its arming back. False: it has passed, or is not there.

    Args:
        asked: a person decided it, so it goes into the erasure journal and outlives a restore of the database.
    """
    armed = await tx.one(
        _Armed,
        "UPDATE deadline SET due_at = :due_at, forecast_at = :due_at, armed_at = :armed_at, updated_at = :now,"
        " trace_parent = :trace_parent"
        " WHERE record_id = :record_id AND rule = :rule AND state = 'scheduled'"
        " AND (due_at IS NULL OR due_at > :now) RETURNING brand_id, dataset",
        record_id=record_id,
        rule=rule,
        due_at=due_at,
        armed_at=tx.now if due_at is not None else None,
        trace_parent=trace_parent(),
        now=tx.now,
    )
    if armed is not None and asked:
        await note(tx, Due(tx.now, armed.brand_id, armed.dataset, record_id, rule, due_at))
    return armed is not None


async def arm_again(tx: Transaction, entry: Due) -> bool:
    """After a restore: what the journal says of a deadline that nothing has acted on yet. Idempotent; whether it changed."""
    return await tx.changed(
        "UPDATE deadline SET due_at = :due_at, forecast_at = :due_at, armed_at = :armed_at, updated_at = :now"
        " WHERE record_id = :record_id AND rule = :rule AND brand_id = :brand_id AND state = 'scheduled' RETURNING id",
        record_id=entry.record_id,
        rule=entry.rule,
        brand_id=entry.brand_id,
        due_at=entry.due_at,
        armed_at=entry.at if entry.due_at is not None else None,
        now=tx.now,
    )


async def of_rule(reader: Reader, record_id: str, rule: str) -> str | None:
    """Id of the deadline by which the rule is about to end the record, or would, were it not kept back."""
    found: str | None = await reader.value(
        "SELECT id FROM deadline WHERE record_id = :record_id AND rule = :rule"
        " AND state IN ('scheduled', 'executing', 'held', 'stopped') ORDER BY id LIMIT 1",
        record_id=record_id,
        rule=rule,
    )
    return found


async def arm_of_account(
    tx: Transaction, *, table: str, column: str, account_id: str, rule: str, due_at: datetime
) -> None:
    """Have every record of an account end at `due_at` by `rule`, unless that ends it earlier.

    Args:
        table, column: where the records are, and which of its columns holds the account's id; out of a dataset's declaration.
    """
    await tx.execute(
        # Counted from the account's end: a plan that goes by "at once" must not take the days to change one's mind away.
        "UPDATE deadline SET due_at = :due_at, forecast_at = :due_at, armed_at = :due_at, updated_at = :now,"
        " trace_parent = :trace_parent WHERE rule = :rule AND state = 'scheduled' AND (due_at IS NULL OR due_at > :due_at)"
        f" AND record_id IN (SELECT id FROM {table} WHERE {column} = :account_id)",
        account_id=account_id,
        rule=rule,
        due_at=due_at,
        trace_parent=trace_parent(),
        now=tx.now,
    )


async def disarm_of_account(
    tx: Transaction, *, table: str, column: str, account_id: str, rule: str, due_at: datetime
) -> None:
    """Take back what `arm_of_account` did for that moment, while it lies ahead."""
    await tx.execute(
        "UPDATE deadline SET due_at = NULL, forecast_at = NULL, armed_at = NULL, updated_at = :now"
        " WHERE rule = :rule AND state = 'scheduled' AND due_at = :due_at AND due_at > :now"
        f" AND record_id IN (SELECT id FROM {table} WHERE {column} = :account_id)",
        account_id=account_id,
        rule=rule,
        due_at=due_at,
        now=tx.now,
    )


async def any_at_work(reader: Reader, account_id: str) -> bool:
    """Whether a record of the account, other than itself, is being ended right now."""
    return bool(
        await reader.rows(
            "SELECT id FROM deadline WHERE account_id = :account_id AND record_id <> :account_id"
            " AND state = 'executing' LIMIT 1",
            account_id=account_id,
        )
    )


async def forget_account(tx: Transaction, account_id: str) -> None:
    """Delete deadlines of records that ended before their account: nobody is left whom they could tell anything."""
    await tx.execute(
        "DELETE FROM deadline WHERE account_id = :account_id AND record_id <> :account_id"
        " AND state IN ('verified', 'receipted', 'superseded')",
        account_id=account_id,
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

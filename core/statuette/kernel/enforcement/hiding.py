"""Putting a record out of everybody's sight without deleting it, while somebody decides about it.

Every read leaves out what has a deadline that has passed, so a hidden record has one, in a state that nothing acts on.
"""

from __future__ import annotations

from statuette.kernel.db.database import Transaction
from statuette.kernel.enforcement.tables import Deadline

STATE = "hidden"


async def hide(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str | None,
    dataset: str,
    record_id: str,
    rule: str,
    policy_digest: str,
) -> bool:
    """Hide a record from now on, because of a rule; whether it was not hidden by that already. Idempotent."""
    return await tx.insert_new(
        Deadline,
        id=tx.new_id("ddl"),
        brand_id=brand_id,
        account_id=account_id,
        dataset=dataset,
        record_id=record_id,
        rule=rule,
        policy_digest=policy_digest,
        state=STATE,
        due_at=tx.now,
        attempts=0,
        created_at=tx.now,
        updated_at=tx.now,
    )


async def show(tx: Transaction, record_id: str, rule: str) -> None:
    """Take the hiding back. Whatever else the record is due for stays as it is. Idempotent."""
    await tx.execute(
        "DELETE FROM deadline WHERE record_id = :record_id AND rule = :rule AND state = 'hidden'",
        record_id=record_id,
        rule=rule,
    )

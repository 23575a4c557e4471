"""What stops a use of an account's data, whatever was agreed to: a restriction, an objection, an account that is about to go.

A stop holds from the commit on: the next permit is refused. Data is kept as it is.
"""

from __future__ import annotations

from enum import StrEnum

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.consent.tables import ProcessingStop
from statuette.kernel.permit import PermitRefused
from statuette.policy import enforces

EVERY_PURPOSE = "*"
# Word of what becomes of a request, and keeping others out of the account, go on under any stop of everything.
_NEVER_STOPPED_WHOLESALE = frozenset({"service_mail", "security"})


class StopReason(StrEnum):
    restriction = "restriction"
    objection = "objection"
    erasure = "erasure"


class ProcessingStopped(PermitRefused):
    """The person has stopped this use of their data, or asked for their account to be erased. Final while that holds.

    Attributes `purpose`, `reason`.
    """

    code = "processing_stopped"
    summary = "This use of data is stopped."


@enforces("right.restriction", "right.objection")
async def require_running(reader: Reader, brand_id: str, account_id: str, purpose: str) -> None:
    """Raises `ProcessingStopped`."""
    wholesale = "" if purpose in _NEVER_STOPPED_WHOLESALE else EVERY_PURPOSE
    reason = await reader.value(
        "SELECT reason FROM processing_stop WHERE account_id = :account_id AND brand_id = :brand_id"
        " AND purpose IN (:purpose, :wholesale) ORDER BY id LIMIT 1",
        account_id=account_id,
        brand_id=brand_id,
        purpose=purpose,
        wholesale=wholesale,
    )
    if reason is not None:
        raise ProcessingStopped(purpose=purpose, reason=reason)


async def stop(
    tx: Transaction, *, brand_id: str, account_id: str, purpose: str, reason: StopReason, request_id: str
) -> None:
    """Stop a purpose, or every one (`EVERY_PURPOSE`), for as long as the request holds."""
    await tx.insert(
        ProcessingStop,
        id=tx.new_id("stp"),
        brand_id=brand_id,
        account_id=account_id,
        purpose=purpose,
        reason=reason.value,
        request_id=request_id,
        created_at=tx.now,
    )


async def lift(tx: Transaction, account_id: str, request_id: str) -> None:
    """End what a request stopped. Idempotent."""
    await tx.execute(
        "DELETE FROM processing_stop WHERE account_id = :account_id AND request_id = :request_id",
        account_id=account_id,
        request_id=request_id,
    )


async def of_account(reader: Reader, account_id: str) -> list[dict[str, object]]:
    """Everything that is stopped."""
    return await reader.rows(
        "SELECT id, purpose, reason, request_id, created_at FROM processing_stop WHERE account_id = :account_id ORDER BY id",
        account_id=account_id,
    )


async def forget_account(tx: Transaction, account_id: str) -> int:
    return len(
        await tx.rows("DELETE FROM processing_stop WHERE account_id = :account_id RETURNING id", account_id=account_id)
    )

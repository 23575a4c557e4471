"""The dataset of privacy requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from statuette.dataset import Closure, Dataset, OfAccount, TableColumns, Transaction
from statuette.kernel.db.database import Transaction as KernelTransaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.rights import repository
from statuette.kernel.evidence import holders


class RequestHandler:
    """Requests outlive their account under a pseudonym, to show that they were answered, and are swept by age once closed."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return Closure(keys=(record_id,)) if await repository.exists(tx, record_id) else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await repository.delete(tx, record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        rows = await repository.closed_before(tx, older_than, limit)
        for row in rows:
            if row["holder"] is not None:
                await holders.drop(cast(KernelTransaction, tx), row["holder"])
            await repository.delete(tx, row["id"])
        return len(rows)

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        found = []
        for row in await repository.exported(tx, account_id):
            sealed = row["statement"]
            opened = (
                await self._cipher.open(account_id, "statement", cast(bytes, sealed)) if sealed is not None else None
            )
            found.append({"record": "request", **row, "statement": opened})
        return found + [{"record": "step", **row} for row in await repository.exported_events(tx, account_id)]


async def _erase(tx: Transaction, account_id: str, pseudonym: str, limit: int) -> int:
    return await repository.pseudonymise(tx, account_id, pseudonym, limit)


def dataset(cipher: FieldCipher) -> Dataset:
    return Dataset(
        name="privacy_requests",
        title="What you asked us to do with your data",
        tables=(
            TableColumns(
                "privacy_request",
                {
                    "id": "consent_record",
                    "brand_id": "operational",
                    "account_id": "consent_record",
                    "kind": "consent_record",
                    "state": "consent_record",
                    "subject": "consent_record",
                    "reason": "consent_record",
                    "statement": "account_profile",
                    "contact": "email",
                    "holder": "credential",
                    "policy_digest": "operational",
                    "asked_at": "consent_record",
                    "due_at": "consent_record",
                    "effective_at": "consent_record",
                    "closed_at": "consent_record",
                    "warned": "operational",
                },
            ),
            TableColumns(
                "privacy_request_event",
                {
                    "id": "consent_record",
                    "brand_id": "operational",
                    "request_id": "consent_record",
                    "action": "consent_record",
                    "actor": "operational",
                    "reason": "consent_record",
                    "created_at": "consent_record",
                },
            ),
        ),
        handler=RequestHandler(cipher),
        ended_by=("request.keep", "account.erase"),
        of_account=OfAccount("privacy_request", erase=_erase),
    )

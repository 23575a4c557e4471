"""The dataset of consent records."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast

from statuette.dataset import Closure, Dataset, OfAccount, TableColumns, Transaction
from statuette.kernel.db.database import Transaction as KernelTransaction
from statuette.kernel.domain.consent import repository, service, stops
from statuette.policy import EffectivePolicy


class ConsentHandler:
    """Decisions outlive their account as proof, under a pseudonym, and then end one by one."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return Closure() if await repository.exists(tx, record_id) else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await repository.delete(tx, record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        decisions = [{"record": "decision", **row} for row in await repository.history(tx, account_id)]
        stopped = await stops.of_account(cast(KernelTransaction, tx), account_id)
        return decisions + [{"record": "stop", **row} for row in stopped]


def dataset(policy_of: Callable[[str], Awaitable[EffectivePolicy]]) -> Dataset:
    """Args:
    policy_of: the policy in force for a brand.
    """

    async def erase(tx: Transaction, account_id: str, pseudonym: str, limit: int) -> int:
        return await service.pseudonymise_account(cast(KernelTransaction, tx), account_id, pseudonym, limit, policy_of)

    return Dataset(
        name=service.DATASET,
        title="What you agreed to",
        tables=(
            TableColumns(
                "consent_record",
                {
                    "id": "consent_record",
                    "brand_id": "operational",
                    "account_id": "consent_record",
                    "purpose": "consent_record",
                    "granted": "consent_record",
                    "statement_digest": "consent_record",
                    "policy_digest": "operational",
                    "locale": "consent_record",
                    "surface": "consent_record",
                    "method": "consent_record",
                    "decided_by": "consent_record",
                    "created_at": "consent_record",
                },
            ),
            TableColumns(
                "consent_text",
                {
                    "id": "operational",
                    "purpose": "operational",
                    "locale": "operational",
                    "body": "operational",
                    "created_at": "operational",
                },
            ),
            TableColumns(
                "processing_stop",
                {
                    "id": "consent_record",
                    "brand_id": "operational",
                    "account_id": "consent_record",
                    "purpose": "consent_record",
                    "reason": "consent_record",
                    "request_id": "consent_record",
                    "created_at": "consent_record",
                },
            ),
        ),
        handler=ConsentHandler(),
        ended_by=("account.erase", service.PROOF),
        of_account=OfAccount("consent_record", erase=erase),
    )

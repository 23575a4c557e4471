"""The dataset of consent records."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, TableColumns, Transaction
from statuette.kernel.domain.consent import repository


class ConsentHandler:
    """Decisions end with their account; `erase_account` of the service deletes them together with it."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return Closure() if await repository.exists(tx, record_id) else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await repository.delete(tx, record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await repository.history(tx, account_id)


DATASET = Dataset(
    name="consents",
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
                "created_at": "consent_record",
            },
        ),
    ),
    handler=ConsentHandler(),
    ended_by=("account.erase",),
)

"""The dataset of takedowns: it ends by age, and what tells of an account ends with the account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, TableColumns, Transaction
from statuette.kernel.domain.takedowns import repository


class TakedownHandler:
    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        return None

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return await repository.delete_older(tx, older_than, limit)

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await repository.of_account(tx, account_id)


DATASET = Dataset(
    name="takedowns",
    title="Requests to take a picture down",
    tables=(
        TableColumns(
            "takedown_case",
            {
                **dict.fromkeys(
                    ("id", "brand_id", "state", "reason", "locale", "decide_by", "next_at", "decided_by", "decided_at"),
                    "operational",
                ),
                "contact": "email",
                "message": "account_profile",
                "token_hash": "credential",
                "created_at": "operational",
            },
        ),
        TableColumns(
            "takedown_picture",
            {
                **dict.fromkeys(("id", "brand_id", "case_id", "dataset", "created_at"), "operational"),
                **dict.fromkeys(("account_id", "record_id", "outcome", "appealed_at"), "job_record"),
                "appeal": "account_profile",
            },
        ),
    ),
    handler=TakedownHandler(),
    ended_by=("takedown.keep", "account.erase"),
)

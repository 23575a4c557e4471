"""The datasets of usage: events, which end by being counted, and what was counted, which concerns nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from statuette.dataset import Closure, Dataset, OfAccount, TableColumns, Transaction
from statuette.kernel.db.database import Transaction as KernelTransaction
from statuette.kernel.domain.usage import counting, repository
from statuette.kernel.domain.usage.counting import PolicyOf
from statuette.kernel.domain.usage.service import DATASET, RULE


class UsageHandler:
    def __init__(self, policy_of: PolicyOf) -> None:
        self._policy_of = policy_of

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return Closure() if await repository.exists(tx, record_id) else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await repository.delete(tx, record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return await counting.fold(cast(KernelTransaction, tx), older_than, limit, self._policy_of)

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        brand_id = await repository.brand_of(tx, account_id)
        if brand_id is None:
            return []
        # What is old enough is nobody's any more, be it removed yet or not.
        after = (await self._policy_of(brand_id)).rule(RULE).cutoff(cast(KernelTransaction, tx).now)
        return await repository.of_account(tx, account_id, after)


class CountsHandler:
    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        return None

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return []


async def _erase_of_account(tx: Transaction, account_id: str, pseudonym: str, limit: int) -> int:
    return await repository.delete_of_account(tx, account_id, limit)


def dataset(policy_of: PolicyOf) -> Dataset:
    """Args:
    policy_of: the policy in force for a brand.
    """
    return Dataset(
        name=DATASET,
        title="What you did here",
        tables=(
            TableColumns(
                "usage_event",
                {
                    **dict.fromkeys(("id", "account_id", "kind", "page", "level", "created_at"), "usage_record"),
                    "brand_id": "operational",
                    "style": "style_choices",
                    **dict.fromkeys(("browser", "system", "network"), "device"),
                },
            ),
        ),
        handler=UsageHandler(policy_of),
        ended_by=(RULE, "account.erase"),
        of_account=OfAccount("usage_event", erase=_erase_of_account),
    )


_WEEK = ("id", "brand_id", "week", "ends_at", "counted_at", "folded_at")
_CELL = ("id", "brand_id", "week", "kind", "style", "page", "level", "browser", "system", "accounts", "events")

COUNTS = Dataset(
    name="usage_counts",
    title="How many did the same in a week",
    tables=(
        TableColumns("usage_week", dict.fromkeys(_WEEK, "operational")),
        TableColumns("usage_cell", dict.fromkeys(_CELL, "operational")),
    ),
    handler=CountsHandler(),
)

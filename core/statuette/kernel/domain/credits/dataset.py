"""The dataset of credits: one record is the whole ledger of one account, so its id is the account's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast

from statuette.dataset import Closure, Dataset, OfAccount, TableColumns, Transaction
from statuette.kernel.db.database import Transaction as KernelTransaction
from statuette.kernel.domain.credits import erasure, service
from statuette.policy import EffectivePolicy


class CreditsHandler:
    """A ledger is erased as a whole: every transfer is of one account, so what is left still adds up."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return Closure() if await erasure.has_wallet(tx, record_id) else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        """Not before every job has given up its hold."""
        return not await erasure.has_open_hold(tx, record_id)

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await erasure.erase(tx, record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await erasure.export(tx, account_id)


def _table(name: str, *columns: str) -> TableColumns:
    return TableColumns(name, {"brand_id": "operational", **dict.fromkeys(columns, "ledger_record")})


def dataset(policy_of: Callable[[str], Awaitable[EffectivePolicy]]) -> Dataset:
    """Args:
    policy_of: the policy in force for a brand.
    """

    async def erase(tx: Transaction, account_id: str, pseudonym: str, limit: int) -> int:
        return await service.end_account(cast(KernelTransaction, tx), account_id, pseudonym, policy_of)

    return Dataset(
        name=service.DATASET,
        title="Credits",
        tables=(
            _table("wallet", "account_id", "available", "held", "debt"),
            _table("credit_lot", "id", "account_id", "kind", "amount", "remaining", "created_at", "expires_at"),
            _table(
                "credit_hold",
                "id",
                "account_id",
                "reference",
                "amount",
                "captured",
                "state",
                "created_at",
                "closed_at",
            ),
            TableColumns("credit_hold_lot", dict.fromkeys(("id", "hold_id", "lot_id", "amount"), "ledger_record")),
            _table(
                "ledger_transfer",
                "id",
                "account_id",
                "transfer_key",
                "kind",
                "amount",
                "reference",
                "cause",
                "actor",
                "created_at",
            ),
            _table("ledger_entry", "id", "transfer_id", "ledger_account", "amount"),
        ),
        handler=CreditsHandler(),
        ended_by=("account.erase", service.KEEP),
        of_account=OfAccount("wallet", erase=erase),
    )

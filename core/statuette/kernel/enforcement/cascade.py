"""How everything of an account goes before the account itself: by what its datasets declare, in batches, whatever was cut off.

While an erasure is asked for and can be taken back, records that carry a deadline are armed for the same moment as the account,
so that nothing of it outlives that moment in sight. Then the account's own deadline waits, step by step, until they are gone,
each with a receipt of its own, and until what carries no deadline has been deleted, or kept under a pseudonym where a law demands
that. Every step begins by looking at what is there, so a step that was cut off is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from statuette.dataset import Dataset, OfAccount
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.enforcement import deadlines

RECORDS_AT_ONCE = 200


class Cascade:
    """Ends what is of an account.

    Args:
        pseudonym: what stands for an account's id where records are kept; always the same for the same account.
    """

    def __init__(self, pseudonym: Callable[[str], str]) -> None:
        self._pseudonym = pseudonym
        self._datasets: Mapping[str, Dataset] = {}

    def connect(self, datasets: Mapping[str, Dataset]) -> None:
        """Say which datasets there are."""
        self._datasets = datasets

    async def arm(self, tx: Transaction, account_id: str, due_at: datetime) -> None:
        """Have what carries a deadline go at that moment at the latest."""
        for of_account, rule in self._with_deadlines():
            await deadlines.arm_of_account(
                tx, table=of_account.table, column=of_account.column, account_id=account_id, rule=rule, due_at=due_at
            )

    async def disarm(self, tx: Transaction, account_id: str, due_at: datetime) -> None:
        """Take back what `arm` did for that moment."""
        for of_account, rule in self._with_deadlines():
            await deadlines.disarm_of_account(
                tx, table=of_account.table, column=of_account.column, account_id=account_id, rule=rule, due_at=due_at
            )

    async def step(self, tx: Transaction, account_id: str) -> bool:
        """Do as much as a transaction should; whether nothing is left to do. What a legal hold keeps is not waited for."""
        await self.arm(tx, account_id, tx.now)
        # First what carries deadlines: receipts of photos and figurines tell which providers jobs gave them to.
        for of_account, _ in self._with_deadlines():
            if await _any_left(tx, of_account, account_id):
                return False
        if await deadlines.any_at_work(tx, account_id):
            return False
        for dataset in self._datasets.values():
            erase = dataset.of_account.erase if dataset.of_account is not None else None
            if erase is not None and await erase(tx, account_id, self._pseudonym(account_id), RECORDS_AT_ONCE):
                return False
        return True

    def _with_deadlines(self) -> Iterator[tuple[OfAccount, str]]:
        for dataset in self._datasets.values():
            of_account = dataset.of_account
            if of_account is not None and of_account.rule is not None:
                yield of_account, of_account.rule


async def _any_left(reader: Reader, of_account: OfAccount, account_id: str) -> bool:
    return bool(
        await reader.rows(
            f"SELECT r.id FROM {of_account.table} r WHERE r.{of_account.column} = :account_id AND NOT EXISTS"
            " (SELECT 1 FROM deadline d WHERE d.record_id = r.id AND d.state = 'held') LIMIT 1",
            account_id=account_id,
        )
    )

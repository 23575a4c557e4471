"""The datasets of accounts, of the sessions that follow, and of the codes mailed before them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from statuette.dataset import Closure, Dataset, TableColumns, Transaction
from statuette.kernel.db.database import Transaction as KernelTransaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import records, repository, service
from statuette.kernel.domain.takedowns import service as takedowns
from statuette.kernel.enforcement import deadlines
from statuette.kernel.enforcement.cascade import Cascade
from statuette.kernel.evidence import receipts


class AccountHandler:
    """Erases an account with its sessions, the codes of its address and what opens its receipts, once all else of it has gone."""

    def __init__(self, cipher: FieldCipher, cascade: Cascade) -> None:
        self._cipher = cipher
        self._cascade = cascade

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        if not await records.exists(tx, "account", record_id):
            return None
        stores, residuals = await receipts.told_of_account(cast(KernelTransaction, tx), record_id)
        return Closure(keys=(record_id,), stores=stores, residuals=residuals)

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        kernel_tx = cast(KernelTransaction, tx)
        await service.lay_tombstone(kernel_tx, self._cipher, record_id)
        return await self._cascade.step(kernel_tx, record_id)

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await receipts.forget_account(cast(KernelTransaction, tx), record_id)
        await takedowns.erase_account(tx, record_id)
        await deadlines.forget_account(cast(KernelTransaction, tx), record_id)
        await repository.delete_account(tx, record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return [
            {
                "id": row["id"],
                "email": await self._cipher.open(account_id, "email", row["email"]),
                "name": await self._cipher.open(account_id, "name", row["name"]) if row["name"] is not None else None,
                "locale": row["locale"],
                "created_at": row["created_at"],
            }
            for row in await records.account(tx, account_id)
        ]


class StreamHandler:
    """Rows that are swept by age: sessions, sign-in codes and tombstones."""

    def __init__(self, stream: records.Stream) -> None:
        self._stream = stream

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return Closure() if await records.exists(tx, self._stream.table, record_id) else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await records.delete(tx, self._stream.table, record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return await records.sweep(tx, self._stream.table, older_than, limit)

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await tx.rows(self._stream.export_sql, account_id=account_id)


def datasets(cipher: FieldCipher, cascade: Cascade) -> tuple[Dataset, ...]:
    return (
        Dataset(
            name="accounts",
            title="Your account",
            tables=(
                TableColumns(
                    "account",
                    {
                        "id": "account_profile",
                        "brand_id": "operational",
                        "email": "email",
                        "email_index": "email",
                        "name": "account_profile",
                        "locale": "account_profile",
                        "created_at": "account_profile",
                    },
                ),
            ),
            handler=AccountHandler(cipher, cascade),
            ended_by=("account.erase",),
        ),
        Dataset(
            name="sessions",
            title="Where you are signed in",
            tables=(
                TableColumns(
                    "session",
                    {
                        "id": "credential",
                        "brand_id": "operational",
                        "account_id": "account_profile",
                        "token_hash": "credential",
                        "csrf_hash": "credential",
                        "created_at": "account_profile",
                        "expires_at": "credential",
                        "revoked_at": "account_profile",
                        "confirmed_at": "account_profile",
                    },
                ),
            ),
            handler=StreamHandler(records.SESSIONS),
            ended_by=("session.keep", "account.erase"),
        ),
        Dataset(
            name="signin_codes",
            title="Sign-in codes mailed to you",
            tables=(
                TableColumns(
                    "signin_code",
                    {
                        "id": "credential",
                        "brand_id": "operational",
                        "email_index": "email",
                        "code_hash": "credential",
                        "attempts_left": "credential",
                        "created_at": "account_profile",
                        "expires_at": "credential",
                        "used_at": "account_profile",
                    },
                ),
            ),
            handler=StreamHandler(records.SIGNIN_CODES),
            ended_by=("signin.codes", "account.erase"),
        ),
        Dataset(
            name="tombstones",
            title="That an address had what is given once",
            tables=(
                TableColumns("tombstone", {"id": "email", "brand_id": "operational", "created_at": "account_profile"}),
            ),
            handler=StreamHandler(records.TOMBSTONES),
            ended_by=("tombstone.keep",),
        ),
    )

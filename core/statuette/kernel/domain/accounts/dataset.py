"""The datasets of accounts, of the sessions that follow, and of the codes mailed before them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, TableColumns, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import records, repository
from statuette.kernel.domain.consent import service as consent


class AccountHandler:
    """Erases an account with its data key, its sessions, the codes of its address and what it agreed to."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return Closure() if await records.exists(tx, "account", record_id) else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        # The key first: should the commit fail, what is left is unreadable and the next run deletes it. The other way
        # round, a kill in between would leave a key, and with it every backup, readable for ever.
        await self._cipher.destroy(record_id)
        await consent.erase_account(tx, record_id)
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
    """Rows that are swept by age: sessions and sign-in codes."""

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


def datasets(cipher: FieldCipher) -> tuple[Dataset, ...]:
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
            handler=AccountHandler(cipher),
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
    )

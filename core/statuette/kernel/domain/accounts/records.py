"""SQL that enforcement and people's rights need: by record or account, whatever the brand and however late."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from statuette.dataset import Transaction

TableName = Literal["account", "session", "signin_code", "tombstone"]


class Stream(msgspec.Struct, frozen=True):
    """A table swept by age.

    Attributes:
        export_sql: an account's rows without their hashes; takes `:account_id`.
    """

    table: TableName
    export_sql: str


SESSIONS = Stream(
    "session",
    "SELECT id, created_at, expires_at, revoked_at, confirmed_at FROM session WHERE account_id = :account_id"
    " ORDER BY created_at, id",
)
SIGNIN_CODES = Stream(
    "signin_code",
    "SELECT c.id, c.created_at, c.expires_at, c.used_at FROM signin_code c JOIN account a"
    " ON a.brand_id = c.brand_id AND a.email_index = c.email_index"
    " WHERE a.id = :account_id ORDER BY c.created_at, c.id",
)

# Which address one is of can be told only by trying; of an account that is there, nothing is in it that it does not hold itself.
TOMBSTONES = Stream("tombstone", "SELECT id, created_at FROM tombstone WHERE id = :account_id")


async def account(tx: Transaction, account_id: str) -> list[dict[str, Any]]:
    return await tx.rows("SELECT id, email, name, locale, created_at FROM account WHERE id = :id", id=account_id)


async def exists(tx: Transaction, table: TableName, record_id: str) -> bool:
    return bool(await tx.rows(f"SELECT 1 AS found FROM {table} WHERE id = :id", id=record_id))


async def delete(tx: Transaction, table: TableName, record_id: str) -> None:
    await tx.execute(f"DELETE FROM {table} WHERE id = :id", id=record_id)


async def sweep(tx: Transaction, table: TableName, older_than: datetime, limit: int) -> int:
    """Delete at most `limit` rows made before `older_than`, oldest first; returns how many."""
    rows = await tx.rows(
        f"DELETE FROM {table} WHERE id IN"
        f" (SELECT id FROM {table} WHERE created_at <= :older_than ORDER BY created_at LIMIT :limit) RETURNING id",
        older_than=older_than,
        limit=limit,
    )
    return len(rows)

"""SQL of mailed sign-in codes. An address has one good code at most; rows stay for the throttle until swept."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Transaction
from statuette.kernel.domain.accounts.tables import SigninCode


class CodeRow(msgspec.Struct, frozen=True):
    id: str
    code_hash: str


async def lock_address(tx: Transaction, brand_id: str, email_index: str) -> None:
    """Let requests for one address pass one by one, so that they count each other; on SQLite they do anyhow."""
    if tx.postgres:
        await tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(:address, 11))", address=f"{brand_id} {email_index}"
        )


async def newest_moments(
    tx: Transaction, brand_id: str, email_index: str, since: datetime, limit: int
) -> list[datetime]:
    """When the newest codes after `since` were made, newest first."""
    rows = await tx.rows(
        "SELECT created_at FROM signin_code WHERE brand_id = :brand_id AND email_index = :email_index"
        " AND created_at > :since ORDER BY created_at DESC LIMIT :limit",
        brand_id=brand_id,
        email_index=email_index,
        since=since,
        limit=limit,
    )
    return [row["created_at"] for row in rows]


async def void_earlier(tx: Transaction, brand_id: str, email_index: str) -> None:
    await tx.execute(
        "UPDATE signin_code SET used_at = :now"
        " WHERE brand_id = :brand_id AND email_index = :email_index AND used_at IS NULL",
        brand_id=brand_id,
        email_index=email_index,
        now=tx.now,
    )


async def add(
    tx: Transaction,
    *,
    code_id: str,
    brand_id: str,
    email_index: str,
    code_hash: str,
    attempts: int,
    expires_at: datetime,
) -> None:
    await tx.insert(
        SigninCode,
        id=code_id,
        brand_id=brand_id,
        email_index=email_index,
        code_hash=code_hash,
        attempts_left=attempts,
        created_at=tx.now,
        expires_at=expires_at,
        used_at=None,
    )


async def consume_attempt(tx: Transaction, brand_id: str, email_index: str) -> CodeRow | None:
    """Take one attempt off the good code of an address; None when there is none, or none is left."""
    return await tx.one(
        CodeRow,
        "UPDATE signin_code SET attempts_left = attempts_left - 1"
        " WHERE brand_id = :brand_id AND email_index = :email_index AND used_at IS NULL AND expires_at > :now"
        " AND attempts_left > 0 RETURNING id, code_hash",
        brand_id=brand_id,
        email_index=email_index,
        now=tx.now,
    )


async def use_up(tx: Transaction, brand_id: str, code_id: str) -> bool:
    """Spend a code, or void it. False when that has happened before."""
    return await tx.changed(
        "UPDATE signin_code SET used_at = :now WHERE id = :id AND brand_id = :brand_id AND used_at IS NULL"
        " RETURNING id",
        id=code_id,
        brand_id=brand_id,
        now=tx.now,
    )

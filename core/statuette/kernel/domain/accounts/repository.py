"""SQL of accounts and sessions. Accounts past their erasure date are invisible, and so are their sessions."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.dataset import Transaction as AnyTransaction
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.accounts.tables import Account, Session, Tombstone
from statuette.kernel.enforcement.deadlines import visible


class AccountRow(msgspec.Struct, frozen=True):
    """An account as it is stored, its personal fields sealed."""

    id: str
    email: bytes
    name: bytes | None
    locale: str
    created_at: datetime


class LiveSession(msgspec.Struct, frozen=True):
    """A session that is good now.

    Attributes:
        csrf_hash: set for cookie sessions only.
        account_due_at: when the account becomes invisible, if that is known.
    """

    id: str
    account_id: str
    csrf_hash: str | None
    expires_at: datetime
    account_due_at: datetime | None


async def account_known(reader: Reader, brand_id: str, email_index: str) -> bool:
    """Whether the address has a row, visible or not."""
    return bool(
        await reader.rows(
            "SELECT 1 AS found FROM account WHERE brand_id = :brand_id AND email_index = :email_index",
            brand_id=brand_id,
            email_index=email_index,
        )
    )


async def account_by_address(reader: Reader, brand_id: str, email_index: str) -> str | None:
    found: str | None = await reader.value(
        f"SELECT a.id FROM account a WHERE a.brand_id = :brand_id AND a.email_index = :email_index AND {visible('a')}",
        brand_id=brand_id,
        email_index=email_index,
        now=reader.now,
    )
    return found


async def add_account(
    tx: Transaction, *, account_id: str, brand_id: str, email: bytes, email_index: str, locale: str
) -> bool:
    """False when the address has an account already. Waits for a concurrent one to be settled."""
    return await tx.insert_new(
        Account,
        id=account_id,
        brand_id=brand_id,
        email=email,
        email_index=email_index,
        name=None,
        locale=locale,
        created_at=tx.now,
    )


async def account_row(reader: Reader, brand_id: str, account_id: str) -> AccountRow | None:
    return await reader.one(
        AccountRow,
        "SELECT a.id, a.email, a.name, a.locale, a.created_at FROM account a"
        f" WHERE a.id = :account_id AND a.brand_id = :brand_id AND {visible('a')}",
        account_id=account_id,
        brand_id=brand_id,
        now=reader.now,
    )


async def of_brand(reader: Reader, brand_id: str, *, after: str, made_before: datetime, limit: int) -> list[str]:
    """Ids of visible accounts, in order."""
    rows = await reader.rows(
        f"SELECT a.id FROM account a WHERE a.brand_id = :brand_id AND a.id > :after AND a.created_at <= :made_before"
        f" AND {visible('a')} ORDER BY a.id LIMIT :limit",
        brand_id=brand_id,
        after=after,
        made_before=made_before,
        limit=limit,
        now=reader.now,
    )
    return [row["id"] for row in rows]


async def set_name(tx: Transaction, brand_id: str, account_id: str, name: bytes | None) -> bool:
    return await tx.changed(
        f"UPDATE account SET name = :name WHERE id = :account_id AND brand_id = :brand_id AND {visible('account')}"
        " RETURNING id",
        account_id=account_id,
        brand_id=brand_id,
        name=name,
        now=tx.now,
    )


async def set_address(tx: Transaction, brand_id: str, account_id: str, *, email: bytes, email_index: str) -> bool:
    """False when the account is gone, or the address is another's. Raises `UniqueViolation` when it became that just now."""
    return await tx.changed(
        "UPDATE account SET email = :email, email_index = :email_index"
        f" WHERE id = :account_id AND brand_id = :brand_id AND {visible('account')}"
        " AND NOT EXISTS (SELECT 1 FROM account o WHERE o.brand_id = :brand_id AND o.email_index = :email_index) RETURNING id",
        account_id=account_id,
        brand_id=brand_id,
        email=email,
        email_index=email_index,
        now=tx.now,
    )


async def set_locale(tx: Transaction, brand_id: str, account_id: str, locale: str) -> bool:
    return await tx.changed(
        f"UPDATE account SET locale = :locale WHERE id = :account_id AND brand_id = :brand_id AND {visible('account')}"
        " RETURNING id",
        account_id=account_id,
        brand_id=brand_id,
        locale=locale,
        now=tx.now,
    )


async def add_session(
    tx: Transaction,
    *,
    session_id: str,
    brand_id: str,
    account_id: str,
    token_hash: str,
    csrf_hash: str | None,
    expires_at: datetime,
) -> None:
    await tx.insert(
        Session,
        id=session_id,
        brand_id=brand_id,
        account_id=account_id,
        token_hash=token_hash,
        csrf_hash=csrf_hash,
        created_at=tx.now,
        expires_at=expires_at,
        revoked_at=None,
        confirmed_at=None,
    )


async def live_session(reader: Reader, brand_id: str, token_hash: str) -> LiveSession | None:
    return await reader.one(
        LiveSession,
        "SELECT s.id, s.account_id, s.csrf_hash, s.expires_at,"
        " (SELECT MIN(due.due_at) FROM deadline due WHERE due.record_id = a.id) AS account_due_at"
        " FROM session s JOIN account a ON a.id = s.account_id AND a.brand_id = s.brand_id"
        " WHERE s.token_hash = :token_hash AND s.brand_id = :brand_id AND s.revoked_at IS NULL"
        f" AND s.expires_at > :now AND {visible('a')}",
        token_hash=token_hash,
        brand_id=brand_id,
        now=reader.now,
    )


async def confirm_session(tx: Transaction, brand_id: str, account_id: str, session_id: str) -> bool:
    return await tx.changed(
        "UPDATE session SET confirmed_at = :now WHERE id = :id AND brand_id = :brand_id AND account_id = :account_id"
        " AND revoked_at IS NULL RETURNING id",
        id=session_id,
        brand_id=brand_id,
        account_id=account_id,
        now=tx.now,
    )


async def session_confirmed_since(
    reader: Reader, brand_id: str, account_id: str, session_id: str, since: datetime
) -> bool:
    """Whether a code was entered for the session since then: to open it, or again."""
    return bool(
        await reader.rows(
            "SELECT 1 AS found FROM session WHERE id = :id AND brand_id = :brand_id AND account_id = :account_id"
            " AND revoked_at IS NULL AND (created_at >= :since OR confirmed_at >= :since)",
            id=session_id,
            brand_id=brand_id,
            account_id=account_id,
            since=since,
        )
    )


async def add_tombstone(tx: Transaction, tombstone_id: str, brand_id: str) -> None:
    await tx.insert_new(Tombstone, id=tombstone_id, brand_id=brand_id, created_at=tx.now)


async def has_tombstone(reader: Reader, tombstone_id: str) -> bool:
    return bool(await reader.rows("SELECT 1 AS found FROM tombstone WHERE id = :id", id=tombstone_id))


async def address_index(reader: AnyTransaction | Reader, account_id: str) -> tuple[str, str] | None:
    """Brand and blind index of an account, visible or not."""
    rows = await reader.rows("SELECT brand_id, email_index FROM account WHERE id = :id", id=account_id)
    return (rows[0]["brand_id"], rows[0]["email_index"]) if rows else None


async def revoke_session(tx: Transaction, brand_id: str, account_id: str, session_id: str) -> bool:
    return await tx.changed(
        "UPDATE session SET revoked_at = :now WHERE id = :id AND brand_id = :brand_id AND account_id = :account_id"
        " AND revoked_at IS NULL RETURNING id",
        id=session_id,
        brand_id=brand_id,
        account_id=account_id,
        now=tx.now,
    )


async def revoke_all_sessions(tx: Transaction, brand_id: str, account_id: str) -> int:
    return len(
        await tx.rows(
            "UPDATE session SET revoked_at = :now WHERE brand_id = :brand_id AND account_id = :account_id"
            " AND revoked_at IS NULL RETURNING id",
            brand_id=brand_id,
            account_id=account_id,
            now=tx.now,
        )
    )


async def delete_account(tx: AnyTransaction, account_id: str) -> None:
    """The account's row, its sessions and the codes of its address."""
    await tx.execute(
        "DELETE FROM signin_code WHERE EXISTS (SELECT 1 FROM account a WHERE a.id = :account_id"
        " AND a.brand_id = signin_code.brand_id AND a.email_index = signin_code.email_index)",
        account_id=account_id,
    )
    await tx.execute("DELETE FROM session WHERE account_id = :account_id", account_id=account_id)
    await tx.execute("DELETE FROM account WHERE id = :account_id", account_id=account_id)

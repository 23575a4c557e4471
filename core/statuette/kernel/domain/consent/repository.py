"""SQL of consent records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from statuette.dataset import Transaction as AnyTransaction
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.consent.tables import ConsentRecord, ConsentText

# Records of an account past its erasure date are as invisible as the account.
_VISIBLE = "NOT EXISTS (SELECT 1 FROM deadline d WHERE d.record_id = c.account_id AND d.due_at <= :now)"


class Decision(msgspec.Struct, frozen=True):
    """One row, as far as anything is decided by it."""

    purpose: str
    granted: bool
    statement_digest: str
    created_at: datetime


class RecordRow(msgspec.Struct, frozen=True):
    """One row whole, for whoever made the decision."""

    id: str
    purpose: str
    granted: bool
    statement_digest: str
    policy_digest: str
    locale: str
    surface: str
    method: str | None
    decided_by: str | None
    created_at: datetime


_RECORD = columns_of(RecordRow)


async def add(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    decision: Decision,
    policy_digest: str,
    locale: str,
    surface: str,
    method: str,
    decided_by: str,
) -> None:
    await tx.insert(
        ConsentRecord,
        id=tx.new_id("con"),
        brand_id=brand_id,
        account_id=account_id,
        purpose=decision.purpose,
        granted=decision.granted,
        statement_digest=decision.statement_digest,
        policy_digest=policy_digest,
        locale=locale,
        surface=surface,
        method=method,
        decided_by=decided_by,
        created_at=decision.created_at,
    )


async def keep_text(tx: Transaction, *, digest: str, purpose: str, locale: str, body: str) -> None:
    """Keep a text as it was shown; once for all who saw it."""
    await tx.insert_new(ConsentText, id=digest, purpose=purpose, locale=locale, body=body, created_at=tx.now)


async def kept_texts(reader: Reader, digests: Sequence[str]) -> dict[str, str]:
    """Texts by digest; what was never kept is absent."""
    found: dict[str, str] = {}
    for digest in dict.fromkeys(digests):
        body = await reader.value("SELECT body FROM consent_text WHERE id = :id", id=digest)
        if body is not None:
            found[digest] = body
    return found


async def decided_by_method(reader: Reader, brand_id: str, account_id: str, method: str) -> set[str]:
    """Purposes that were ever decided on in that way."""
    rows = await reader.rows(
        "SELECT DISTINCT purpose FROM consent_record WHERE brand_id = :brand_id AND account_id = :account_id"
        " AND method = :method",
        brand_id=brand_id,
        account_id=account_id,
        method=method,
    )
    return {row["purpose"] for row in rows}


async def page(
    reader: Reader, brand_id: str, account_id: str, *, purpose: str | None, before: str | None, limit: int
) -> list[RecordRow]:
    """Records, newest first."""
    of_purpose = " AND c.purpose = :purpose" if purpose is not None else ""
    parameters = {"purpose": purpose} if purpose is not None else {}
    return await reader.all(
        RecordRow,
        f"SELECT {_RECORD} FROM consent_record c WHERE c.brand_id = :brand_id AND c.account_id = :account_id"
        f" AND c.id < :before{of_purpose} AND {_VISIBLE} ORDER BY c.id DESC LIMIT :limit",
        brand_id=brand_id,
        account_id=account_id,
        before=before or "con_~",
        limit=limit,
        now=reader.now,
        **parameters,
    )


async def lock(tx: Transaction, account_id: str) -> None:
    """Let the account's decisions be written one after the other; on SQLite they are anyhow."""
    if tx.postgres:
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(:account_id, 7))", account_id=account_id)


async def latest(reader: Reader, brand_id: str, account_id: str, purpose: str) -> Decision | None:
    """The decision that counts. Of two at one moment the refusal does."""
    return await reader.one(
        Decision,
        "SELECT c.purpose, c.granted, c.statement_digest, c.created_at FROM consent_record c"
        " WHERE c.brand_id = :brand_id AND c.account_id = :account_id AND c.purpose = :purpose"
        f" AND {_VISIBLE} ORDER BY c.created_at DESC, c.granted LIMIT 1",
        brand_id=brand_id,
        account_id=account_id,
        purpose=purpose,
        now=reader.now,
    )


def undeclined(purpose: str, account: str, brand: str) -> str:
    """SQL: the decision that counts is none or a yes, and nothing stops the purpose."""
    return (
        f"COALESCE((SELECT c.granted FROM consent_record c WHERE c.brand_id = {brand} AND c.account_id = {account}"
        f" AND c.purpose = '{purpose}' ORDER BY c.created_at DESC, c.granted LIMIT 1), TRUE) AND NOT EXISTS"
        f" (SELECT 1 FROM processing_stop s WHERE s.account_id = {account} AND s.brand_id = {brand}"
        f" AND s.purpose IN ('{purpose}', '*'))"
    )


async def latest_of_each(reader: Reader, brand_id: str, account_id: str) -> list[Decision]:
    """The decision that counts, for every purpose decided on."""
    rows = await reader.all(
        Decision,
        "SELECT c.purpose, c.granted, c.statement_digest, c.created_at FROM consent_record c"
        f" WHERE c.brand_id = :brand_id AND c.account_id = :account_id AND {_VISIBLE}"
        " AND NOT EXISTS (SELECT 1 FROM consent_record n WHERE n.account_id = c.account_id AND n.brand_id = c.brand_id"
        " AND n.purpose = c.purpose AND n.created_at > c.created_at)"
        " ORDER BY c.granted DESC",
        brand_id=brand_id,
        account_id=account_id,
        now=reader.now,
    )
    return list({row.purpose: row for row in rows}.values())


async def history(tx: AnyTransaction, account_id: str) -> list[dict[str, object]]:
    """Every decision of an account, oldest first."""
    return await tx.rows(
        "SELECT id, purpose, granted, statement_digest, policy_digest, locale, surface, method, decided_by, created_at"
        " FROM consent_record"
        " WHERE account_id = :account_id ORDER BY created_at, granted DESC",
        account_id=account_id,
    )


async def exists(tx: AnyTransaction, record_id: str) -> bool:
    return bool(await tx.rows("SELECT 1 AS found FROM consent_record WHERE id = :id", id=record_id))


async def delete(tx: AnyTransaction, record_id: str) -> None:
    await tx.execute("DELETE FROM consent_record WHERE id = :id", id=record_id)


class Owned(msgspec.Struct, frozen=True):
    id: str
    brand_id: str


async def owned(tx: AnyTransaction, account_id: str, limit: int) -> list[Owned]:
    """Records of an account, whatever the brand."""
    rows = await tx.rows(
        "SELECT id, brand_id FROM consent_record WHERE account_id = :account_id LIMIT :limit",
        account_id=account_id,
        limit=limit,
    )
    return msgspec.convert(rows, list[Owned])


async def rename(tx: AnyTransaction, record_id: str, account_id: str) -> None:
    """Put another name in the account's place."""
    await tx.execute(
        "UPDATE consent_record SET account_id = :account_id WHERE id = :id", id=record_id, account_id=account_id
    )

"""SQL of privacy requests. What a person sees names brand and account; what an operator sees, the brand."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.dataset import Transaction as AnyTransaction
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.rights.tables import PrivacyRequest, PrivacyRequestEvent

OPEN_STATES = "('open', 'scheduled')"


class RequestRow(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    account_id: str
    kind: str
    state: str
    subject: str | None
    reason: str | None
    holder: str | None
    policy_digest: str
    asked_at: datetime
    due_at: datetime
    effective_at: datetime | None
    closed_at: datetime | None
    warned: str | None

    def __repr__(self) -> str:
        return f"RequestRow({self.id})"


class EventRow(msgspec.Struct, frozen=True):
    action: str
    actor: str
    reason: str | None
    created_at: datetime


class SealedRow(msgspec.Struct, frozen=True):
    """What is encrypted of a request."""

    statement: bytes | None
    contact: bytes | None


_COLUMNS = columns_of(RequestRow)


async def add(tx: Transaction, row: RequestRow, *, statement: bytes | None, contact: bytes | None) -> None:
    await tx.insert(
        PrivacyRequest,
        **{name: getattr(row, name) for name in row.__struct_fields__},
        statement=statement,
        contact=contact,
    )


async def add_event(
    tx: Transaction, *, brand_id: str, request_id: str, action: str, actor: str, reason: str | None
) -> None:
    # Numbered, since two steps may be taken in the same moment. Whoever takes one has locked the request, or made it.
    before = await tx.value(
        "SELECT COUNT(*) AS steps FROM privacy_request_event WHERE request_id = :request_id", request_id=request_id
    )
    await tx.insert(
        PrivacyRequestEvent,
        id=f"{request_id}.{before:05}",
        brand_id=brand_id,
        request_id=request_id,
        action=action,
        actor=actor,
        reason=reason,
        created_at=tx.now,
    )


async def lock_account(tx: Transaction, account_id: str) -> None:
    """Let requests of one account be written one after the other; on SQLite they are anyhow."""
    if tx.postgres:
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(:account_id, 17))", account_id=account_id)


async def open_of_kind(reader: Reader, brand_id: str, account_id: str, kind: str, subject: str | None) -> str | None:
    """The id of a request of the same that has not ended."""
    found: str | None = await reader.value(
        "SELECT id FROM privacy_request WHERE account_id = :account_id AND brand_id = :brand_id AND kind = :kind"
        " AND state IN ('open', 'scheduled', 'in_force') AND COALESCE(subject, '') = :subject LIMIT 1",
        account_id=account_id,
        brand_id=brand_id,
        kind=kind,
        subject=subject or "",
    )
    return found


async def of_account(reader: Reader, brand_id: str, account_id: str, request_id: str) -> RequestRow | None:
    return await reader.one(
        RequestRow,
        f"SELECT {_COLUMNS} FROM privacy_request WHERE id = :id AND brand_id = :brand_id AND account_id = :account_id",
        id=request_id,
        brand_id=brand_id,
        account_id=account_id,
    )


async def lock(tx: Transaction, brand_id: str, request_id: str) -> RequestRow | None:
    return await tx.one(
        RequestRow,
        f"SELECT {_COLUMNS} FROM privacy_request WHERE id = :id AND brand_id = :brand_id{tx.for_update}",
        id=request_id,
        brand_id=brand_id,
    )


async def by_id(reader: Reader, request_id: str) -> RequestRow | None:
    """Whatever the brand."""
    return await reader.one(RequestRow, f"SELECT {_COLUMNS} FROM privacy_request WHERE id = :id", id=request_id)


async def sealed(reader: Reader, request_id: str) -> SealedRow | None:
    return await reader.one(SealedRow, "SELECT statement, contact FROM privacy_request WHERE id = :id", id=request_id)


async def events(reader: Reader, request_id: str) -> list[EventRow]:
    """Oldest first."""
    return await reader.all(
        EventRow,
        "SELECT action, actor, reason, created_at FROM privacy_request_event WHERE request_id = :request_id ORDER BY id",
        request_id=request_id,
    )


async def page_of_account(
    reader: Reader, brand_id: str, account_id: str, *, before: str | None, limit: int
) -> list[RequestRow]:
    """Newest first."""
    return await reader.all(
        RequestRow,
        f"SELECT {_COLUMNS} FROM privacy_request WHERE account_id = :account_id AND brand_id = :brand_id AND id < :before"
        " ORDER BY id DESC LIMIT :limit",
        account_id=account_id,
        brand_id=brand_id,
        before=before or "prq_~",
        limit=limit,
    )


async def page_of_brand(
    reader: Reader, brand_id: str, *, include_closed: bool, before: str | None, limit: int
) -> list[RequestRow]:
    """Newest first."""
    only_open = "" if include_closed else f" AND state IN {OPEN_STATES}"
    return await reader.all(
        RequestRow,
        f"SELECT {_COLUMNS} FROM privacy_request WHERE brand_id = :brand_id AND id < :before{only_open}"
        " ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        before=before or "prq_~",
        limit=limit,
    )


async def set_state(
    tx: Transaction, request_id: str, *, state: str, reason: str | None, closed_at: datetime | None
) -> None:
    await tx.execute(
        "UPDATE privacy_request SET state = :state, reason = :reason, closed_at = :closed_at WHERE id = :id",
        id=request_id,
        state=state,
        reason=reason,
        closed_at=closed_at,
    )


async def set_due(tx: Transaction, request_id: str, due_at: datetime) -> None:
    await tx.execute(
        "UPDATE privacy_request SET due_at = :due_at, warned = NULL WHERE id = :id", id=request_id, due_at=due_at
    )


async def drop_contact(tx: Transaction, request_id: str) -> None:
    await tx.execute("UPDATE privacy_request SET contact = NULL WHERE id = :id", id=request_id)


async def erasures_to_conclude(reader: Reader, limit: int) -> list[RequestRow]:
    """Erasures whose account is gone, as the evidence log has it by now."""
    return await reader.all(
        RequestRow,
        f"SELECT {', '.join(f'p.{name}' for name in RequestRow.__struct_fields__)}"
        " FROM privacy_request p JOIN receipt r ON r.holder = p.holder"
        " WHERE p.state = 'scheduled' AND p.effective_at <= :now AND r.entry IS NOT NULL ORDER BY p.effective_at LIMIT :limit",
        now=reader.now,
        limit=limit,
    )


async def to_warn_of(reader: Reader, *, soon: datetime, limit: int) -> list[RequestRow]:
    """Requests that have not ended and are due before `soon`, which nobody was told of at this stage."""
    return await reader.all(
        RequestRow,
        f"SELECT {_COLUMNS} FROM privacy_request WHERE state IN {OPEN_STATES} AND due_at <= :soon"
        " AND (warned IS NULL OR (warned = 'soon' AND due_at <= :now)) ORDER BY due_at LIMIT :limit",
        soon=soon,
        now=reader.now,
        limit=limit,
    )


async def set_warned(tx: Transaction, request_id: str, stage: str) -> None:
    await tx.execute("UPDATE privacy_request SET warned = :stage WHERE id = :id", id=request_id, stage=stage)


async def pseudonymise(tx: AnyTransaction, account_id: str, pseudonym: str, limit: int) -> int:
    """Put the pseudonym in the account's place, and drop what its key opened; returns how many."""
    rows = await tx.rows(
        "UPDATE privacy_request SET account_id = :pseudonym, statement = NULL WHERE id IN"
        " (SELECT id FROM privacy_request WHERE account_id = :account_id LIMIT :limit) RETURNING id",
        account_id=account_id,
        pseudonym=pseudonym,
        limit=limit,
    )
    for row in rows:
        await tx.execute(
            "UPDATE privacy_request_event SET actor = 'account' WHERE request_id = :request_id AND actor = :account_id",
            request_id=row["id"],
            account_id=account_id,
        )
    return len(rows)


async def exists(tx: AnyTransaction, request_id: str) -> bool:
    return bool(await tx.rows("SELECT 1 AS found FROM privacy_request WHERE id = :id", id=request_id))


async def delete(tx: AnyTransaction, request_id: str) -> None:
    await tx.execute("DELETE FROM privacy_request_event WHERE request_id = :id", id=request_id)
    await tx.execute("DELETE FROM privacy_request WHERE id = :id", id=request_id)


async def closed_before(tx: AnyTransaction, older_than: datetime, limit: int) -> list[dict[str, str]]:
    return await tx.rows(
        "SELECT id, holder FROM privacy_request WHERE closed_at <= :older_than ORDER BY closed_at LIMIT :limit",
        older_than=older_than,
        limit=limit,
    )


async def exported(tx: AnyTransaction, account_id: str) -> list[dict[str, object]]:
    return await tx.rows(
        "SELECT id, kind, state, subject, reason, statement, policy_digest, asked_at, due_at, effective_at, closed_at"
        " FROM privacy_request WHERE account_id = :account_id ORDER BY id",
        account_id=account_id,
    )


async def exported_events(tx: AnyTransaction, account_id: str) -> list[dict[str, object]]:
    return await tx.rows(
        "SELECT e.id, e.request_id, e.action, e.reason, e.created_at FROM privacy_request p"
        " JOIN privacy_request_event e ON e.request_id = p.id WHERE p.account_id = :account_id ORDER BY e.id",
        account_id=account_id,
    )

"""SQL of published versions and of the letters about them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.dataset import Transaction as AnyTransaction
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.notices.tables import PolicyNotice, PolicyVersion


class VersionRow(msgspec.Struct, frozen=True):
    """A published version without its texts."""

    id: str
    brand_id: str
    number: int
    digest: str
    change: str
    asks: str
    receivers: str
    approved_by: str
    published_at: datetime
    effective_at: datetime
    announced_at: datetime | None

    def asked(self) -> tuple[str, ...]:
        return msgspec.json.decode(self.asks, type=tuple[str, ...])


class NoticeRow(msgspec.Struct, frozen=True):
    """One account's letter."""

    id: str
    brand_id: str
    account_id: str
    version_id: str
    state: str
    created_at: datetime


_VERSION = columns_of(VersionRow)


async def add(tx: Transaction, row: VersionRow, *, body: str, notices: str, changes: str) -> bool:
    """False when that number of the brand's was published meanwhile."""
    return await tx.insert_new(
        PolicyVersion,
        **msgspec.structs.asdict(row),
        body=body,
        notices=notices,
        changes=changes,
        announced_upto=None,
    )


async def latest(reader: Reader, brand_id: str) -> VersionRow | None:
    return await reader.one(
        VersionRow,
        f"SELECT {_VERSION} FROM policy_version WHERE brand_id = :brand_id ORDER BY number DESC LIMIT 1",
        brand_id=brand_id,
    )


async def in_force(reader: Reader, brand_id: str) -> VersionRow | None:
    return await reader.one(
        VersionRow,
        f"SELECT {_VERSION} FROM policy_version WHERE brand_id = :brand_id AND effective_at <= :now"
        " ORDER BY number DESC LIMIT 1",
        brand_id=brand_id,
        now=reader.now,
    )


async def by_id(reader: Reader, version_id: str) -> VersionRow | None:
    return await reader.one(VersionRow, f"SELECT {_VERSION} FROM policy_version WHERE id = :id", id=version_id)


async def all_versions(reader: Reader) -> list[VersionRow]:
    """Of every brand, oldest first: a handful a brand and year."""
    return await reader.all(VersionRow, f"SELECT {_VERSION} FROM policy_version ORDER BY brand_id, number")


async def page(reader: Reader, brand_id: str, *, before: int, limit: int) -> list[VersionRow]:
    """Newest first."""
    return await reader.all(
        VersionRow,
        f"SELECT {_VERSION} FROM policy_version WHERE brand_id = :brand_id AND number < :before"
        " ORDER BY number DESC LIMIT :limit",
        brand_id=brand_id,
        before=before,
        limit=limit,
    )


async def body(reader: Reader, version_id: str) -> str:
    return str(await reader.value("SELECT body FROM policy_version WHERE id = :id", id=version_id))


async def notices(reader: Reader, version_id: str) -> str:
    return str(await reader.value("SELECT notices FROM policy_version WHERE id = :id", id=version_id))


async def changes(reader: Reader, version_id: str) -> str:
    return str(await reader.value("SELECT changes FROM policy_version WHERE id = :id", id=version_id))


async def lock_announced(tx: Transaction, version_id: str) -> str:
    """The last account that a letter was prepared for, kept so until the transaction ends; empty when there is none."""
    found = await tx.value(f"SELECT announced_upto FROM policy_version WHERE id = :id{tx.for_update}", id=version_id)
    return str(found or "")


async def set_announced(tx: Transaction, version_id: str, upto: str, ended_at: datetime | None) -> None:
    await tx.execute(
        "UPDATE policy_version SET announced_upto = :upto, announced_at = :ended_at WHERE id = :id",
        id=version_id,
        upto=upto,
        ended_at=ended_at,
    )


async def add_notice(tx: Transaction, *, version: VersionRow, account_id: str) -> str | None:
    """The letter's id; None when the account has one already."""
    notice_id = f"{version.id}.{account_id}"
    added = await tx.insert_new(
        PolicyNotice,
        id=notice_id,
        brand_id=version.brand_id,
        account_id=account_id,
        version_id=version.id,
        state="queued",
        created_at=tx.now,
        ended_at=None,
    )
    return notice_id if added else None


async def queued(reader: Reader, version_id: str, most: int) -> int:
    """How many letters of a version wait, up to `most`."""
    return int(
        await reader.value(
            "SELECT COUNT(*) AS n FROM (SELECT id FROM policy_notice WHERE version_id = :id AND state = 'queued'"
            " LIMIT :most) AS waiting",
            id=version_id,
            most=most,
        )
    )


async def notice(reader: Reader, notice_id: str) -> NoticeRow | None:
    return await reader.one(
        NoticeRow, f"SELECT {columns_of(NoticeRow)} FROM policy_notice WHERE id = :id", id=notice_id
    )


async def end_notice(tx: Transaction, notice_id: str, state: str) -> None:
    await tx.execute(
        "UPDATE policy_notice SET state = :state, ended_at = :now WHERE id = :id AND state = 'queued'",
        id=notice_id,
        state=state,
        now=tx.now,
    )


async def counts(reader: Reader, version_id: str) -> dict[str, int]:
    """How many letters of a version are in which state."""
    rows = await reader.rows(
        "SELECT state, COUNT(*) AS n FROM policy_notice WHERE version_id = :id GROUP BY state", id=version_id
    )
    return {row["state"]: int(row["n"]) for row in rows}


async def of_account(tx: AnyTransaction, account_id: str) -> list[dict[str, object]]:
    return await tx.rows(
        "SELECT version_id, state, created_at, ended_at FROM policy_notice WHERE account_id = :account_id ORDER BY id",
        account_id=account_id,
    )


async def notice_exists(tx: AnyTransaction, notice_id: str) -> bool:
    return bool(await tx.rows("SELECT 1 AS found FROM policy_notice WHERE id = :id", id=notice_id))


async def delete_notice(tx: AnyTransaction, notice_id: str) -> None:
    await tx.execute("DELETE FROM policy_notice WHERE id = :id", id=notice_id)


async def delete_of_account(tx: AnyTransaction, account_id: str) -> int:
    return len(
        await tx.rows("DELETE FROM policy_notice WHERE account_id = :account_id RETURNING id", account_id=account_id)
    )

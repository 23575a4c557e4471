"""SQL of takedowns."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.dataset import Transaction as AnyTransaction
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.takedowns.tables import TakedownCase, TakedownPicture

_COPIES_AT_MOST = 500


class CaseRow(msgspec.Struct, frozen=True):
    """A case without what is sealed in it."""

    id: str
    brand_id: str
    state: str
    reason: str
    token_hash: str
    decide_by: datetime
    next_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime


class PictureRow(msgspec.Struct, frozen=True):
    id: str
    case_id: str
    account_id: str
    dataset: str
    record_id: str
    outcome: str
    appeal: bytes | None
    appealed_at: datetime | None


class Sealed(msgspec.Struct, frozen=True):
    contact: bytes
    message: bytes | None
    locale: str = "en"


class Copy(msgspec.Struct, frozen=True):
    """A photo or a picture with certain bytes."""

    dataset: str
    record_id: str
    account_id: str


_CASE = columns_of(CaseRow)
_PICTURE = columns_of(PictureRow)


async def add(
    tx: Transaction,
    *,
    case_id: str,
    brand_id: str,
    reason: str,
    sealed: Sealed,
    token_hash: str,
    decide_by: datetime,
) -> None:
    await tx.insert(
        TakedownCase,
        id=case_id,
        brand_id=brand_id,
        state="open",
        reason=reason,
        contact=sealed.contact,
        message=sealed.message,
        locale=sealed.locale,
        token_hash=token_hash,
        decide_by=decide_by,
        next_at=decide_by,
        decided_by=None,
        decided_at=None,
        created_at=tx.now,
    )


async def add_picture(tx: Transaction, *, brand_id: str, case_id: str, copy: Copy, outcome: str) -> None:
    await tx.insert(
        TakedownPicture,
        id=f"{case_id}.{copy.record_id}",
        brand_id=brand_id,
        case_id=case_id,
        account_id=copy.account_id,
        dataset=copy.dataset,
        record_id=copy.record_id,
        outcome=outcome,
        appeal=None,
        appealed_at=None,
        created_at=tx.now,
    )


async def digest_of(reader: Reader, brand_id: str, record_id: str) -> str | None:
    """SHA-256 of a photo's or a picture's bytes, in hex."""
    for table in ("figurine", "upload"):
        found: str | None = await reader.value(
            f"SELECT sha256 FROM {table} WHERE id = :id AND brand_id = :brand_id AND state = 'ready'",
            id=record_id,
            brand_id=brand_id,
        )
        if found is not None:
            return found
    return None


async def copies(reader: Reader, brand_id: str, digest: str) -> list[Copy]:
    """Everything of the brand with these bytes."""
    found: list[Copy] = []
    for table, dataset in (("figurine", "figurines"), ("upload", "uploads")):
        rows = await reader.rows(
            f"SELECT id, account_id FROM {table} WHERE brand_id = :brand_id AND sha256 = :digest AND state = 'ready'"
            " ORDER BY id LIMIT :limit",
            brand_id=brand_id,
            digest=digest,
            limit=_COPIES_AT_MOST,
        )
        found += [Copy(dataset, row["id"], row["account_id"]) for row in rows]
    return found


async def outcomes_of(reader: Reader, record_id: str) -> set[str]:
    """What cases have said of a picture."""
    rows = await reader.rows(
        "SELECT DISTINCT outcome FROM takedown_picture WHERE record_id = :record_id", record_id=record_id
    )
    return {row["outcome"] for row in rows}


async def get(reader: Reader, brand_id: str, case_id: str) -> CaseRow | None:
    return await reader.one(
        CaseRow,
        f"SELECT {_CASE} FROM takedown_case WHERE id = :id AND brand_id = :brand_id",
        id=case_id,
        brand_id=brand_id,
    )


async def by_id(reader: Reader, case_id: str) -> CaseRow | None:
    return await reader.one(CaseRow, f"SELECT {_CASE} FROM takedown_case WHERE id = :id", id=case_id)


async def lock(tx: Transaction, brand_id: str, case_id: str) -> CaseRow | None:
    return await tx.one(
        CaseRow,
        f"SELECT {_CASE} FROM takedown_case WHERE id = :id AND brand_id = :brand_id{tx.for_update}",
        id=case_id,
        brand_id=brand_id,
    )


async def page(reader: Reader, brand_id: str, *, state: str | None, before: str | None, limit: int) -> list[CaseRow]:
    """Newest first."""
    of_state = " AND state = :state" if state is not None else ""
    parameters = {"state": state} if state is not None else {}
    return await reader.all(
        CaseRow,
        f"SELECT {_CASE} FROM takedown_case WHERE brand_id = :brand_id AND id < :before{of_state}"
        " ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        before=before or "tkd_~",
        limit=limit,
        **parameters,
    )


async def sealed(reader: Reader, case_id: str) -> Sealed | None:
    return await reader.one(Sealed, "SELECT contact, message, locale FROM takedown_case WHERE id = :id", id=case_id)


async def pictures(reader: Reader, case_id: str) -> list[PictureRow]:
    return await reader.all(
        PictureRow, f"SELECT {_PICTURE} FROM takedown_picture WHERE case_id = :case_id ORDER BY id", case_id=case_id
    )


async def pictures_of_account(reader: Reader, brand_id: str, account_id: str, limit: int) -> list[PictureRow]:
    """Newest first."""
    return await reader.all(
        PictureRow,
        f"SELECT {_PICTURE} FROM takedown_picture WHERE brand_id = :brand_id AND account_id = :account_id"
        " ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        account_id=account_id,
        limit=limit,
    )


async def due(reader: Reader, limit: int) -> list[CaseRow]:
    """Cases that somebody has to look at now."""
    return await reader.all(
        CaseRow,
        f"SELECT {_CASE} FROM takedown_case WHERE next_at IS NOT NULL AND next_at <= :now ORDER BY next_at LIMIT :limit",
        now=reader.now,
        limit=limit,
    )


async def set_state(
    tx: Transaction, case_id: str, state: str, *, next_at: datetime | None, decided_by: str | None
) -> None:
    await tx.execute(
        "UPDATE takedown_case SET state = :state, next_at = :next_at, decided_by = :decided_by, decided_at = :decided_at"
        " WHERE id = :id",
        id=case_id,
        state=state,
        next_at=next_at,
        decided_by=decided_by,
        decided_at=tx.now if decided_by is not None else None,
    )


async def appeal_case(tx: Transaction, case_id: str, decide_by: datetime) -> None:
    await tx.execute(
        "UPDATE takedown_case SET state = 'appealed', decide_by = :decide_by, next_at = :decide_by WHERE id = :id",
        id=case_id,
        decide_by=decide_by,
    )


async def set_next(tx: Transaction, case_id: str, next_at: datetime | None) -> None:
    await tx.execute("UPDATE takedown_case SET next_at = :next_at WHERE id = :id", id=case_id, next_at=next_at)


async def set_outcome(tx: Transaction, picture_id: str, outcome: str) -> None:
    await tx.execute("UPDATE takedown_picture SET outcome = :outcome WHERE id = :id", id=picture_id, outcome=outcome)


async def set_appeal(tx: Transaction, picture_id: str, appeal: bytes | None) -> None:
    await tx.execute(
        "UPDATE takedown_picture SET appeal = :appeal, appealed_at = :now WHERE id = :id",
        id=picture_id,
        appeal=appeal,
        now=tx.now,
    )


async def deleted_of_account(reader: Reader, account_id: str) -> int:
    """In how many cases a picture of the account's was deleted."""
    return int(
        await reader.value(
            "SELECT COUNT(DISTINCT case_id) AS n FROM takedown_picture WHERE account_id = :account_id"
            " AND outcome = 'deleted'",
            account_id=account_id,
        )
    )


async def delete_older(tx: AnyTransaction, older_than: datetime, limit: int) -> int:
    """Cases that were opened before and are decided, with their pictures; returns how many cases."""
    rows = await tx.rows(
        "SELECT id FROM takedown_case WHERE created_at < :older_than AND next_at IS NULL AND state IN ('kept', 'deleted')"
        " ORDER BY created_at LIMIT :limit",
        older_than=older_than,
        limit=limit,
    )
    for row in rows:
        await tx.execute("DELETE FROM takedown_picture WHERE case_id = :case_id", case_id=row["id"])
        await tx.execute("DELETE FROM takedown_case WHERE id = :id", id=row["id"])
    return len(rows)


async def delete_of_account(tx: AnyTransaction, account_id: str) -> None:
    await tx.execute("DELETE FROM takedown_picture WHERE account_id = :account_id", account_id=account_id)


async def of_account(tx: AnyTransaction, account_id: str) -> list[dict[str, object]]:
    return await tx.rows(
        "SELECT case_id, record_id, outcome, appealed_at, created_at FROM takedown_picture"
        " WHERE account_id = :account_id ORDER BY id",
        account_id=account_id,
    )

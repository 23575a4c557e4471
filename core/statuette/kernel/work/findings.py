"""Findings: what an operator must look at."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of


class FindingView(msgspec.Struct, frozen=True):
    """A finding. The same code on the same subject counts up instead of piling up."""

    id: str
    brand_id: str | None
    code: str
    subject: str
    detail: str
    occurrences: int
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None


async def raise_finding(tx: Transaction, *, code: str, subject: str, detail: str = "", brand_id: str | None) -> None:
    """Record that something needs a look; reopens a resolved one. `detail` is a code, never free text of strangers."""
    await tx.execute(
        "INSERT INTO finding (id, brand_id, code, subject, detail, occurrences, first_at, last_at, resolved_at)"
        " VALUES (:id, :brand_id, :code, :subject, :detail, 1, :now, :now, NULL)"
        " ON CONFLICT (code, subject) DO UPDATE SET occurrences = finding.occurrences + 1, last_at = :now, detail = :detail,"
        " resolved_at = NULL",
        id=tx.new_id("fnd"),
        brand_id=brand_id,
        code=code,
        subject=subject,
        detail=detail[:120],
        now=tx.now,
    )


async def settle(tx: Transaction, *, code: str, subject: str) -> None:
    """Resolve a finding whose cause is gone, if it is open."""
    await tx.execute(
        "UPDATE finding SET resolved_at = :now WHERE code = :code AND subject = :subject AND resolved_at IS NULL",
        code=code,
        subject=subject,
        now=tx.now,
    )


async def resolve(tx: Transaction, finding_id: str, brand_id: str) -> bool:
    """Mark a brand's finding as dealt with; whether there was an open one."""
    return await tx.changed(
        "UPDATE finding SET resolved_at = :now WHERE id = :id AND brand_id = :brand_id AND resolved_at IS NULL"
        " RETURNING id",
        id=finding_id,
        brand_id=brand_id,
        now=tx.now,
    )


async def listed(
    reader: Reader, *, brand_id: str | None, include_resolved: bool, before: str | None, limit: int
) -> list[FindingView]:
    """Newest first. With a brand: its own only; without: every one."""
    conditions = ["1 = 1"]
    parameters: dict[str, object] = {"limit": limit}
    if brand_id is not None:
        conditions.append("brand_id = :brand_id")
        parameters["brand_id"] = brand_id
    if not include_resolved:
        conditions.append("resolved_at IS NULL")
    if before is not None:
        conditions.append("id < :before")
        parameters["before"] = before
    return await reader.all(
        FindingView,
        f"SELECT {columns_of(FindingView)} FROM finding WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT :limit",
        **parameters,
    )

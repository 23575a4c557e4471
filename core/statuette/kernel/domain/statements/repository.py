"""SQL that looks for photos taken in without what a brand asks people to state."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader


class TakenIn(msgspec.Struct, frozen=True):
    """A photo: which brand took it in, when, and the words its owner stated about it."""

    brand_id: str
    statement_digest: str
    created_at: datetime


async def newest_photos(reader: Reader, sample: int) -> list[TakenIn]:
    return await reader.all(
        TakenIn,
        "SELECT brand_id, statement_digest, created_at FROM upload ORDER BY id DESC LIMIT :sample",
        sample=sample,
    )


async def photos_of_the_silent(reader: Reader, purpose: str, sample: int) -> list[TakenIn]:
    """Of the newest photos, those whose owner had not stated `purpose` by then."""
    return await reader.all(
        TakenIn,
        "SELECT brand_id, statement_digest, created_at FROM (SELECT brand_id, account_id, statement_digest, created_at"
        " FROM upload ORDER BY id DESC LIMIT :sample) u WHERE (SELECT c.id FROM consent_record c"
        " WHERE c.brand_id = u.brand_id AND c.account_id = u.account_id AND c.purpose = :purpose AND c.granted"
        " AND c.created_at <= u.created_at ORDER BY c.created_at DESC LIMIT 1) IS NULL",
        purpose=purpose,
        sample=sample,
    )


async def changes(reader: Reader) -> dict[str, datetime]:
    """When each brand's file was last applied with a change."""
    rows = await reader.rows("SELECT id, updated_at FROM brand")
    return {row["id"]: row["updated_at"] for row in rows}

"""SQL of figurines. Every read asks for what is still visible, of one brand."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.figurines.tables import Figurine
from statuette.kernel.enforcement.deadlines import visible
from statuette.kernel.pixels.results import EncodedPicture

_VISIBLE = visible("figurine")


class FigurineRow(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    account_id: str
    generation_id: str
    attempt_id: str
    state: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    created_at: datetime


_COLUMNS = columns_of(FigurineRow)


async def insert(
    tx: Transaction,
    *,
    figurine_id: str,
    brand_id: str,
    account_id: str,
    generation_id: str,
    attempt_id: str,
    position: int,
    original: EncodedPicture,
) -> None:
    await tx.insert(
        Figurine,
        id=figurine_id,
        brand_id=brand_id,
        account_id=account_id,
        generation_id=generation_id,
        attempt_id=attempt_id,
        position=position,
        state="storing",
        media_type=original.media_type,
        width=original.width,
        height=original.height,
        size_bytes=len(original.data),
        sha256=original.sha256,
        created_at=tx.now,
    )


async def make_ready(tx: Transaction, figurine_id: str) -> None:
    await tx.execute("UPDATE figurine SET state = 'ready' WHERE id = :id", id=figurine_id)


async def get(reader: Reader, brand_id: str, account_id: str | None, figurine_id: str) -> FigurineRow | None:
    """With `account_id` None: for a signed address, which names the figurine and nobody."""
    owner = "" if account_id is None else " AND account_id = :account_id"
    parameters = {} if account_id is None else {"account_id": account_id}
    return await reader.one(
        FigurineRow,
        f"SELECT {_COLUMNS} FROM figurine WHERE id = :id AND brand_id = :brand_id{owner} AND state = 'ready' AND {_VISIBLE}",
        id=figurine_id,
        brand_id=brand_id,
        now=reader.now,
        **parameters,
    )


async def lock(tx: Transaction, brand_id: str, account_id: str, figurine_id: str) -> FigurineRow | None:
    return await tx.one(
        FigurineRow,
        f"SELECT {_COLUMNS} FROM figurine WHERE id = :id AND brand_id = :brand_id AND account_id = :account_id"
        f" AND state = 'ready' AND {_VISIBLE}{tx.for_update}",
        id=figurine_id,
        brand_id=brand_id,
        account_id=account_id,
        now=tx.now,
    )


async def page(reader: Reader, brand_id: str, account_id: str, *, before: str | None, limit: int) -> list[FigurineRow]:
    """Newest first."""
    return await reader.all(
        FigurineRow,
        f"SELECT {_COLUMNS} FROM figurine WHERE brand_id = :brand_id AND account_id = :account_id AND state = 'ready'"
        f" AND id < :before AND {_VISIBLE} ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        account_id=account_id,
        before=before or "fig_~",
        limit=limit,
        now=reader.now,
    )


async def of_generation(reader: Reader, brand_id: str, generation_id: str) -> list[FigurineRow]:
    return await reader.all(
        FigurineRow,
        f"SELECT {_COLUMNS} FROM figurine WHERE generation_id = :generation_id AND brand_id = :brand_id AND state = 'ready'"
        f" AND {_VISIBLE} ORDER BY id",
        generation_id=generation_id,
        brand_id=brand_id,
        now=reader.now,
    )


async def unfinished_of(tx: Transaction, generation_id: str) -> list[str]:
    rows = await tx.rows(
        "SELECT id FROM figurine WHERE generation_id = :generation_id AND state = 'storing'",
        generation_id=generation_id,
    )
    return [row["id"] for row in rows]


async def size_bytes(reader: Reader, figurine_id: str) -> int:
    """0 if it is gone."""
    return int(await reader.value("SELECT size_bytes FROM figurine WHERE id = :id", id=figurine_id) or 0)

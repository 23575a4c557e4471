"""SQL of news."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.news.tables import NewsLetter


class NewsRow(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    texts: str
    created_at: datetime
    upto: str | None
    prepared: int
    prepared_at: datetime | None


_COLUMNS = columns_of(NewsRow)


async def add(tx: Transaction, *, letter_id: str, brand_id: str, texts: str, created_by: str) -> None:
    await tx.insert(
        NewsLetter,
        id=letter_id,
        brand_id=brand_id,
        texts=texts,
        created_by=created_by,
        created_at=tx.now,
        upto=None,
        prepared=0,
        prepared_at=None,
    )


async def get(reader: Reader, brand_id: str, letter_id: str) -> NewsRow | None:
    return await reader.one(
        NewsRow,
        f"SELECT {_COLUMNS} FROM news_letter WHERE id = :id AND brand_id = :brand_id",
        id=letter_id,
        brand_id=brand_id,
    )


async def by_id(reader: Reader, letter_id: str) -> NewsRow | None:
    return await reader.one(NewsRow, f"SELECT {_COLUMNS} FROM news_letter WHERE id = :id", id=letter_id)


async def lock(tx: Transaction, letter_id: str) -> NewsRow | None:
    """The letter, so that nobody else goes on with it until the transaction ends."""
    return await tx.one(NewsRow, f"SELECT {_COLUMNS} FROM news_letter WHERE id = :id{tx.for_update}", id=letter_id)


async def set_upto(tx: Transaction, letter_id: str, upto: str | None, more: int, ended_at: datetime | None) -> None:
    await tx.execute(
        "UPDATE news_letter SET upto = :upto, prepared = prepared + :more, prepared_at = :ended_at WHERE id = :id",
        id=letter_id,
        upto=upto,
        more=more,
        ended_at=ended_at,
    )

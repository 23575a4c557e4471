"""Events of many people, written by the database itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.kernel.db.database import Database

BRAND = "brd_1"
_MANY = (
    "INSERT INTO usage_event (id, brand_id, account_id, kind, style, page, level, browser, system, network, created_at)"
    " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
    " SELECT 'use_' || CAST(:name AS TEXT) || i, :brand_id, 'acc_' || i, :kind, :style, '', '', :browser, 'linux', '', :at FROM n"
)


async def add(
    database: Database,
    name: str,
    many: int,
    at: datetime,
    *,
    brand_id: str = BRAND,
    kind: str = "ordered",
    style: str = "chibi",
    browser: str = "firefox",
) -> None:
    """An event of each of the accounts `acc_1` to `acc_<many>`. `name` makes its ids unique."""
    async with database.transaction() as tx:
        await tx.execute(_MANY, name=name, many=many, brand_id=brand_id, kind=kind, style=style, browser=browser, at=at)


async def cells(database: Database) -> list[dict[str, Any]]:
    async with database.read() as reader:
        return await reader.rows(
            "SELECT week, kind, style, browser, accounts, events FROM usage_cell ORDER BY week, style, browser, kind"
        )


async def left(database: Database) -> int:
    async with database.read() as reader:
        return int(await reader.value("SELECT COUNT(*) AS n FROM usage_event"))

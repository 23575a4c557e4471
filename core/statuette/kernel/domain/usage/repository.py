"""SQL of usage: noting it, counting it by week, removing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from statuette.dataset import Transaction as AnyTransaction
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.usage.device import Device
from statuette.kernel.domain.usage.tables import UsageCell, UsageWeek
from statuette.kernel.domain.usage.weeks import Week

_EVENT = "id, brand_id, account_id, kind, style, page, level, browser, system, network, created_at"
_CELL = "kind, style, page, level, browser, system"


class _Moment(msgspec.Struct, frozen=True):
    at: datetime


class Oldest(msgspec.Struct, frozen=True):
    brand_id: str
    created_at: datetime


class Counted(msgspec.Struct, frozen=True):
    """A cell as it is: before anything was added."""

    kind: str
    style: str
    page: str
    level: str
    browser: str
    system: str
    accounts: int
    events: int


class CellRow(msgspec.Struct, frozen=True):
    """A cell as it is published."""

    id: str
    week: str
    kind: str
    style: str
    page: str
    level: str
    browser: str
    system: str
    accounts: int
    events: int

    @property
    def place(self) -> str:
        """The week, and the number in it: `2026-11-23.00007`."""
        return self.id.partition(".")[2]


class WeekRow(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    week: str
    ends_at: datetime
    counted_at: datetime


class Taste(msgspec.Struct, frozen=True):
    """What is known of a figurine: its style, and how many stars it got; empty where that is not known."""

    style: str
    level: str


async def add(
    tx: Transaction,
    *,
    event_id: str,
    brand_id: str,
    account_id: str,
    kind: str,
    style: str,
    page: str,
    level: str,
    device: Device,
    allowed: str,
) -> bool:
    """Note something, if `allowed` (a condition on `:account_id` and `:brand_id`) holds; whether it is noted.

    What has that id already gets the new level, and stays as old as it is.
    """
    return bool(
        await tx.rows(
            f"INSERT INTO usage_event ({_EVENT}) SELECT :id, CAST(:brand_id AS TEXT), CAST(:account_id AS TEXT),"
            f" :kind, :style, :page, :level, :browser, :system, :network, :now WHERE {allowed}"
            " ON CONFLICT (id) DO UPDATE SET level = excluded.level RETURNING id",
            id=event_id,
            brand_id=brand_id,
            account_id=account_id,
            kind=kind,
            style=style,
            page=page,
            level=level,
            browser=device.browser.value,
            system=device.system.value,
            network=device.network,
            now=tx.now,
        )
    )


async def follow(tx: Transaction, *, event_id: str, after: str, kind: str, allowed: str) -> None:
    """Note what came of something that was noted, if `allowed` (a condition on the row `e`) holds."""
    await tx.execute(
        f"INSERT INTO usage_event ({_EVENT}) SELECT :id, e.brand_id, e.account_id, :kind, e.style, e.page, e.level,"
        f" e.browser, e.system, e.network, :now FROM usage_event e WHERE e.id = :after AND {allowed}"
        " ON CONFLICT (id) DO NOTHING",
        id=event_id,
        after=after,
        kind=kind,
        now=tx.now,
    )


async def forget(tx: Transaction, brand_id: str, account_id: str, event_id: str) -> bool:
    return await tx.changed(
        "DELETE FROM usage_event WHERE id = :id AND account_id = :account_id AND brand_id = :brand_id RETURNING id",
        id=event_id,
        account_id=account_id,
        brand_id=brand_id,
    )


async def style_of(reader: Reader, event_id: str) -> str:
    """Empty where nothing was noted."""
    return str(await reader.value("SELECT style FROM usage_event WHERE id = :id", id=event_id) or "")


async def level_of(reader: Reader, account_id: str, event_id: str, *, after: datetime) -> str | None:
    level: str | None = await reader.value(
        "SELECT level FROM usage_event WHERE id = :id AND account_id = :account_id AND created_at > :after",
        id=event_id,
        account_id=account_id,
        after=after,
    )
    return level


async def taste(reader: Reader, *, rated: str, ordered: str, after: datetime) -> Taste:
    rows = await reader.rows(
        "SELECT id, style, level FROM usage_event WHERE id IN (:rated, :ordered) AND created_at > :after",
        rated=rated,
        ordered=ordered,
        after=after,
    )
    style = next((row["style"] for row in rows if row["style"]), "")
    return Taste(style, next((row["level"] for row in rows if row["id"] == rated), ""))


async def brand_of(tx: AnyTransaction, account_id: str) -> str | None:
    """The brand of an account that something is noted of."""
    rows = await tx.rows(
        "SELECT brand_id FROM usage_event WHERE account_id = :account_id LIMIT 1", account_id=account_id
    )
    return rows[0]["brand_id"] if rows else None


async def of_account(tx: AnyTransaction, account_id: str, after: datetime) -> list[dict[str, Any]]:
    return await tx.rows(
        f"SELECT {_EVENT} FROM usage_event WHERE account_id = :account_id AND created_at > :after"
        " ORDER BY created_at, id",
        account_id=account_id,
        after=after,
    )


async def exists(tx: AnyTransaction, event_id: str) -> bool:
    return bool(await tx.rows("SELECT 1 AS found FROM usage_event WHERE id = :id", id=event_id))


async def delete(tx: AnyTransaction, event_id: str) -> None:
    await tx.execute("DELETE FROM usage_event WHERE id = :id", id=event_id)


async def delete_of_account(tx: AnyTransaction, account_id: str, limit: int) -> int:
    rows = await tx.rows(
        "DELETE FROM usage_event WHERE id IN"
        " (SELECT id FROM usage_event WHERE account_id = :account_id LIMIT :limit) RETURNING id",
        account_id=account_id,
        limit=limit,
    )
    return len(rows)


async def next_brand(reader: Reader, after: str) -> str | None:
    """The next brand by id that has events."""
    brand_id: str | None = await reader.value(
        "SELECT MIN(brand_id) AS brand_id FROM usage_event WHERE brand_id > :after", after=after
    )
    return brand_id


async def counted_until(reader: Reader, brand_id: str) -> datetime | None:
    """The end of the last week that was counted."""
    found = await reader.one(
        _Moment,
        "SELECT ends_at AS at FROM usage_week WHERE brand_id = :brand_id ORDER BY week DESC LIMIT 1",
        brand_id=brand_id,
    )
    return found.at if found is not None else None


async def first_from(reader: Reader, brand_id: str, begins: datetime) -> datetime | None:
    """When the first event from that moment on was."""
    found = await reader.one(
        _Moment,
        "SELECT created_at AS at FROM usage_event WHERE brand_id = :brand_id AND created_at >= :begins"
        " ORDER BY created_at LIMIT 1",
        brand_id=brand_id,
        begins=begins,
    )
    return found.at if found is not None else None


async def begin_week(tx: Transaction, brand_id: str, week: Week) -> bool:
    """Say that a week is counted. False: it has been."""
    return await tx.insert_new(
        UsageWeek,
        id=f"{brand_id}.{week.name}",
        brand_id=brand_id,
        week=week.name,
        ends_at=week.ends,
        counted_at=tx.now,
        folded_at=None,
    )


async def cells(
    reader: Reader, brand_id: str, week: Week, *, least_accounts: int, most_events: int, allowed: str
) -> list[Counted]:
    """The week's cells with enough accounts; no other leaves the database. Of an account at most so many events count.

    Args:
        allowed: a condition on an account, `a.account_id` of `a.brand_id`, without which it does not count.
    """
    return await reader.all(
        Counted,
        f"SELECT {_CELL}, COUNT(*) AS accounts, CAST(SUM(CASE WHEN a.n < :most THEN a.n ELSE :most END) AS BIGINT) AS events"
        f" FROM (SELECT brand_id, account_id, {_CELL}, COUNT(*) AS n FROM usage_event WHERE brand_id = :brand_id"
        f" AND created_at >= :begins AND created_at < :ends GROUP BY brand_id, account_id, {_CELL}) a"
        f" WHERE {allowed} GROUP BY {_CELL} HAVING COUNT(*) >= :least ORDER BY {_CELL}",
        brand_id=brand_id,
        begins=week.begins,
        ends=week.ends,
        least=least_accounts,
        most=most_events,
    )


async def publish(tx: Transaction, brand_id: str, week: Week, number: int, cell: Counted) -> None:
    await tx.insert(
        UsageCell,
        id=_place(brand_id, f"{week.name}.{number:05}"),
        brand_id=brand_id,
        week=week.name,
        **msgspec.structs.asdict(cell),
    )


async def published(
    reader: Reader, brand_id: str, *, week: str | None, before: str | None, limit: int
) -> list[CellRow]:
    """Cells, the latest week first.

    Args:
        before: `place` of the last one of the page before.
    """
    last = _place(brand_id, f"{week or '9999-99-99'}.99999")
    return await reader.all(
        CellRow,
        f"SELECT {columns_of(CellRow)} FROM usage_cell WHERE brand_id = :brand_id AND id >= :first AND id < :before"
        " ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        first=_place(brand_id, f"{week or '0000-00-00'}.00000"),
        before=last if before is None else min(last, _place(brand_id, before)),
        limit=limit,
    )


def _place(brand_id: str, place: str) -> str:
    # All of one shape, so that any collation sorts them by brand, then week, then number.
    return f"{brand_id}.{place}"


async def oldest(reader: Reader, older_than: datetime) -> Oldest | None:
    return await reader.one(
        Oldest,
        "SELECT brand_id, created_at FROM usage_event WHERE created_at <= :older_than ORDER BY created_at LIMIT 1",
        older_than=older_than,
    )


async def remove(tx: Transaction, brand_id: str, week: Week, older_than: datetime, limit: int) -> int:
    """Delete at most so many events of a week that are old enough, oldest first; returns how many."""
    rows = await tx.rows(
        "DELETE FROM usage_event WHERE id IN (SELECT id FROM usage_event WHERE brand_id = :brand_id"
        " AND created_at >= :begins AND created_at < :ends AND created_at <= :older_than"
        " ORDER BY created_at LIMIT :limit) RETURNING id",
        brand_id=brand_id,
        begins=week.begins,
        ends=week.ends,
        older_than=older_than,
        limit=limit,
    )
    return len(rows)


async def to_fold(reader: Reader, older_than: datetime, limit: int) -> Sequence[WeekRow]:
    """Weeks that are old enough as a whole and have not been found empty yet."""
    return await reader.all(
        WeekRow,
        f"SELECT {columns_of(WeekRow)} FROM usage_week WHERE folded_at IS NULL AND ends_at <= :older_than"
        " ORDER BY ends_at LIMIT :limit",
        older_than=older_than,
        limit=limit,
    )


async def folded(tx: Transaction, week_id: str) -> bool:
    """Note that nothing of a week is left. False: somebody was faster."""
    return await tx.changed(
        "UPDATE usage_week SET folded_at = :now WHERE id = :id AND folded_at IS NULL RETURNING id",
        id=week_id,
        now=tx.now,
    )


async def refused_before(reader: Reader, purpose: str, sample: int) -> int:
    """Of the newest events, those whose account had said no by then."""
    return int(
        await reader.value(
            "SELECT COUNT(*) AS n FROM (SELECT brand_id, account_id, created_at FROM usage_event"
            " ORDER BY created_at DESC LIMIT :sample) e WHERE COALESCE((SELECT c.granted FROM consent_record c"
            " WHERE c.brand_id = e.brand_id AND c.account_id = e.account_id AND c.purpose = :purpose"
            " AND c.created_at < e.created_at ORDER BY c.created_at DESC, c.granted LIMIT 1), TRUE) = FALSE",
            purpose=purpose,
            sample=sample,
        )
    )


async def newest_devices(reader: Reader, sample: int) -> list[dict[str, Any]]:
    return await reader.rows(
        "SELECT browser, system, network FROM usage_event ORDER BY created_at DESC LIMIT :sample", sample=sample
    )

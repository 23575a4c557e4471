"""Choosing what is due among ten million deadlines, of which many have been chosen and none was vacuumed, against ten thousand."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import TunedPostgres
from statuette.kernel.db.sql import numbered
from statuette.kernel.enforcement.due import DueDeadlines, claim_statement
from statuette.testing import FrozenClock
from tests.bench.large import filling, large_server, make_durable, migrated, size_gigabytes
from tests.bench.report import Figure, at_most

_MANY, _FEW = 10_000_000, 10_000
_AT_ONCE = 1_000
_CLAIMED_BEFORE = 100_000
_ROUNDS = 10
_FIRST_DUE = datetime(2026, 1, 1, tzinfo=UTC)
# One falls due every tenth of a second; now a tenth of the ten million, and each of the ten thousand, is due.
_NOW = _FIRST_DUE + timedelta(seconds=_MANY / 100)
_FILL = (
    "INSERT INTO deadline (id, brand_id, account_id, dataset, record_id, rule, policy_digest, state, due_at, attempts,"
    " trace_parent, created_at, updated_at) SELECT 'ddl_' || lpad(n::text, 26, '0'), 'brd_' || lpad((n % 5)::text, 26, '0'),"
    " 'acc_' || lpad((n / 50)::text, 26, '0'), 'uploads', 'upl_' || lpad((n / 5)::text, 26, '0'), 'upload.rule' || n % 5,"
    " 'sha256:' || repeat('d', 64), 'scheduled', $1::timestamptz + n * interval '100 milliseconds', 0,"
    " '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01', $1, $1 FROM generate_series(1, $2::bigint) n"
)


class Choice(msgspec.Struct, frozen=True):
    """Seconds that finding and locking the rows took, and the whole statement, the intent written."""

    choosing: float
    whole: float


async def measure() -> list[Figure]:
    async with large_server() as server:
        urls = {rows: server.create_database(f"deadlines_{rows}") for rows in (_MANY, _FEW)}
        began = time.monotonic()
        size = max([await _filled(url, rows) for rows, url in urls.items()])
        fill_seconds = time.monotonic() - began
        await make_durable(server)
        many, few, back = await _measured(urls[_MANY], urls[_FEW])
    how = (
        f"{1000 * many.choosing:.2f} ms against {1000 * few.choosing:.2f} ms, as the server tells; with the intent written"
        f" {1000 * many.whole:.1f} against {1000 * few.whole:.1f} ms; {1000 * back.choosing:.2f} ms when it starts over, as it"
        f" does every half minute; {_CLAIMED_BEFORE:,} claimed before, nothing vacuumed, {size:.1f} GB filled in"
        f" {fill_seconds:.0f} s, what comes next in memory on both sides; PostgreSQL, median of {_ROUNDS} in turns"
    )
    ratio = many.choosing / few.choosing
    return [at_most(f"choosing {_AT_ONCE:,} due among {_MANY:,} deadlines, against {_FEW:,}", ratio, 1.2, how)]


async def _filled(url: str, rows: int) -> float:
    connection = await migrated(url)
    await _fill(connection, rows)
    size = await size_gigabytes(connection)
    await connection.close()
    return size


async def _fill(connection: asyncpg.Connection, rows: int) -> None:
    async with filling(connection, "deadline"):
        await connection.execute(_FILL, _FIRST_DUE, rows, timeout=None)
    await connection.execute("VACUUM ANALYZE deadline")


async def _measured(many_url: str, few_url: str) -> tuple[Choice, Choice, Choice]:
    """A choice among many, among few, and among many from the beginning."""
    database = Database(TunedPostgres(many_url, pool_size=2), FrozenClock(_NOW))
    many, few = await asyncpg.connect(many_url), await asyncpg.connect(few_url)
    await database.open()
    due = DueDeadlines()
    for _ in range(_CLAIMED_BEFORE // _AT_ONCE):
        async with database.transaction() as tx:
            assert len(await due.claim(tx, _AT_ONCE)) == _AT_ONCE
    front = due.front
    times: list[tuple[Choice, Choice]] = []
    for _ in range(_ROUNDS):
        await _fill(few, _FEW)
        # Whatever is touched first after a checkpoint is logged as a whole page: alike on both sides.
        await few.execute("CHECKPOINT")
        await _warmed(many, front)
        choice, front = await _explained(many, front)
        times.append((choice, (await _explained(few, _FIRST_DUE))[0]))
    back = [(await _explained(many, _FIRST_DUE))[0] for _ in range(_ROUNDS)]
    await database.close()
    for connection in (many, few):
        await connection.close()
    one, other = zip(*times, strict=True)
    return _median(one), _median(other), _median(back)


async def _explained(connection: asyncpg.Connection, front: datetime) -> tuple[Choice, datetime]:
    """Make a choice, and have the server tell how long it took; and where the next one starts."""
    sql, names = numbered(claim_statement(True))
    parameters = {"now": _NOW, "front": front, "limit": _AT_ONCE}
    async with connection.transaction():
        told = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *[parameters[name] for name in names], timeout=60
        )
    plan = json.loads(told)[0]["Plan"]
    [limit] = [node for node in _nodes(plan) if node["Node Type"] == "Limit"]
    assert limit["Actual Rows"] == plan["Actual Rows"] == _AT_ONCE
    last = await connection.fetchval("SELECT MAX(due_at) FROM deadline WHERE state = 'executing'")
    return Choice(limit["Actual Total Time"] / 1000, plan["Actual Total Time"] / 1000), last


async def _warmed(connection: asyncpg.Connection, front: datetime) -> None:
    """Have what comes next in memory, as the ten thousand are, which were written a moment ago."""
    await connection.fetchval(
        "SELECT MAX(record_id) FROM deadline WHERE state = 'scheduled' AND due_at >= $1 AND due_at <= $2",
        front,
        front + timedelta(seconds=2 * _AT_ONCE / 10),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _median(choices: Sequence[Choice]) -> Choice:
    return Choice(
        statistics.median(each.choosing for each in choices), statistics.median(each.whole for each in choices)
    )

"""Accepting a generation through HTTP against a bare asyncpg script that runs the same statements.

The statements are recorded from a real acceptance and run again with fresh ids, by as many clients.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import tempfile
import time
from typing import Any

import asyncpg

from statuette.kernel.db.engines import PostgresConnection
from statuette.kernel.db.sql import numbered
from statuette.values import SystemClock, new_id
from tests.bench.load import post, requests_per_second
from tests.bench.postgres import database, server
from tests.bench.report import Figure, at_least
from tests.profiles import embedded
from tests.site import serving

_ROUNDS = 5
_TOTAL = 400
_CLIENTS = 8
_ID = re.compile(r"\b([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}\b")

Statement = tuple[str, list[Any]]


async def measure() -> list[Figure]:
    with database() as url, tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other_folder:
        statements, known = await _recorded(url, other_folder)
        admin = await asyncpg.connect(url)
        await admin.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await admin.close()
        async with server("platform", url, folder) as ours:
            body = json.dumps({"inputs": [{"upload_id": ours["upload"]}], "style": "chibi"}).encode()
            order = post("/v1/generations", {"Authorization": ours["token"]}, body)
            pool = await asyncpg.create_pool(url, min_size=_CLIENTS, max_size=_CLIENTS)
            replacements = await _replacements(pool, known)
            rates = []
            try:
                for _ in range(_ROUNDS):
                    one = await requests_per_second(
                        ours["port"], lambda _: order, connections=_CLIENTS, total=_TOTAL, expected=b"202"
                    )
                    rates.append((one, await _bare(pool, statements, replacements)))
            finally:
                await pool.close()
    ratio = statistics.median(one / other for one, other in rates)
    mine, theirs = (statistics.median(side) for side in zip(*rates, strict=True))
    how = (
        f"{mine:.0f}/s against {theirs:.0f}/s, {len(statements)} statements, PostgreSQL, {_CLIENTS} clients on one wallet,"
        f" median of {_ROUNDS} rounds in turns"
    )
    return [at_least("accepting a generation", ratio, 0.5, how)]


async def _recorded(url: str, folder: str) -> tuple[list[Statement], dict[str, str]]:
    """The statements of one acceptance, and which ids in them existed before."""
    from pathlib import Path

    recorded: list[tuple[int, Statement]] = []
    fetch = PostgresConnection.fetch

    async def recording(self: PostgresConnection, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        statement, names = numbered(sql)
        recorded.append((id(self), (statement, [parameters[name] for name in names])))
        return await fetch(self, sql, parameters)

    async with serving(Path(folder), embedded(url), worker_concurrency=1) as site:
        await site.apply_brand(ceiling="1000000.00", limits_in_flight=100_000)
        person = await site.person(credits=1_000)
        upload = await person.upload()
        await person.finished((await person.order(upload["id"]))["id"])
        brand = next(iter(await _brands(url)))
        await site.platform.scheduler.stop()
        PostgresConnection.fetch = recording  # type: ignore[method-assign]
        try:
            await person.order(upload["id"])
        finally:
            PostgresConnection.fetch = fetch  # type: ignore[method-assign]
        owner = next(
            connection for connection, (statement, _) in recorded if statement.startswith('INSERT INTO "generation" ')
        )
        known = {"account": person.account_id, "upload": upload["id"], "brand": brand}
    return [statement for connection, statement in recorded if connection == owner], known


async def _brands(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["id"] for row in await connection.fetch("SELECT id FROM brand")]
    finally:
        await connection.close()


async def _replacements(pool: asyncpg.Pool, known: dict[str, str]) -> dict[str, str]:
    """Ids of the recording → those of the database under load."""
    return {
        known["account"]: await pool.fetchval("SELECT id FROM account LIMIT 1"),
        known["upload"]: await pool.fetchval("SELECT id FROM upload LIMIT 1"),
        known["brand"]: await pool.fetchval("SELECT id FROM brand LIMIT 1"),
    }


async def _bare(pool: asyncpg.Pool, statements: list[Statement], replacements: dict[str, str]) -> float:
    lots = {row["id"] for row in await pool.fetch("SELECT id FROM credit_lot WHERE remaining > 0")}
    lot = next(iter(lots))
    clock = SystemClock()
    numbers = iter(range(_TOTAL))

    def fresh(arguments: list[Any], ids: dict[str, str]) -> list[Any]:
        def replaced(match: re.Match[str]) -> str:
            old = match.group(0)
            if old in replacements:
                return replacements[old]
            if match.group(1) == "lot":
                return lot
            return ids.setdefault(old, new_id(match.group(1), clock.now()))

        return [_ID.sub(replaced, value) if isinstance(value, str) else value for value in arguments]

    async def one() -> None:
        async with pool.acquire() as connection:
            for _ in numbers:
                ids: dict[str, str] = {}
                async with connection.transaction():
                    for statement, arguments in statements:
                        await connection.fetch(statement, *fresh(arguments, ids))

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(_CLIENTS)))
    return _TOTAL / (time.perf_counter() - began)

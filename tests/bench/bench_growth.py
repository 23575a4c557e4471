"""Accepting a generation on an empty database, against one that ten million have gone through.

Both are durable, on servers of their own with the same settings; the same API process, Redis and clients take turns on them.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from statuette.testing.servers import PostgresServer, RedisServer
from tests.bench.cluster import Cluster, Person, photo
from tests.bench.large import filling, large_server, make_durable, migrated, size_gigabytes
from tests.bench.load import requests_per_second
from tests.bench.report import Figure, at_most
from tests.chaos.program import Program
from tests.filling import fill

_JOBS = 10_000_000
_ROUNDS = 9
_ORDERS = 300
_CLIENTS = 8
_PEOPLE = 20
# What lasts, of that which accepting reads or writes: photos, sessions, keys of requests and work come and go.
_TABLES = (
    "account",
    "wallet",
    "consent_record",
    "generation",
    "generation_input",
    "generation_event",
    "deadline",
    "credit_lot",
    "credit_hold",
    "credit_hold_lot",
    "ledger_transfer",
    "ledger_entry",
)
_FILLED_AT_ONCE = 2


async def measure() -> list[Figure]:
    async with AsyncExitStack() as stack:
        full, empty = [await stack.enter_async_context(large_server()) for _ in range(2)]
        began = time.monotonic()
        size = await _fill(full)
        fill_seconds = time.monotonic() - began
        await (await migrated(empty.url)).close()
        for server in (full, empty):
            await make_durable(server)
        one, other = [await _site(stack, server) for server in (full, empty)]
        rates = [(await one.rate(), await other.rate()) for _ in range(_ROUNDS)]
    # The first round reads from disk what the next ones find in memory.
    ratio = statistics.median(theirs / ours for ours, theirs in rates[1:])
    ours, theirs = (statistics.median(side) for side in zip(*rates[1:], strict=True))
    how = (
        f"{ours:.0f}/s against {theirs:.0f}/s through HTTP, {_CLIENTS} clients of {_PEOPLE} accounts, PostgreSQL; {size:.0f} GB"
        f" filled in {fill_seconds:.0f} s; median of {_ROUNDS - 1} rounds in turns, a first one of {rates[0][0]:.0f}/s left out"
    )
    return [at_most(f"accepting a generation after {_JOBS:,}, cost against an empty database", ratio, 1.3, how)]


async def _fill(server: PostgresServer) -> float:
    """Tables in turn, a few at once; returns how large the database is then, in GB."""
    await (await migrated(server.url)).close()
    tables = iter(_TABLES)
    now = datetime.now(UTC)

    async def work() -> None:
        connection = await migrated(server.url)
        for table in tables:
            async with filling(connection, table):
                await fill(connection, jobs=_JOBS, brands=["brd_filling"], now=now, tables=[table])
            await connection.execute(f"VACUUM ANALYZE {table}", timeout=None)
        await connection.close()

    await asyncio.gather(*(work() for _ in range(_FILLED_AT_ONCE)))
    connection = await migrated(server.url)
    size = await size_gigabytes(connection)
    await connection.close()
    return size


class _Site:
    """An API process on one of the databases, and people who order from it."""

    def __init__(self, api: Program, people: list[Person]) -> None:
        assert api.url is not None
        self._port = int(api.url.rsplit(":", 1)[1])
        self._people = people

    async def rate(self) -> float:
        """Orders accepted a second."""
        return await requests_per_second(
            self._port,
            lambda number: self._people[number % len(self._people)].order(),
            connections=_CLIENTS,
            total=_ORDERS,
            expected=b"202",
        )


async def _site(stack: AsyncExitStack, server: PostgresServer) -> _Site:
    folder = Path(stack.enter_context(TemporaryDirectory()))
    redis = stack.enter_context(RedisServer())
    cluster = Cluster(folder, server, redis)
    people = await cluster.people(_PEOPLE, photo(40))
    return _Site(await stack.enter_async_context(cluster.process("api")), people)

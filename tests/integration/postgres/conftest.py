"""A PostgreSQL that may be stopped, cut and paused, and a database on it with one table of notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import TunedPostgres
from statuette.testing import FrozenClock
from statuette.testing.servers import PostgresServer

NOTES = "CREATE TABLE note (id text PRIMARY KEY, number bigint NOT NULL DEFAULT 0)"


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A server of this test alone."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
async def notes(postgres: PostgresServer) -> str:
    """The address of a database with the table `note`."""
    url = postgres.create_database("notes")
    connection = await asyncpg.connect(url)
    await connection.execute(NOTES)
    await connection.close()
    await _left_by_all(postgres, url)
    return url


async def _left_by_all(postgres: PostgresServer, url: str) -> None:
    """The process that served a connection outlives it by a moment, and tests count processes."""
    name = url.rpartition("/")[2].partition("?")[0]
    admin = await asyncpg.connect(postgres.url)
    try:
        async with asyncio.timeout(10):
            while await admin.fetchval("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = $1", name):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
    finally:
        await admin.close()


Opened = Callable[..., Database]


@pytest.fixture
async def opened(clock: FrozenClock) -> AsyncIterator[Opened]:
    """Makes databases of an address; they are closed in the end. `await` their `open()`."""
    made: list[Database] = []

    def make(url: str, *, pool_size: int = 4) -> Database:
        made.append(Database(TunedPostgres(url, pool_size=pool_size), clock))
        return made[-1]

    yield make
    for database in made:
        await database.close()


@pytest.fixture
async def database(notes: str, opened: Opened) -> Database:
    """The database with the table `note`, open."""
    database = opened(notes)
    await database.open()
    return database


async def numbers(database: Database) -> dict[str, int]:
    """What is in `note`."""
    async with database.read() as reader:
        return {row["id"]: row["number"] for row in await reader.rows("SELECT id, number FROM note ORDER BY id")}

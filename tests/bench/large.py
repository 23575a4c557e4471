"""A PostgreSQL that is filled with tens of millions of rows in minutes, and is as durable as any when the measuring begins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from statuette.kernel.db.engines import TunedPostgres
from statuette.kernel.db.schema import migrate
from statuette.testing.servers import PostgresServer

# A quarter of a machine of 4 GB, as https://www.postgresql.org/docs/current/runtime-config-resource.html advises.
_ALWAYS = {"shared_buffers": "1GB", "max_wal_size": "2GB", "autovacuum": "off"}
# What is lost in a crash is filled anew. With `minimal`, a table that was emptied in the same transaction is not logged.
_WHILE_FILLING = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "maintenance_work_mem": "512MB",
}


@asynccontextmanager
async def large_server() -> AsyncIterator[PostgresServer]:
    """A server that is set up for filling. Vacuum comes only when it is asked for."""
    with PostgresServer() as server:
        await _restarted(server, [f"SET {name} = '{value}'" for name, value in {**_ALWAYS, **_WHILE_FILLING}.items()])
        yield server


async def make_durable(server: PostgresServer) -> None:
    """Write everything down, and from now on wait for the disk at every commit."""
    await _restarted(server, [f"RESET {name}" for name in _WHILE_FILLING])


async def _restarted(server: PostgresServer, changes: list[str]) -> None:
    connection = await asyncpg.connect(server.url)
    for change in changes:
        await connection.execute(f"ALTER SYSTEM {change}")
    await connection.close()
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)


async def migrated(url: str) -> asyncpg.Connection:
    """A connection to a database that has every table."""
    engine = TunedPostgres(url)
    await engine.open()
    await migrate(engine)
    await engine.close()
    return await asyncpg.connect(url)


@asynccontextmanager
async def filling(connection: asyncpg.Connection, table: str) -> AsyncIterator[None]:
    """A transaction in which a table is filled: emptied first, its indexes built when all rows are there."""
    made = await connection.fetch(
        "SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition, c.conname,"
        " pg_get_constraintdef(c.oid) AS key FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid"
        " WHERE i.indrelid = $1::regclass",
        table,
    )
    async with connection.transaction():
        await connection.execute(f"TRUNCATE {table}")
        for index in made:
            await connection.execute(
                f"ALTER TABLE {table} DROP CONSTRAINT {index['conname']}"
                if index["key"]
                else f"DROP INDEX {index['name']}"
            )
        yield
        for index in made:
            await connection.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {index['conname']} {index['key']}"
                if index["key"]
                else index["definition"]
            )


async def size_gigabytes(connection: asyncpg.Connection) -> float:
    return float(await connection.fetchval("SELECT pg_database_size(current_database())")) / 2**30

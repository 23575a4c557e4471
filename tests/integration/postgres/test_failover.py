"""A server that takes no writes: reading goes on, writing waits for the one that does."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from statuette.kernel.db import postgres as engine
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.errors import DatabaseReadOnly
from statuette.kernel.db.schema import check_schema, migrate
from statuette.testing.servers import PostgresServer, database_at
from tests.integration.postgres.conftest import NOTES, Opened, numbers


async def add(tx: Transaction, name: str) -> None:
    await tx.execute("INSERT INTO note (id) VALUES (:id)", id=name)


async def begins(database: Database) -> bool:
    """False when a transaction is refused at its beginning; a refusal later is an error."""
    begun = False
    try:
        async with database.transaction():
            begun = True
    except DatabaseReadOnly:
        assert not begun
    return begun


async def until_refused(database: Database) -> bool:
    for _ in range(500):
        if not await begins(database):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_after_a_failover_reading_goes_on_and_writing_recovers_by_itself(
    database: Database, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a database that is written to
    monkeypatch.setattr(engine, "_PATIENCE_SECONDS", 0.5)
    await database.run(lambda tx: add(tx, "before"))

    # When all that answers is a standby
    await asyncio.to_thread(postgres.read_only, True)

    # Then reading goes on, and writing is refused in so many words
    assert await numbers(database) == {"before": 0}
    for _ in range(2):
        with pytest.raises(DatabaseReadOnly) as refused:
            await database.run(lambda tx: add(tx, "meanwhile"))
        assert refused.value.retryable and refused.value.code == "database_read_only"
    assert await numbers(database) == {"before": 0}

    # And once it is promoted the same pool writes again
    monkeypatch.setattr(engine, "_PATIENCE_SECONDS", 5.0)
    await asyncio.to_thread(postgres.read_only, False)
    await database.run(lambda tx: add(tx, "after"))
    assert await numbers(database) == {"before": 0, "after": 0}


async def test_who_writes_in_the_middle_of_a_failover_only_waits(database: Database, postgres: PostgresServer) -> None:
    # Given a standby, and connections of the pool that lead to it
    await asyncio.to_thread(postgres.read_only, True)
    assert await numbers(database) == {}

    # When a transaction begins and the standby is promoted a moment later
    writing = asyncio.create_task(database.run(lambda tx: add(tx, "written")))
    await asyncio.to_thread(postgres.read_only, False)

    # Then it was only a wait
    await writing
    assert await numbers(database) == {"written": 0}


async def test_a_server_that_is_made_read_only_under_open_connections_is_noticed_at_begin(
    database: Database, notes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a pool with a connection
    monkeypatch.setattr(engine, "_PATIENCE_SECONDS", 0.5)
    await database.run(lambda tx: add(tx, "before"))
    operator = await asyncpg.connect(notes, server_settings={"default_transaction_read_only": "off"})
    try:
        # When the operator forbids writes without cutting anybody
        await operator.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        await operator.execute("SELECT pg_reload_conf()")

        # Then, once the open connection has heard of it, a transaction does not even begin
        assert await until_refused(database)

        # And when they are allowed again, all goes on
        await operator.execute("ALTER SYSTEM RESET default_transaction_read_only")
        await operator.execute("SELECT pg_reload_conf()")
    finally:
        await operator.close()
    monkeypatch.setattr(engine, "_PATIENCE_SECONDS", 10.0)
    await database.run(lambda tx: add(tx, "after"))
    assert await numbers(database) == {"before": 0, "after": 0}


async def test_a_write_that_is_refused_in_the_middle_is_run_again_over_another_connection(database: Database) -> None:
    # Given work whose server stops taking writes after it began
    served: list[int] = []

    async def work(tx: Transaction) -> None:
        served.append(await tx.value("SELECT pg_backend_pid() AS pid"))
        if len(served) == 1:
            await tx.execute("SET TRANSACTION READ ONLY")
        await add(tx, f"attempt {len(served)}")

    # When it is run, then its second attempt counts, and nobody uses the first one's connection any more
    await database.run(work)
    assert await numbers(database) == {"attempt 2": 0}
    assert served[0] != served[1]


async def test_of_two_servers_in_the_address_the_one_that_writes_is_found(
    postgres: PostgresServer, opened: Opened
) -> None:
    # Given an address that names a standby first and the primary second
    with PostgresServer() as standby:
        for server in (standby, postgres):
            admin = await asyncpg.connect(server.create_database("notes"))
            await admin.execute(f"CREATE ROLE app SUPERUSER LOGIN PASSWORD 'app'; {NOTES}")
            await admin.close()
        await asyncio.to_thread(standby.read_only, True)
        database = opened(f"postgresql://app:app@127.0.0.1:{standby.port},127.0.0.1:{postgres.port}/notes")

        # When it is written to
        await database.open()
        await database.run(lambda tx: add(tx, "first"))

        # Then it went to the primary
        primary = opened(database_at(postgres.url, "notes"))
        await primary.open()
        assert await numbers(primary) == {"first": 0}

        # And when the two change roles, the same pool follows
        await asyncio.to_thread(standby.read_only, False)
        await asyncio.to_thread(postgres.read_only, True)
        await database.run(lambda tx: add(tx, "second"))
        assert await numbers(database) == {"second": 0}
        await database.close()


async def test_a_migration_finds_the_server_that_writes(postgres: PostgresServer) -> None:
    # Given an address that names a standby first, and a primary without any table
    with PostgresServer() as standby:
        for server in (standby, postgres):
            admin = await asyncpg.connect(server.create_database("site"))
            await admin.execute("CREATE ROLE app SUPERUSER LOGIN PASSWORD 'app'")
            await admin.close()
        await asyncio.to_thread(standby.read_only, True)
        named = engine.TunedPostgres(f"postgresql://app:app@127.0.0.1:{standby.port},127.0.0.1:{postgres.port}/site")

        # When it is migrated
        await named.open()
        done = await migrate(named)

        # Then it is the primary that was
        assert done
        await named.close()
        primary = engine.TunedPostgres(database_at(postgres.url, "site"))
        await primary.open()
        await check_schema(primary)
        await primary.close()

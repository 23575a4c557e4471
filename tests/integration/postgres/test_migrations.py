"""Migrations beside a site that works: several at once, killed, blocked, interrupted, older code on a newer schema."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from statuette.kernel.db import migrator
from statuette.kernel.db import postgres as engine
from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import TunedPostgres, engine_for
from statuette.kernel.db.schema import MIGRATIONS, MigrationBlocked, UnknownSchema, applied, check_schema, migrate
from statuette.testing import FrozenClock
from statuette.testing.servers import PostgresServer
from tests.integration.road.faults import until
from tests.profiles import Profile
from tests.site import serving

EXPAND = """\
from statuette.kernel.db.columns import key, optional_text
from statuette.kernel.db.migrating import add_column, create_table, migration

ID = "{id}"


async def forwards():
    manager = migration(ID, "A later release")
    create_table(manager, "Fancy", "fancy_{number}", id=key())
    add_column(manager, "WorkItem", "work_item", "fancy_{number}", optional_text())
    return manager
"""
WIDER = """\
from statuette.kernel.db.columns import ident, optional_text
from statuette.kernel.db.migrating import add_column, migration

ID = "{id}"


async def forwards():
    manager = migration(ID, "A later release knows more of everything")
    for name in ("Generation", "Upload", "Figurine", "Deadline", "Account", "Session", "Attempt", "Brand"):
        add_column(manager, name, name.lower(), "fancy", optional_text())
        add_column(manager, name, name.lower(), "plain", ident())
    return manager
"""
CONTRACT = """\
from statuette.kernel.db.migrating import migration

ID = "{id}"
NEEDS_CODE = "{needs}"


async def forwards():
    manager = migration(ID, "Something is taken away")
    manager.drop_column(table_class_name="WorkItem", tablename="work_item", column_name="fancy_0900")
    return manager
"""
INDEXED = """\
from statuette.kernel.db.migrating import Index, migration

ID = "{id}"
INDEXES = (
    Index("note_plain", "note (number)"),
    Index("note_by_number", "note (number)", unique=True),
)


async def forwards():
    return migration(ID, "Indexes of a large table")
"""


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    """The address of an empty database."""
    return postgres.create_database("empty")


@pytest.fixture
async def admin(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


def release(folder: Path, upto: str, **later: str) -> Path:
    """The migrations of a release: ours up to `upto`, and later ones, by name."""
    folder.mkdir()
    for path in MIGRATIONS.glob("0*.py"):
        if path.stem <= upto:
            shutil.copy(path, folder)
    for name, text in later.items():
        (folder / f"{name[1:]}.py").write_text(text.format(id=name[1:], number=name[1:5], needs="0900_expand"))
    return folder


@pytest.fixture
async def old(url: str) -> AsyncIterator[TunedPostgres]:
    """The engine of a process."""
    opened = TunedPostgres(url)
    await opened.open()
    yield opened
    await opened.close()


async def statuette_migrate(url: str, folder: Path) -> asyncio.subprocess.Process:
    """The command, as a process of its own."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "statuette", "migrate"),
        cwd=folder,
        env={**os.environ, "DATABASE_URL": url, "STATUETTE_DATA_DIR": str(folder / "data")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_of_many_processes_that_migrate_at_once_one_does_it_and_the_others_wait(
    url: str, old: TunedPostgres, tmp_path: Path
) -> None:
    # Given a new database and four processes that start together
    processes = [await statuette_migrate(url, tmp_path) for _ in range(4)]

    # When all have ended
    told = [(await process.communicate())[0].decode() for process in processes]

    # Then all succeeded, and each step ran once
    assert [process.returncode for process in processes] == [0, 0, 0, 0], told
    steps = sorted(line.removeprefix("applied ") for text in told for line in text.splitlines() if "applied" in line)
    assert steps == sorted(await applied(old))
    await check_schema(old)


async def test_a_migration_that_is_killed_in_the_middle_is_done_by_the_next_one(
    url: str, admin: asyncpg.Connection, old: TunedPostgres, tmp_path: Path
) -> None:
    # Given a database of an older release, and a process that waits in the middle of the next step for a table in use
    await migrate(old, release(tmp_path / "older", "0002_indexes"))
    in_use = admin.transaction()
    await in_use.start()
    await admin.execute("LOCK TABLE work_item IN ACCESS SHARE MODE")
    killed = await statuette_migrate(url, tmp_path)

    async def waits() -> bool:
        async with old.reading() as watcher:
            return bool(
                await watcher.fetch(
                    "SELECT 1 AS found FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'",
                    {},
                )
            )

    await until(waits)

    # When it is killed
    killed.kill()
    await killed.communicate()
    await in_use.rollback()

    # Then nothing of the step is there, and the next process does all of it
    assert await applied(old) == {"0001_tables", "0002_indexes"}
    again = await statuette_migrate(url, tmp_path)
    told = (await again.communicate())[0].decode()
    assert again.returncode == 0 and "applied 0003_processes" in told, told
    await check_schema(old)


async def test_a_step_and_its_record_are_one(
    old: TunedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a process that dies between the step and its record
    class Died(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(migrator.Migration, "insert", die)
        with pytest.raises(Died):
            await migrate(old)

    # When the next one migrates, then it finds nothing in its way
    assert await applied(old) == set()
    assert "0001_tables" in await migrate(old)
    await check_schema(old)


async def test_a_migration_never_makes_the_site_wait_behind_a_long_query(
    url: str, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a report that reads a table for long, and a step that has to lock that table
    monkeypatch.setitem(engine._MIGRATION_SESSION, "lock_timeout", "300ms")
    monkeypatch.setattr(migrator, "_PAUSES_SECONDS", (0.2,) * 50)
    later = release(tmp_path / "later", "9", _0900_expand=EXPAND)
    migrating = TunedPostgres(url)
    await migrating.open()
    await migrate(migrating)
    report = admin.transaction()
    await report.start()
    await admin.fetch("SELECT COUNT(*) FROM work_item")

    # When the step is tried, again and again, while the site works on that table
    step = asyncio.create_task(migrate(migrating, later))
    waited: list[float] = []
    loop = asyncio.get_running_loop()
    until_seconds = loop.time() + 3
    async with migrating.reading() as site:
        while loop.time() < until_seconds:
            began = loop.time()
            await site.fetch("UPDATE work_item SET attempts = 0 WHERE id = 'none'", {})
            waited.append(loop.time() - began)

    # Then nobody waited for long, and the step is done when the report is
    assert not step.done()
    assert max(waited) < 1.0
    await report.rollback()
    assert await step == ["0900_expand"]
    await migrating.close()


async def test_a_step_that_never_gets_its_lock_gives_up_and_changes_nothing(
    url: str, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a transaction that stays open on a table
    monkeypatch.setitem(engine._MIGRATION_SESSION, "lock_timeout", "50ms")
    monkeypatch.setattr(migrator, "_PAUSES_SECONDS", (0.05, 0.05))
    migrating = TunedPostgres(url)
    await migrating.open()
    await migrate(migrating)
    before = await applied(migrating)
    forgotten = admin.transaction()
    await forgotten.start()
    await admin.fetch("SELECT COUNT(*) FROM work_item")

    # When a step needs it
    with pytest.raises(MigrationBlocked) as blocked:
        await migrate(migrating, release(tmp_path / "later", "9", _0900_expand=EXPAND))

    # Then that is told, with a cure, and nothing has changed
    assert "pg_stat_activity" in str(blocked.value) and blocked.value.retryable
    assert await applied(migrating) == before
    await forgotten.rollback()
    assert await admin.fetchval("SELECT to_regclass('fancy_0900')") is None
    await migrating.close()


async def test_an_index_is_built_while_the_table_is_written_to(notes: str, tmp_path: Path) -> None:
    # Given a table that a transaction has written to and not committed, which every index has to wait for
    writer, other = await asyncpg.connect(notes), await asyncpg.connect(notes)
    migrating = TunedPostgres(notes)
    await migrating.open()
    await migrate(migrating)
    open_transaction = writer.transaction()
    await open_transaction.start()
    await writer.execute("INSERT INTO note VALUES ('a', 1)")

    # When an index is being built
    building = asyncio.create_task(migrate(migrating, release(tmp_path / "later", "9", _0901_indexed=INDEXED)))

    async def waits() -> bool:
        return bool(
            await other.fetchval(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CREATE%note_plain%'"
            )
        )

    await until(waits)

    # Then others write on, and the index is there when all have ended
    await other.execute("INSERT INTO note VALUES ('b', 2)", timeout=1)
    assert not building.done()
    await open_transaction.commit()
    assert await building == ["0901_indexed"]
    assert await _indexes(other) == {"note_by_number": True, "note_plain": True}
    for connection in (writer, other):
        await connection.close()
    await migrating.close()


async def test_an_index_whose_building_was_interrupted_is_built_anew(notes: str, tmp_path: Path) -> None:
    # Given a table in which the second index of a step cannot be built, which leaves an invalid one
    admin = await asyncpg.connect(notes)
    await admin.execute("INSERT INTO note VALUES ('a', 1), ('b', 1)")
    migrating = TunedPostgres(notes)
    await migrating.open()
    later = release(tmp_path / "later", "9", _0901_indexed=INDEXED)
    with pytest.raises(asyncpg.UniqueViolationError):
        await migrate(migrating, later)
    assert await _indexes(admin) == {"note_by_number": False, "note_plain": True}
    assert "0901_indexed" not in await applied(migrating)
    first = await admin.fetchval("SELECT 'note_plain'::regclass::oid")

    # When the reason is gone and the step is run again
    await admin.execute("DELETE FROM note WHERE id = 'b'")
    assert await migrate(migrating, later) == ["0901_indexed"]

    # Then it is valid, and the first one, which was, has not been built twice
    assert await _indexes(admin) == {"note_by_number": True, "note_plain": True}
    assert await admin.fetchval("SELECT 'note_plain'::regclass::oid") == first
    await admin.close()
    await migrating.close()


async def _indexes(connection: asyncpg.Connection) -> dict[str, bool]:
    """Indexes of `note` beside its key, and whether each is valid."""
    rows = await connection.fetch(
        "SELECT indexrelid::regclass::text AS name, indisvalid FROM pg_index"
        " WHERE indrelid = 'note'::regclass AND NOT indisprimary"
    )
    return {row["name"]: row["indisvalid"] for row in rows}


@pytest.fixture(params=["sqlite", "postgresql"])
async def anywhere(request: pytest.FixtureRequest, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Database]:
    """A database on each engine, empty."""
    if request.param == "sqlite":
        where = f"sqlite:///{tmp_path}/statuette.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        where = server.create_database("anywhere")
    database = Database(engine_for(where), clock)
    await database.open()
    yield database
    await database.close()


async def test_older_code_starts_on_a_newer_schema_until_something_it_needs_was_taken_away(
    anywhere: Database, tmp_path: Path
) -> None:
    # Given three releases: ours, one that adds, and one that takes away what the second knows how to do without
    ours = MIGRATIONS
    second = release(tmp_path / "second", "9", _0900_expand=EXPAND)
    third = release(tmp_path / "third", "9", _0900_expand=EXPAND, _0901_contract=CONTRACT)
    await migrate(anywhere.engine)

    # When the second one has migrated
    with pytest.raises(UnknownSchema, match="0900_expand"):
        await check_schema(anywhere.engine, second)
    assert await migrate(anywhere.engine, second) == ["0900_expand"]

    # Then both start, and ours has nothing to migrate
    await check_schema(anywhere.engine, second)
    await check_schema(anywhere.engine, ours)
    assert await migrate(anywhere.engine, ours) == []

    # And when the third has, then the second still starts and ours says what is the matter
    assert await migrate(anywhere.engine, third) == ["0901_contract"]
    await check_schema(anywhere.engine, third)
    await check_schema(anywhere.engine, second)
    for refused in (check_schema, migrate):
        with pytest.raises(UnknownSchema, match="0901_contract") as told:
            await refused(anywhere.engine, ours)
        assert "Upgrade" in str(told.value)


@pytest.mark.parametrize("profile_name", ["cluster"], indirect=True)
async def test_a_site_of_the_older_version_works_on_while_the_schema_gets_newer_and_starts_on_it_again(
    tmp_path: Path, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a site that is at work, its statements prepared
    later = release(tmp_path / "later", "9", _0900_wider=WIDER)
    caplog.set_level(logging.INFO, "statuette")
    (tmp_path / "site").mkdir()
    async with serving(tmp_path / "site", profile) as site:
        await site.apply_brand()
        person = await site.person()
        photo = await person.upload()

        async def work() -> list[str]:
            states = [(await person.finished((await person.order(photo["id"]))["id"]))["state"] for _ in range(3)]
            assert (await person.http.get("/v1/figurines")).status_code == 200
            return states

        assert await work() == ["succeeded"] * 3

        # When a newer version migrates the database, and the older one works on
        migrating = TunedPostgres(profile.database_url)
        await migrating.open()
        assert await migrate(migrating, later) == ["0900_wider"]
        await migrating.close()

        # Then nothing fails, and no transaction has to be run again
        assert await work() == ["succeeded"] * 3
        assert (await person.http.get("/readyz")).status_code == 200
        assert "transaction_again" not in caplog.messages

    # And the older version starts on the newer schema
    (tmp_path / "again").mkdir()
    async with serving(tmp_path / "again", profile) as site:
        person = site.visitor()
        assert (await person.http.get("/readyz")).status_code == 200
        assert (await person.http.get("/v1/site")).status_code == 200


@pytest.mark.parametrize("command", ["serve", "worker", "scheduler", "findings"])
async def test_whoever_starts_before_the_first_migration_is_told_the_cure(
    url: str, tmp_path: Path, command: str
) -> None:
    # Given a database without any table
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "STATUETTE_PROFILE": "cluster",
        "STATUETTE_DATA_DIR": str(tmp_path / "data"),
        "STATUETTE_REDIS_URL": "redis://127.0.0.1:1/0",
        "STATUETTE_MASTER_KEY": base64.b64encode(bytes(32)).decode(),
        "STATUETTE_SHARED_DATA_DIR": "true",
    }

    # When a command is started on it
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "statuette", command),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await asyncio.wait_for(process.communicate(), 30))[0].decode()

    # Then it ends and says what to do, in a sentence
    assert process.returncode not in (0, None)
    assert "Run `statuette migrate`." in told
    assert "Traceback" not in told

"""Code of two versions works on one database while a deployment is upgraded, so a step of the schema adds and never takes
away, unless it says which code it needs (docs/how-to/upgrade.md)."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from statuette.kernel.db.engines import TunedPostgres
from statuette.kernel.db.history import Step, known, steps
from statuette.kernel.db.schema import MIGRATIONS, migrate
from statuette.testing.servers import database_at

FIRST = "0002_indexes"  # what came before was never deployed


class Column(msgspec.Struct, frozen=True):
    type: str
    may_be_left_out: bool


class Schema(msgspec.Struct, frozen=True):
    """A database's tables with their columns, and what restricts rows: indexes by name, (table, unique, definition)."""

    tables: dict[str, dict[str, Column]]
    indexes: dict[str, tuple[str, bool, str]]
    constraints: dict[str, tuple[str, str]]


@pytest.fixture
async def url(postgres_server: str) -> AsyncIterator[str]:
    name = f"steps_{uuid4().hex}"
    admin = await asyncpg.connect(postgres_server)
    await admin.execute(f"CREATE DATABASE {name}")
    yield database_at(postgres_server, name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def schema(connection: asyncpg.Connection) -> Schema:
    tables: dict[str, dict[str, Column]] = {}
    for row in await connection.fetch(
        "SELECT c.relname AS tablename, a.attname, format_type(a.atttypid, a.atttypmod) AS type,"
        " NOT a.attnotnull OR a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) NOT LIKE 'NULL%' AS may_be_left_out"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"
    ):
        tables.setdefault(row["tablename"], {})[row["attname"]] = Column(row["type"], bool(row["may_be_left_out"]))
    indexes = {
        row["name"]: (row["tablename"], row["indisunique"], row["definition"])
        for row in await connection.fetch(
            "SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS tablename, i.indisunique,"
            " pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " WHERE c.relnamespace = 'public'::regnamespace"
        )
    }
    constraints = {
        row["name"]: (row["tablename"], row["definition"])
        for row in await connection.fetch(
            "SELECT conname AS name, conrelid::regclass::text AS tablename, pg_get_constraintdef(oid) AS definition"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
        )
    }
    return Schema(tables, indexes, constraints)


def breaks(before: Schema, after: Schema, step: Step) -> list[str]:
    """What of a step code of the version before does not stand."""
    found = []
    for table, columns in before.tables.items():
        now = after.tables.get(table)
        if now is None:
            found.append(f"the table {table} is gone")
            continue
        for name, column in columns.items():
            if name not in now:
                found.append(f"{table}.{name} is gone")
            elif now[name].type != column.type:
                found.append(f"{table}.{name} was {column.type} and is {now[name].type}")
            elif column.may_be_left_out and not now[name].may_be_left_out:
                found.append(f"{table}.{name} has to be given now")
        found += [
            f"{table}.{name} is new and has to be given"
            for name, column in now.items()
            if name not in columns and not column.may_be_left_out
        ]
    for name, (table, unique, definition) in after.indexes.items():
        if table in before.tables and name not in before.indexes and unique:
            found.append(f"{name} makes {table} unique where it was not: {definition}")
    for name, (table, definition) in after.constraints.items():
        if table in before.tables and before.constraints.get(name) != (table, definition):
            found.append(f"{name} restricts {table}: {definition}")
    return [f"{step.id}: {what}" for what in found]


def blocks(before: Schema, after: Schema, step: Step) -> list[str]:
    """Indexes of tables that may be large by now which are built while nobody can write."""
    concurrent = {index.name for index in step.indexes}
    return [
        f"{step.id}: {name} on {table} is not among its INDEXES"
        for name, (table, _, _) in after.indexes.items()
        if name not in before.indexes and table in before.tables and name not in concurrent
    ]


async def test_every_step_leaves_the_code_before_it_working_or_says_what_code_it_needs(
    url: str, tmp_path: Path
) -> None:
    # Given a database at the first schema
    engine = TunedPostgres(url)
    await engine.open()
    admin = await asyncpg.connect(url)
    folder = tmp_path / "migrations"
    folder.mkdir()
    wrong: list[str] = []
    before: Schema | None = None
    for step in steps():
        # When one step after the other is applied
        shutil.copy(MIGRATIONS / f"{step.id}.py", folder)
        await migrate(engine, folder)
        after = await schema(admin)
        if before is not None and step.id > FIRST:
            # Then code that knows only the steps before goes on, or will be told not to start
            wrong += breaks(before, after, step) if step.needs_code is None else []
            wrong += blocks(before, after, step)
        before = after
    await admin.close()
    await engine.close()

    assert wrong == []


async def test_a_step_changes_tables_or_builds_indexes_and_needs_code_that_exists() -> None:
    for step in steps():
        manager = await step.forwards()
        if step.indexes or step.dropped_indexes:
            changes = (manager.add_tables, manager.drop_tables, manager.add_columns.add_columns, manager.raw)
            assert not any(changes), step.id
        assert step.needs_code is None or step.needs_code in known(), step.id


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("ALTER TABLE work_item DROP COLUMN queue", "work_item.queue is gone"),
        ("DROP TABLE lease", "the table lease is gone"),
        ("ALTER TABLE lease ADD COLUMN place text NOT NULL", "lease.place is new and has to be given"),
        ("ALTER TABLE lease ALTER COLUMN token TYPE integer", "lease.token was bigint and is integer"),
        ("ALTER TABLE work_item ALTER COLUMN lease SET NOT NULL", "work_item.lease has to be given now"),
        ("CREATE UNIQUE INDEX one_actor ON work_item (actor)", "one_actor makes work_item unique"),
        ("ALTER TABLE lease ADD CONSTRAINT positive CHECK (token > 0)", "positive restricts lease"),
    ],
)
async def test_what_breaks_older_code_is_noticed(url: str, change: str, complaint: str) -> None:
    # Given a database, and a step that does something it should not
    engine = TunedPostgres(url)
    await engine.open()
    await migrate(engine)
    admin = await asyncpg.connect(url)
    before = await schema(admin)
    await admin.execute(change)

    # When the two are compared, then that is named
    step = steps()[-1]
    assert any(complaint in found for found in breaks(before, await schema(admin), step))
    if "INDEX" in change:
        assert blocks(before, await schema(admin), step) != []
    await admin.close()
    await engine.close()

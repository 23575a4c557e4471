"""What a migration is written with: tables as lists of column kinds, and plain SQL for what Piccolo does not know.

The kinds in `statuette.kernel.db.columns` are part of every migration ever shipped: a kind never changes its meaning; a new
need gets a new kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Column
from piccolo.engine import engine_finder

APP = "statuette"


class Index(msgspec.Struct, frozen=True):
    """An index that is built while the site works. A migration that has some lists them as `INDEXES` and does nothing else.

    Attributes:
        name: unique in the schema.
        on: table and columns, and a condition if there is one, such as `work_item (due_at) WHERE lease IS NULL`.
    """

    name: str
    on: str
    unique: bool = False

    def statement(self, *, concurrently: bool) -> str:
        kind = "UNIQUE INDEX" if self.unique else "INDEX"
        how = "CONCURRENTLY " if concurrently else ""
        return f"CREATE {kind} {how}IF NOT EXISTS {self.name} ON {self.on}"


def migration(migration_id: str, description: str) -> MigrationManager:
    return MigrationManager(migration_id=migration_id, app_name=APP, description=description)


def create_table(manager: MigrationManager, class_name: str, tablename: str, **columns: Column) -> None:
    """Create a table, one keyword a column."""
    manager.add_table(class_name=class_name, tablename=tablename)
    for name, column in columns.items():
        add_column(manager, class_name, tablename, name, column)


def add_column(manager: MigrationManager, class_name: str, tablename: str, name: str, column: Column) -> None:
    """Add a column to a table."""
    manager.add_column(
        table_class_name=class_name,
        tablename=tablename,
        column_name=name,
        column_class=type(column),
        column_class_name=type(column).__name__,
        params=dict(column._meta.params),
    )


def run_sql(manager: MigrationManager, statements: Sequence[str]) -> None:
    """Run statements that both engines understand. Piccolo runs them first, before it changes tables."""

    async def run() -> None:
        engine = engine_finder()
        assert engine is not None, "migrations run inside piccolo_works_on"
        for statement in statements:
            await engine.run_ddl(statement)

    manager.add_raw(run)

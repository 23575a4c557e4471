"""Whether a person wants a letter when their job ends."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import flag
from statuette.kernel.db.migrating import add_column, migration

ID = "0004_notify"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Letters about ended jobs")
    add_column(manager, "Generation", "generation", "notify", flag())
    return manager

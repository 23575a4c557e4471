"""Processes that prove to be alive once for all they hold, instead of a time limit on every single item of work."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, optional_ident
from statuette.kernel.db.migrating import add_column, create_table, migration

ID = "0003_processes"
NEEDS_CODE = ID  # a lease without the process that took it would never end


async def forwards() -> MigrationManager:
    manager = migration(ID, "Processes")
    create_table(
        manager,
        "Process",
        "process",
        id=key(),
        role=ident(),
        host=ident(),
        started_at=moment(),
        alive_until=moment(),
    )
    add_column(manager, "WorkItem", "work_item", "held_by", optional_ident())
    manager.drop_column(table_class_name="WorkItem", tablename="work_item", column_name="lease_until")
    return manager

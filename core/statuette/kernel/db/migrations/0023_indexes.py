"""Indexes of deadlines that a guard stopped, and of open findings."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0023_indexes"

INDEXES = (
    Index("deadline_stopped", "deadline (id) WHERE state = 'stopped'"),
    Index("finding_open", "finding (code) WHERE resolved_at IS NULL"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

"""Indexes of who uncovered what of whom."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0027_indexes"

INDEXES = (
    Index("reveal_by_age", "reveal (created_at)"),
    Index("reveal_of_account", "reveal (account_id, id)"),
    Index("reveal_of_brand", "reveal (brand_id, id)"),
    Index("reveal_of_record", "reveal (record_id, id)"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

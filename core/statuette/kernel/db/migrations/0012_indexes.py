"""Indexes of holds, and of deadlines that wait for somebody's decision."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0012_indexes"

INDEXES = (
    Index("legal_hold_in_force", "legal_hold (brand_id, subject) WHERE lifted_at IS NULL"),
    Index("legal_hold_of_brand", "legal_hold (brand_id, id)"),
    Index("deadline_held", "deadline (hold_id) WHERE state = 'held'"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

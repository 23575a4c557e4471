"""Indexes of plans."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0014_indexes"

INDEXES = (
    Index("enforcement_plan_of_brand", "enforcement_plan (brand_id, id)"),
    Index("enforcement_plan_under_way", "enforcement_plan (brand_id, id) WHERE state = 'approved'"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

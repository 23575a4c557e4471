"""Indexes of what people did here, and of the weeks of it."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0025_indexes"

INDEXES = (
    Index("usage_event_by_age", "usage_event (created_at)"),
    Index("usage_event_of_account", "usage_event (account_id)"),
    Index("usage_event_of_brand", "usage_event (brand_id, created_at)"),
    Index("usage_week_of_brand", "usage_week (brand_id, week)"),
    Index("usage_week_to_fold", "usage_week (ends_at) WHERE folded_at IS NULL"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

"""Indexes of takedowns, and of pictures by their bytes."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0019_indexes"

INDEXES = (
    Index("figurine_of_bytes", "figurine (sha256)"),
    Index("upload_of_bytes", "upload (sha256)"),
    Index("takedown_case_of_brand", "takedown_case (brand_id, id)"),
    Index("takedown_case_due", "takedown_case (next_at) WHERE next_at IS NOT NULL"),
    Index("takedown_case_old", "takedown_case (created_at) WHERE next_at IS NULL"),
    Index("takedown_picture_of_case", "takedown_picture (case_id)"),
    Index("takedown_picture_of_account", "takedown_picture (account_id, id)"),
    Index("takedown_picture_of_record", "takedown_picture (record_id)"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

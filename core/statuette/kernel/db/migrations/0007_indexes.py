"""Indexes of receipts, and of what they say of providers."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0007_indexes"

INDEXES = (
    Index("generation_input_of_figurine", "generation_input (figurine_id) WHERE figurine_id IS NOT NULL"),
    Index("receipt_of_account", "receipt (account_id, id)"),
    Index("receipt_unsealed", "receipt (id) WHERE entry IS NULL"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

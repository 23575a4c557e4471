"""Indexes for statements that read a table, and for those whose cost grew with what is over."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0005_indexes"

INDEXES = (
    Index("credit_lot_of_account", "credit_lot (account_id)"),
    Index("finding_by_brand", "finding (brand_id, id)"),
    Index("generation_unfinished_of_account", "generation (account_id) WHERE finished_at IS NULL"),
    Index("work_item_held", "work_item (held_by) WHERE held_by IS NOT NULL"),
    Index("work_item_waiting", "work_item (queue, sent_at, due_at) WHERE lease IS NULL"),
)
DROPPED_INDEXES = ("credit_lot_by_account", "generation_input_by_figurine", "work_item_due")


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

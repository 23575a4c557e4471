"""Indexes of the erasure journal's marks and notes."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0016_indexes"

INDEXES = (
    Index("journal_mark_at", "journal_mark (at)"),
    Index("journal_mark_destroyed", "journal_mark (destroyed_at) WHERE destroyed_at IS NOT NULL"),
    Index("journal_note_at", "journal_note (created_at)"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

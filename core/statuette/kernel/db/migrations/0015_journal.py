"""What the database knows of the erasure journal, and when backups were made and tried."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, text, whole
from statuette.kernel.db.migrating import create_table, migration

ID = "0015_journal"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Erasure journal")
    create_table(
        manager,
        "JournalMark",
        "journal_mark",
        id=key(),
        upto=whole(),
        at=moment(),
        destroyed=optional_ident(),
        destroyed_at=optional_moment(),
    )
    create_table(manager, "JournalNote", "journal_note", id=key(), body=text(), created_at=moment())
    create_table(manager, "Upkeep", "upkeep", id=key(), at=moment(), detail=ident())
    return manager

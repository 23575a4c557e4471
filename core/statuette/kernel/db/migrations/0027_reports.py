"""Audit reports that are kept."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, text, whole
from statuette.kernel.db.migrating import create_table, migration

ID = "0027_reports"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Reports")
    create_table(
        manager,
        "StoredReport",
        "audit_report",
        id=key(),
        made_at=moment(),
        causes=ident(),
        entries=whole(),
        digest=ident(),
        body=text(),
    )
    return manager

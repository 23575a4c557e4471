"""How far each anchor of the evidence log is."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import key, moment, whole
from statuette.kernel.db.migrating import create_table, migration

ID = "0022_anchor"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Anchor")
    create_table(manager, "EvidenceAnchor", "evidence_anchor", name=key(), size=whole(), at=moment())
    return manager

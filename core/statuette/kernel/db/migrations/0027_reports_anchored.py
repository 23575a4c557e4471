"""Which audit report an anchor has last."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import optional_ident
from statuette.kernel.db.migrating import add_column, migration

ID = "0027_reports_anchored"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Reports anchored")
    add_column(manager, "EvidenceAnchor", "evidence_anchor", "report", optional_ident())
    return manager

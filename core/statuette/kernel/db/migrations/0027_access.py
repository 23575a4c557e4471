"""Who uncovered what of whom, and the role of a key."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, optional_ident
from statuette.kernel.db.migrating import add_column, create_table, migration

ID = "0027_access"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Access")
    create_table(
        manager,
        "Reveal",
        "reveal",
        id=key(),
        brand_id=ident(),
        account_id=optional_ident(),
        subject=ident(),
        record_id=ident(),
        actor=ident(),
        reason=ident(),
        created_at=moment(),
    )
    add_column(manager, "ApiKey", "api_key", "role", optional_ident())
    return manager

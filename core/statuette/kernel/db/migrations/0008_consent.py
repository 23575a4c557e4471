"""How a decision came about and who decided, and the texts that people decided on."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, optional_ident, text
from statuette.kernel.db.migrating import add_column, create_table, migration

ID = "0008_consent"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Consent")
    add_column(manager, "ConsentRecord", "consent_record", "method", optional_ident())
    add_column(manager, "ConsentRecord", "consent_record", "decided_by", optional_ident())
    create_table(
        manager,
        "ConsentText",
        "consent_text",
        id=key(),
        purpose=ident(),
        locale=ident(),
        body=text(),
        created_at=moment(),
    )
    return manager

"""The evidence log, and what a deadline keeps for its receipt."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import (
    ident,
    key,
    moment,
    octets,
    optional_ident,
    optional_moment,
    optional_octets,
    optional_text,
    optional_whole,
    position,
    small,
    text,
    whole,
)
from statuette.kernel.db.migrating import add_column, create_table, migration

ID = "0006_evidence"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Evidence")
    create_table(
        manager,
        "Receipt",
        "receipt",
        id=key(),
        brand_id=ident(),
        account_id=optional_ident(),
        record_id=optional_ident(),
        salt=optional_octets(),
        deadline_id=ident(),
        body=text(),
        entry=optional_whole(),
        created_at=moment(),
    )
    create_table(manager, "EvidenceEntry", "evidence_entry", sequence=position(), body=text())
    create_table(manager, "EvidenceTile", "evidence_tile", id=key(), level=small(), number=whole(), hashes=octets())
    create_table(
        manager,
        "EvidenceHead",
        "evidence_head",
        size=position(),
        log=ident(),
        root=ident(),
        at=moment(),
        public_key=ident(),
        signature=text(),
    )
    add_column(manager, "Deadline", "deadline", "intent_at", optional_moment())
    add_column(manager, "Deadline", "deadline", "erased_at", optional_moment())
    add_column(manager, "Deadline", "deadline", "outcomes", optional_text())
    return manager

"""What people ask for by right, what stops a use of their data, who holds the receipt of an erasure, and who returns after one."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ciphertext, ident, key, moment, optional_ident, optional_moment
from statuette.kernel.db.migrating import add_column, create_table, migration

ID = "0020_rights"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Rights")
    create_table(
        manager,
        "PrivacyRequest",
        "privacy_request",
        id=key(),
        brand_id=ident(),
        account_id=ident(),
        kind=ident(),
        state=ident(),
        subject=optional_ident(),
        reason=optional_ident(),
        statement=ciphertext(),
        contact=ciphertext(),
        holder=optional_ident(),
        policy_digest=ident(),
        asked_at=moment(),
        due_at=moment(),
        effective_at=optional_moment(),
        closed_at=optional_moment(),
        warned=optional_ident(),
    )
    create_table(
        manager,
        "PrivacyRequestEvent",
        "privacy_request_event",
        id=key(),
        brand_id=ident(),
        request_id=ident(),
        action=ident(),
        actor=ident(),
        reason=optional_ident(),
        created_at=moment(),
    )
    create_table(
        manager,
        "ProcessingStop",
        "processing_stop",
        id=key(),
        brand_id=ident(),
        account_id=ident(),
        purpose=ident(),
        reason=ident(),
        request_id=ident(),
        created_at=moment(),
    )
    create_table(
        manager,
        "ReceiptHolder",
        "receipt_holder",
        account_id=key(),
        brand_id=ident(),
        holder=ident(),
        subject=ident(),
        account=ident(),
        created_at=moment(),
    )
    create_table(manager, "Tombstone", "tombstone", id=key(), brand_id=ident(), created_at=moment())
    add_column(manager, "Receipt", "receipt", "holder", optional_ident())
    add_column(manager, "Session", "session", "confirmed_at", optional_moment())
    return manager

"""Requests to take pictures down."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import (
    ciphertext,
    ident,
    key,
    moment,
    optional_ident,
    optional_moment,
    optional_octets,
)
from statuette.kernel.db.migrating import create_table, migration

ID = "0018_takedowns"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Takedowns")
    create_table(
        manager,
        "TakedownCase",
        "takedown_case",
        id=key(),
        brand_id=ident(),
        state=ident(),
        reason=ident(),
        contact=ciphertext(),
        message=optional_octets(),
        locale=ident(),
        token_hash=ident(),
        decide_by=moment(),
        next_at=optional_moment(),
        decided_by=optional_ident(),
        decided_at=optional_moment(),
        created_at=moment(),
    )
    create_table(
        manager,
        "TakedownPicture",
        "takedown_picture",
        id=key(),
        brand_id=ident(),
        case_id=ident(),
        account_id=ident(),
        dataset=ident(),
        record_id=ident(),
        outcome=ident(),
        appeal=optional_octets(),
        appealed_at=optional_moment(),
        created_at=moment(),
    )
    return manager

"""Questions that people ask, what is said about them, and what is attached."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import (
    ciphertext,
    ident,
    key,
    moment,
    optional_ident,
    optional_moment,
    small,
)
from statuette.kernel.db.migrating import create_table, migration

ID = "0026_support"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Questions")
    create_table(
        manager,
        "SupportQuestion",
        "support_question",
        id=key(),
        brand_id=ident(),
        account_id=optional_ident(),
        state=ident(),
        category=ident(),
        contact=ciphertext(),
        subject=ciphertext(),
        locale=ident(),
        token_hash=optional_ident(),
        attachments=small(),
        closes_at=optional_moment(),
        closed_at=optional_moment(),
        created_at=moment(),
    )
    create_table(
        manager,
        "SupportEntry",
        "support_entry",
        id=key(),
        brand_id=ident(),
        question_id=ident(),
        number=small(),
        action=ident(),
        actor=ident(),
        text=ciphertext(),
        created_at=moment(),
    )
    create_table(
        manager,
        "SupportAttachment",
        "support_attachment",
        id=key(),
        brand_id=ident(),
        question_id=ident(),
        media_type=ident(),
        size_bytes=small(),
        sha256=ident(),
        created_at=moment(),
    )
    return manager

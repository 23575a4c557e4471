"""Indexes of questions, of what is said about them, and of what is attached."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0026_support_indexes"

INDEXES = (
    Index("support_question_of_brand", "support_question (brand_id, id)"),
    Index("support_question_of_account", "support_question (account_id, id)"),
    Index("support_question_to_close", "support_question (closes_at) WHERE closes_at IS NOT NULL"),
    Index("support_entry_of_question", "support_entry (question_id, number)"),
    Index("support_attachment_of_question", "support_attachment (question_id, id)"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

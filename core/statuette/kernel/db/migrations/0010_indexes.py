"""Indexes of the letters about published policies."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0010_indexes"

INDEXES = (
    Index("policy_notice_of_account", "policy_notice (account_id)"),
    Index("policy_notice_of_version", "policy_notice (version_id, state)"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")

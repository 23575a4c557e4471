"""Published versions of policies, and the letters about them."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, small, text
from statuette.kernel.db.migrating import create_table, migration

ID = "0009_notices"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Notices")
    create_table(
        manager,
        "PolicyVersion",
        "policy_version",
        id=key(),
        brand_id=ident(),
        number=small(),
        digest=ident(),
        body=text(),
        notices=text(),
        change=ident(),
        changes=text(),
        asks=text(),
        receivers=text(),
        approved_by=ident(),
        published_at=moment(),
        effective_at=moment(),
        announced_upto=optional_ident(),
        announced_at=optional_moment(),
    )
    create_table(
        manager,
        "PolicyNotice",
        "policy_notice",
        id=key(),
        brand_id=ident(),
        account_id=ident(),
        version_id=ident(),
        state=ident(),
        created_at=moment(),
        ended_at=optional_moment(),
    )
    return manager

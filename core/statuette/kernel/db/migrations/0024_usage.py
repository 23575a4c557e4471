"""What people did here, and by week how many did the same."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, optional_moment, whole
from statuette.kernel.db.migrating import create_table, migration

ID = "0024_usage"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Usage")
    create_table(
        manager,
        "UsageEvent",
        "usage_event",
        id=key(),
        brand_id=ident(),
        account_id=ident(),
        kind=ident(),
        style=ident(),
        page=ident(),
        level=ident(),
        browser=ident(),
        system=ident(),
        network=ident(),
        created_at=moment(),
    )
    create_table(
        manager,
        "UsageWeek",
        "usage_week",
        id=key(),
        brand_id=ident(),
        week=ident(),
        ends_at=moment(),
        counted_at=moment(),
        folded_at=optional_moment(),
    )
    create_table(
        manager,
        "UsageCell",
        "usage_cell",
        id=key(),
        brand_id=ident(),
        week=ident(),
        kind=ident(),
        style=ident(),
        page=ident(),
        level=ident(),
        browser=ident(),
        system=ident(),
        accounts=whole(),
        events=whole(),
    )
    return manager

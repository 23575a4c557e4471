"""Plans for what a changed policy does to deadlines that exist."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, text, whole
from statuette.kernel.db.migrating import create_table, migration

ID = "0013_plans"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Plans")
    create_table(
        manager,
        "EnforcementPlan",
        "enforcement_plan",
        id=key(),
        brand_id=ident(),
        policy_digest=ident(),
        state=ident(),
        forecast=text(),
        created_by=ident(),
        created_at=moment(),
        approved_by=optional_ident(),
        approved_at=optional_moment(),
        moved=whole(),
        last_id=ident(),
        ended_at=optional_moment(),
    )
    return manager

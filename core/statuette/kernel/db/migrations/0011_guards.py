"""What guards deletions: the moment that a deadline was forecast for, legal holds, and the latest moment seen."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment
from statuette.kernel.db.migrating import add_column, create_table, migration

ID = "0011_guards"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Guards")
    add_column(manager, "Deadline", "deadline", "armed_at", optional_moment())
    add_column(manager, "Deadline", "deadline", "forecast_at", optional_moment())
    add_column(manager, "Deadline", "deadline", "begun_at", optional_moment())
    add_column(manager, "Deadline", "deadline", "hold_id", optional_ident())
    create_table(
        manager,
        "LegalHold",
        "legal_hold",
        id=key(),
        brand_id=ident(),
        subject=ident(),
        reason=ident(),
        reference=ident(),
        placed_by=ident(),
        placed_at=moment(),
        lifted_by=optional_ident(),
        lifted_at=optional_moment(),
    )
    create_table(manager, "TimeMark", "time_mark", name=key(), at=moment())
    return manager

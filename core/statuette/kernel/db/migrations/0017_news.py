"""News by mail."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, small, text
from statuette.kernel.db.migrating import create_table, migration

ID = "0017_news"


async def forwards() -> MigrationManager:
    manager = migration(ID, "News")
    create_table(
        manager,
        "NewsLetter",
        "news_letter",
        id=key(),
        brand_id=ident(),
        texts=text(),
        created_by=ident(),
        created_at=moment(),
        upto=optional_ident(),
        prepared=small(),
        prepared_at=optional_moment(),
    )
    return manager

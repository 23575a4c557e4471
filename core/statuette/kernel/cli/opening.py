"""What commands open and must close again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import check_schema, migrate
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.settings import Settings
from statuette.values import SystemClock


@asynccontextmanager
async def opened_database(settings: Settings, *, checked: bool = True) -> AsyncIterator[Database]:
    """The database of the settings; with `checked`, only at this version's schema."""
    database = Database(engine_for(settings.database_url), SystemClock())
    try:
        await database.open()
        if checked:
            if settings.profile == "embedded":
                await migrate(database.engine)  # as the server does: nobody has to think of it
            await check_schema(database.engine)
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def opened_plugins(settings: Settings) -> AsyncIterator[PluginRegistry]:
    """The plugins of the settings, whatever these choose among them."""
    registry = PluginRegistry.survey(settings, SystemClock())
    try:
        yield registry
    finally:
        await registry.aclose()


@asynccontextmanager
async def composed(platform: Platform) -> AsyncIterator[Database]:
    """The database and the plugins of a platform that does not run, at this version's schema."""
    try:
        await platform.database.open()
        if platform.settings.profile == "embedded":
            await migrate(platform.database.engine)
        await check_schema(platform.database.engine)
        yield platform.database
    finally:
        await platform.database.close()
        await platform.plugins.aclose()

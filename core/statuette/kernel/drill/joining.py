"""How a drill gets a platform that works: as the only process, or beside those that serve."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from statuette.errors import ConfigurationError
from statuette.kernel.cli.serve import only_process
from statuette.kernel.clock import DatabaseClock
from statuette.kernel.db.schema import check_schema
from statuette.kernel.platform import Platform
from statuette.kernel.running import Role, running


@asynccontextmanager
async def joined(platform: Platform) -> AsyncIterator[str]:
    """Open the platform for a drill; yields who does the work.

    Raises:
        ConfigurationError: nobody is there who would.
    """
    if platform.settings.profile == "cluster":
        async with running(platform, frozenset({Role.api})):
            await _somebody_works(platform)
            await platform.brands.refresh()
            yield "the processes of the cluster"
        return
    async with AsyncExitStack() as stack:
        try:
            stack.enter_context(only_process(platform.settings.data_dir))
        except ConfigurationError:
            await stack.enter_async_context(_beside(platform))
            await _somebody_works(platform)
            who = "the process that serves"
        else:
            await stack.enter_async_context(running(platform))
            who = "the drill itself, since nothing serves"
        await platform.brands.refresh()
        yield who


@asynccontextmanager
async def _beside(platform: Platform) -> AsyncIterator[None]:
    """Beside the one process of an embedded deployment: with requests of one's own, and none of its work."""
    async with AsyncExitStack() as stack:
        await platform.database.open()
        stack.push_async_callback(platform.database.close)
        await check_schema(platform.database.engine)
        if isinstance(platform.clock, DatabaseClock):
            await platform.clock.start(platform.database)
            stack.push_async_callback(platform.clock.stop)
        stack.push_async_callback(platform.plugins.aclose)
        await platform.presence.start("drill")
        stack.push_async_callback(platform.presence.stop)
        stack.push_async_callback(platform.journal.stop)
        await platform.pixels.start()
        stack.push_async_callback(platform.pixels.aclose)
        yield


async def _somebody_works(platform: Platform) -> None:
    """Raises `ConfigurationError` unless the scheduler ticks, now or in a moment."""
    for _ in range(20):
        async with platform.database.read() as reader:
            if await reader.value(
                "SELECT 1 AS ticks FROM lease WHERE name = 'scheduler' AND until > :now", now=reader.now
            ):
                return
        await asyncio.sleep(0.5)
    raise ConfigurationError(
        "Nobody keeps deadlines: the drill would wait for ever.",
        cure="Start `statuette worker` and `statuette scheduler`, or `statuette serve`.",
    )

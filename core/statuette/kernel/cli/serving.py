"""The API process of the cluster profile, on Granian."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from statuette.errors import StatuetteError
from statuette.kernel.cli.open_files import connections_allowed
from statuette.kernel.cli.process import ready
from statuette.kernel.cli.stopping import Stop
from statuette.kernel.http.application import http_app
from statuette.kernel.platform import Platform
from statuette.kernel.running import Role, running

_BACKLOG = 1024
_STARTS_WITHIN_SECONDS = 60
_log = logging.getLogger(__name__)


async def serve(platform: Platform) -> None:
    """Answer until asked to stop. Then: say so on `/readyz`, go on for `drain_seconds`, take no more, finish what is in hand.

    Several processes may listen on the same address; the system spreads connections over them (SO_REUSEPORT).
    """
    stop = Stop()
    # Granian goes on serving when an application fails to start, so the platform is started around it, not by it.
    async with running(platform, frozenset({Role.api})), answering(platform) as serving:
        stopping = asyncio.create_task(stop.wait())
        ready(platform, "api")
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            platform.lifecycle.drain()
            await asyncio.sleep(platform.settings.drain_seconds)


@asynccontextmanager
async def answering(platform: Platform) -> AsyncIterator[asyncio.Task[None]]:
    """Listen for a platform that has been started; at the end take no more, and give `stop_seconds` to what is in hand.

    Yields the task that serves, once the address answers; should it end before the block does, its error is raised at the end.
    """
    settings = platform.settings
    server = Server(
        http_app(platform),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=131_072),
        websockets=False,
        backlog=_BACKLOG,
        backpressure=connections_allowed(settings.max_connections),
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve(), name="granian")
    await _until_it_answers(platform, serving)
    try:
        yield serving
    finally:
        if not serving.done():
            server.stop()  # type: ignore[no-untyped-call]
        try:
            await asyncio.wait_for(serving, settings.stop_seconds)
        except TimeoutError:
            _log.warning("requests_cut_off")


async def _until_it_answers(platform: Platform, serving: asyncio.Task[None]) -> None:
    """Raises what kept it from that."""
    host = "127.0.0.1" if platform.settings.host in ("0.0.0.0", "") else platform.settings.host  # noqa: S104
    async with asyncio.timeout(_STARTS_WITHIN_SECONDS):
        while True:
            if serving.done():
                serving.result()
                raise StatuetteError("The server ended while it started.")
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(host, platform.settings.port)
                writer.close()
                return
            await asyncio.sleep(0.05)

"""The API process of the cluster profile, on Granian."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from statuette.errors import StatuetteError
from statuette.kernel.app import http_app
from statuette.kernel.cli.process import ready
from statuette.kernel.cli.stopping import Stop
from statuette.kernel.platform import Platform
from statuette.kernel.running import Role, running

_BACKLOG = 1024
_STARTS_WITHIN_SECONDS = 60
_log = logging.getLogger(__name__)


async def serve(platform: Platform) -> None:
    """Answer until asked to stop. Then: say so on `/readyz`, go on for `drain_seconds`, take no more, finish what is in hand.

    Several processes may listen on the same address; the system spreads connections over them (SO_REUSEPORT).
    """
    settings = platform.settings
    stop = Stop()
    # Granian goes on serving when an application fails to start, so the platform is started around it, not by it.
    async with running(platform, frozenset({Role.api})):
        server = Server(
            http_app(platform),
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=131_072),
            websockets=False,
            backlog=_BACKLOG,
            backpressure=_BACKLOG,
            log_enabled=False,
        )
        serving = asyncio.create_task(server.serve(), name="granian")
        stopping = asyncio.create_task(stop.wait())
        await _answering(platform, serving)
        ready(platform, "api")
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            platform.lifecycle.drain()
            await asyncio.sleep(settings.drain_seconds)
            server.stop()  # type: ignore[no-untyped-call]
        try:
            await asyncio.wait_for(serving, settings.stop_seconds)
        except TimeoutError:
            _log.warning("requests_cut_off")


async def _answering(platform: Platform, serving: asyncio.Task[None]) -> None:
    """Return once the address answers; raise what kept it from that."""
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

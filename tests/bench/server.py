"""A server process for a measurement: `python -m tests.bench.server platform|bare DATABASE_URL FOLDER [OTLP_ENDPOINT [SAMPLING]]`.

Prints one JSON line with its port and what the client needs, then serves until its input ends.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import warnings
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import uvicorn
import uvloop
from litestar import Litestar, get

from statuette.kernel import telemetry
from statuette.testing.scripted_image import Hang, ScriptedImageProvider
from tests.profiles import embedded
from tests.site import serving


async def platform(database_url: str, folder: Path, otlp_endpoint: str | None = None, sampling: str = "0.05") -> None:
    """The real application with one account, one finished job and credits. Its worker hangs, so that it stays out of the way."""
    telemetry.configure(otlp_endpoint=otlp_endpoint, sampling=float(sampling))
    async with serving(folder, embedded(database_url), scripted=ScriptedImageProvider(), worker_concurrency=1) as site:
        await site.apply_brand(ceiling="1000000.00", limits_in_flight=100_000)
        person = await site.person(credits=1_000_000)
        upload = await person.upload()
        job = await person.finished((await person.order(upload["id"]))["id"])
        site.scripted.default = Hang()
        await person.order(upload["id"])
        await site.scripted.wait_for_calls(2)
        port = int(site.url.rsplit(":", 1)[1])
        _say(port=port, token=person.http.headers["Authorization"], job=job["id"], upload=upload["id"])
        await _until_input_ends()


class Row(msgspec.Struct):
    id: str
    state: str
    style: str
    created_at: str


async def bare(database_url: str, folder: Path) -> None:
    """One Litestar handler that does one asyncpg SELECT."""
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=10, reset=_keep)

    @get("/generation/{generation_id:str}")
    async def read(generation_id: str) -> Row:
        row = await pool.fetchrow("SELECT id, state, style, created_at FROM generation WHERE id = $1", generation_id)
        return Row(row["id"], row["state"], row["style"], row["created_at"].isoformat())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = Litestar([read], openapi_config=None)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    _say(port=listening.getsockname()[1])
    await _until_input_ends()
    server.should_exit = True
    await task
    await pool.close()


async def _keep(connection: asyncpg.Connection) -> None:
    """No round trip to reset a connection, as with ours."""


def _say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def _until_input_ends() -> None:
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    kinds: dict[str, Any] = {"platform": platform, "bare": bare}
    uvloop.run(kinds[sys.argv[1]](sys.argv[2], Path(sys.argv[3]), *sys.argv[4:]))

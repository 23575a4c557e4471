"""A PostgreSQL and server processes for the length of a measurement."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from statuette.testing.servers import PostgresServer


@contextmanager
def database() -> Iterator[str]:
    """The address of an empty database, as durable as in production."""
    with PostgresServer() as server:
        yield server.url


@asynccontextmanager
async def server(kind: str, database_url: str, folder: str, *arguments: str) -> AsyncIterator[dict[str, Any]]:
    """A server process; yields what it printed when it was ready, and its `pid`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.server", kind, database_url, folder, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield {**json.loads(await asyncio.wait_for(process.stdout.readline(), 60)), "pid": process.pid}
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 30)
        except TimeoutError:
            process.kill()

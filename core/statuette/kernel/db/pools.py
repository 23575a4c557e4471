"""A pool of PostgreSQL connections for each event loop, since a connection works on the loop that opened it and on no other.

The server's loop has one; a worker that runs its jobs on a loop of its own, in another thread, gets a second one by using the
database there.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import asyncpg

from statuette.kernel.db.errors import DatabaseUnavailable

_CLOSING_SECONDS = 10.0


class LoopPools:
    """Pools by event loop, each with at most `size` connections. Used from several threads."""

    def __init__(self, url: str, size: int, session: dict[str, str], *, connect_seconds: float, command_seconds: float):
        self._url = url
        self._size = size
        self._options: dict[str, Any] = {
            "server_settings": session,
            "timeout": connect_seconds,
            # The server ends what takes too long; this is for a server, or a network, that does not answer any more.
            "command_timeout": command_seconds,
        }
        self._lock = threading.Lock()
        self._pools: dict[asyncio.AbstractEventLoop, asyncpg.Pool] = {}
        self._open = False

    def open(self) -> None:
        self._open = True

    async def of_this_loop(self) -> asyncpg.Pool:
        """The running loop's pool. Its connections are made when they are needed. Raises `DatabaseUnavailable` after `close`."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        return pool if pool is not None else await self._made(loop)

    async def _made(self, loop: asyncio.AbstractEventLoop) -> asyncpg.Pool:
        if not self._open:
            raise DatabaseUnavailable("The database is not open.")
        pool = asyncpg.create_pool(
            self._url, min_size=0, max_size=self._size, connect=_connected, reset=_reset, **self._options
        )
        await pool
        with self._lock:
            # A loop that has ended took its connections along.
            self._pools = {each: made for each, made in self._pools.items() if not each.is_closed()}
            return self._pools.setdefault(loop, pool)

    async def leave_loop(self) -> None:
        """Close the running loop's pool, for a loop that ends before the process does."""
        with self._lock:
            pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await _closed(pool)

    async def close(self) -> None:
        """Close every pool, each on its own loop."""
        with self._lock:
            self._open = False
            pools, self._pools = self._pools, {}
        for loop, pool in pools.items():
            if loop is asyncio.get_running_loop():
                await _closed(pool)
            elif loop.is_running():
                there = asyncio.run_coroutine_threadsafe(_closed(pool), loop)
                await asyncio.wait({asyncio.ensure_future(asyncio.wrap_future(there))}, timeout=_CLOSING_SECONDS)


async def _closed(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await pool.close()
    except TimeoutError:  # somebody still holds a connection; it has been cut by now
        pass


async def _connected(*arguments: Any, **options: Any) -> Any:
    """A connection to the server that takes writes. While there is none, as in the middle of a failover, one that reads."""
    try:
        return await asyncpg.connect(*arguments, target_session_attrs="read-write", **options)
    except asyncpg.exceptions.TargetServerAttributeNotMatched:
        return await asyncpg.connect(*arguments, target_session_attrs="any", **options)


async def _reset(connection: Any) -> None:
    """Nothing we do leaves session state behind but an open transaction, so only that is worth a round trip."""
    if connection.is_in_transaction():
        await connection.reset()

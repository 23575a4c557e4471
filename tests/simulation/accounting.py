"""Who used how much of the machine between two moments: processes, PostgreSQL and Redis apart."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import psutil


@dataclass
class Spent:
    """Filled when the block ends. Seconds of CPU by name, children not included unless asked for."""

    cpu_seconds: dict[str, float] = field(default_factory=dict)
    wal_bytes: int = 0
    wall_seconds: float = 0.0

    def per(self, name: str, count: float, idle_ms_a_second: float = 0.0) -> float:
        """Milliseconds of CPU for each of `count`, without what the process would have used for nothing."""
        used_ms = 1000 * self.cpu_seconds[name] - idle_ms_a_second * self.wall_seconds
        return max(0.0, used_ms / count)


@asynccontextmanager
async def spent(
    pids: Mapping[str, int], database: asyncpg.Connection, families: frozenset[str] = frozenset({"database"})
) -> AsyncIterator[Spent]:
    """What is used in the block.

    Args:
        families: names of those whose children count, too, also those that have ended.
    """
    told = Spent()
    before = {name: _cpu_seconds(pid, name in families) for name, pid in pids.items()}
    lsn = await database.fetchval("SELECT pg_current_wal_insert_lsn()")
    began = time.monotonic()
    yield told
    told.wall_seconds = time.monotonic() - began
    told.wal_bytes = int(await database.fetchval("SELECT pg_current_wal_insert_lsn() - $1::pg_lsn", lsn))
    told.cpu_seconds = {name: _cpu_seconds(pid, name in families) - before[name] for name, pid in pids.items()}


def _cpu_seconds(pid: int, family: bool) -> float:
    process = psutil.Process(pid)
    own = process.cpu_times()
    used = own.user + own.system
    if family:
        used += own.children_user + own.children_system
        for child in process.children(recursive=True):
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            used += times.user + times.system + times.children_user + times.children_system
    return float(used)

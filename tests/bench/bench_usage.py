"""Ten million uses become numbers by week, and go in batches: how fast, in how much memory, how long a batch holds its locks."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import TunedPostgres
from statuette.kernel.domain.usage.counting import Counting, fold
from statuette.kernel.enforcement.enforcer import SWEPT_IN_ONE_TRANSACTION
from statuette.policy import EffectivePolicy, compile_policy
from statuette.testing import FrozenClock
from statuette_policies import BASELINE
from tests.bench.large import filling, large_server, make_durable, migrated
from tests.bench.report import Figure, at_most, without_bar

_EVENTS = 10_000_000
_REMOVED = 250_000
_BRANDS = 5
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_LASTS = timedelta(days=2 * 364)
_POLICY = compile_policy((BASELINE,))
# Half a million accounts, each with one device, that choose among twelve styles, a few of them far more often than others.
_FILL = (
    "INSERT INTO usage_event (id, brand_id, account_id, kind, style, page, level, browser, system, network, created_at)"
    " SELECT 'use_' || lpad(n::text, 26, '0'), 'brd_' || lpad((a % $3)::text, 26, '0'), 'acc_' || lpad(a::text, 26, '0'),"
    " (ARRAY['ordered', 'succeeded', 'visited', 'rated'])[1 + n % 4], 'style' || (n * n) % 12, '', '',"
    " (ARRAY['chrome', 'safari', 'firefox'])[1 + a % 3], (ARRAY['android', 'ios', 'windows', 'macos'])[1 + a % 4],"
    " '198.51.100.0/24', $1::timestamptz + n * ($4::interval / $2::bigint)"
    " FROM (SELECT n, (n * 7919) % 500000 AS a FROM generate_series(0, $2::bigint - 1) n) made"
)


class _Run(msgspec.Struct, frozen=True):
    """Seconds, and the resident memory at its highest, in MB beyond what it was before."""

    counting: float
    weeks: int
    cells: int
    removing: list[float]
    megabytes: float


async def measure() -> list[Figure]:
    async with large_server() as server:
        url = server.create_database("usage")
        connection = await migrated(url)
        began = time.monotonic()
        async with filling(connection, "usage_event"):
            await connection.execute(_FILL, _FIRST, _EVENTS, _BRANDS, _LASTS, timeout=600)
        await connection.execute("VACUUM ANALYZE usage_event", timeout=600)
        filled = time.monotonic() - began
        await connection.close()
        await make_durable(server)
        run = await _run(url)
    removed = len(run.removing) * SWEPT_IN_ONE_TRANSACTION
    counted = (
        f"{run.weeks} weeks of {_BRANDS} brands, {_EVENTS:,} events in {run.counting:.0f} s, {run.cells:,} cells shown;"
        f" {_EVENTS:,} rows filled in {filled:.0f} s; PostgreSQL"
    )
    milliseconds = sorted(1000 * each for each in run.removing)
    slow = milliseconds[int(0.99 * len(milliseconds))]
    batches = (
        f"{removed:,} removed in {sum(run.removing):.0f} s by {SWEPT_IN_ONE_TRANSACTION:,}, every commit waits for the disk;"
        f" a batch takes {statistics.median(milliseconds):.1f} ms, the slowest {milliseconds[-1]:.0f} ms"
    )
    return [
        without_bar("usage counted by week", _EVENTS / run.counting / 1000, counted, "thousand events/s"),
        without_bar("usage removed", removed / sum(run.removing) / 1000, batches, "thousand events/s"),
        at_most("a batch of usage holds its locks, 99 of 100", slow, 50, batches, "ms"),
        at_most("memory for it", run.megabytes, 50, "resident at most, beyond what the process had before", "MB"),
    ]


async def _run(url: str) -> _Run:
    clock = FrozenClock(_FIRST + _LASTS + timedelta(days=8))
    database = Database(TunedPostgres(url), clock)
    await database.open()
    before = most = _resident_megabytes()
    counting, removing = Counting(database), []
    try:
        began = time.perf_counter()
        while await counting.run():
            most = max(most, _resident_megabytes())
        counted = time.perf_counter() - began
        clock.advance(timedelta(days=800))
        cutoff = _POLICY.rule("usage.anonymise").cutoff(clock.now())
        while len(removing) * SWEPT_IN_ONE_TRANSACTION < _REMOVED:
            began = time.perf_counter()
            async with database.transaction() as tx:
                assert await fold(tx, cutoff, SWEPT_IN_ONE_TRANSACTION, _policy_of) == SWEPT_IN_ONE_TRANSACTION
            removing.append(time.perf_counter() - began)
            most = max(most, _resident_megabytes())
        async with database.read() as reader:
            weeks = int(await reader.value("SELECT COUNT(*) AS n FROM usage_week"))
            cells = int(await reader.value("SELECT COUNT(*) AS n FROM usage_cell"))
    finally:
        await database.close()
    return _Run(counted, weeks, cells, removing, most - before)


async def _policy_of(brand_id: str) -> EffectivePolicy:
    return _POLICY


def _resident_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024

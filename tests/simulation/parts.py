"""Parts measured by themselves: the disk, the scheduler's duties, the store's client, and what a job leaves in the tables."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from statuette.kernel.enforcement.enforcer import HANDED_OUT_AT_ONCE, SWEPT_AT_ONCE
from statuette.kernel.enforcement.leftovers import destroy
from statuette.testing.servers import PostgresServer, S3Server
from statuette.values import SystemClock
from statuette_s3 import S3Config
from statuette_s3.storage import S3Storage
from tests.bench.large import migrated
from tests.filling import TABLES, fill
from tests.profiles import embedded
from tests.simulation.measured import Disk, Duties, Store
from tests.site import serving

_SYNCS, _COMMITS = 200, 200
_OBJECTS, _OBJECT_BYTES = 40, 400_000
_ROUNDS = 3
_FILLED_JOBS = 20_000
_BRAND, _ACCOUNT = "brd_" + "0" * 26, "acc_" + "0" * 26


async def disk(database_url: str) -> Disk:
    """On the file system of temporary files, where the database of the measurements is."""
    with tempfile.NamedTemporaryFile() as file:
        syncs = []
        for _ in range(_SYNCS):
            began = time.perf_counter()
            os.pwrite(file.fileno(), os.urandom(8192), 0)
            os.fdatasync(file.fileno())
            syncs.append(time.perf_counter() - began)
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE one_row AS SELECT 0 AS number")
    commits = [await _timed(lambda: connection.execute("UPDATE one_row SET number = 1")) for _ in range(_COMMITS)]
    trips = [await _timed(lambda: connection.fetchval("SELECT 1")) for _ in range(_COMMITS)]
    await connection.close()
    return Disk(*(1000 * statistics.median(times) for times in (syncs, commits, trips)))


async def duties(
    database_url: str, folder: Path, *, idle_process_ms: float, idle_database_ms: float, hand_out_process_ms: float
) -> Duties:
    """Handing out as many deadlines as one tick does, and sweeping as many rows; the records are gone already."""
    async with serving(folder, embedded(database_url), worker_concurrency=1) as site:
        await site.platform.scheduler.stop()
        connection = await asyncpg.connect(database_url)
        handed_out, swept = [], []
        for number in range(_ROUNDS):
            await connection.execute(_DEADLINES, datetime.now(UTC) - timedelta(hours=1), HANDED_OUT_AT_ONCE, number)
            # What is handed out is worked on after the commit only, so that nothing competes with what is timed.
            handed_out.append(await _timed(site.platform.enforcer.hand_out) / HANDED_OUT_AT_ONCE)
            await site.settled(60)
            await connection.execute(_OLD_KEYS, datetime.now(UTC) - timedelta(days=2), SWEPT_AT_ONCE)
            swept.append(await _timed(site.platform.enforcer.sweep) / SWEPT_AT_ONCE)
        await connection.close()
    return Duties(
        idle_process_ms=idle_process_ms,
        idle_database_ms=idle_database_ms,
        hand_out_ms=1000 * statistics.median(handed_out),
        hand_out_process_ms=hand_out_process_ms,
        hand_out_round_trips=(HANDED_OUT_AT_ONCE + 3) / HANDED_OUT_AT_ONCE,  # BEGIN, the choice, a row each, COMMIT
        sweep_ms=1000 * statistics.median(swept),
    )


async def store() -> Store:
    """CPU of this process, threads included, against an emulator in another one."""
    with S3Server() as server:
        server.create_bucket("objects", versioned=True)
        access = server.access
        config = S3Config(
            bucket="objects",
            endpoint=access.url,
            region=access.region,
            access_key_id=access.access_key_id,
            secret_access_key=access.secret_access_key,
        )
        storage = S3Storage(config, SystemClock())
        data = os.urandom(_OBJECT_BYTES)

        async def put(number: int) -> None:
            await storage.put(f"uploads/{number}/photo.jpg", data, media_type="image/jpeg")

        async def read(number: int) -> None:
            await storage.read(f"uploads/{number}/photo.jpg")

        async def gone(number: int) -> None:
            await destroy(storage, f"uploads/{number}/")

        try:
            await storage.check()
            return Store(*[await _process_ms(do) for do in (put, read, gone)])
        finally:
            await storage.aclose()


async def bytes_by_table(server: PostgresServer) -> dict[str, int]:
    """A database that is filled as that of a busy site: bytes for each job, indexes included, largest first."""
    connection = await migrated(server.create_database("sizes"))
    await fill(connection, jobs=_FILLED_JOBS, brands=[_BRAND], now=datetime.now(UTC))
    rows = await connection.fetch(
        "SELECT relname::text AS name, pg_total_relation_size(oid) / $1::int AS bytes FROM pg_class"
        " WHERE relkind = 'r' AND relname = ANY($2) ORDER BY bytes DESC, name",
        _FILLED_JOBS,
        list(TABLES),
    )
    await connection.close()
    return {row["name"]: row["bytes"] for row in rows if row["bytes"]}


async def _process_ms(do: Callable[[int], Awaitable[None]]) -> float:
    began = time.process_time()
    for number in range(_OBJECTS):
        await do(number)
    return 1000 * (time.process_time() - began) / _OBJECTS


async def _timed(do: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await do()
    return time.perf_counter() - began


_DEADLINES = (
    "INSERT INTO deadline (id, brand_id, account_id, dataset, record_id, rule, policy_digest, state, due_at, attempts,"
    f" trace_parent, created_at, updated_at) SELECT 'ddl_' || $3::int || lpad(n::text, 25, '0'), '{_BRAND}', '{_ACCOUNT}',"
    " 'uploads', 'upl_' || $3::int || lpad(n::text, 25, '0'), 'upload.unused', 'sha256:' || repeat('d', 64), 'scheduled',"
    " $1::timestamptz, 0, NULL, $1, $1 FROM generate_series(1, $2::int) n"
)
_OLD_KEYS = (
    "INSERT INTO idempotency_key (id, brand_id, principal, fingerprint, status, resource_id, lease_until, created_at)"
    f" SELECT 'old' || n, '{_BRAND}', '{_ACCOUNT}', repeat('d', 64), 202, NULL, NULL, $1::timestamptz"
    " FROM generate_series(1, $2::int) n"
)

"""Deleting what is due, against a bare script that deletes the same files, looks whether they are gone and writes the same rows."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from statuette.kernel.app import compose
from statuette.kernel.db.schema import migrate
from statuette.kernel.db.sql import numbered
from statuette.kernel.enforcement.due import ACTOR
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.settings import FIRST_PARTY_PLUGINS, Settings
from statuette.testing import FrozenClock
from statuette.values import new_id
from tests.bench.postgres import database
from tests.bench.report import Figure, at_least, without_bar

_PHOTOS = 300
_ROUNDS = 5
_AT_ONCE = 8
_RULES = ("upload.unused", "upload.cap", "upload.used", "upload.saved", "upload.asked")
_DIGEST = "sha256:" + "d" * 64
_PHOTO = bytes(200_000)
_UPLOAD = (
    "INSERT INTO upload (id, brand_id, account_id, state, media_type, width, height, size_bytes, sha256, statement_digest,"
    " created_at) VALUES ($1, $2, 'acc_bench', 'ready', 'image/jpeg', 1, 1, 1, '', '', $3)"
)
_DEADLINE = (
    "INSERT INTO deadline (id, brand_id, account_id, dataset, record_id, rule, policy_digest, state, due_at, armed_at,"
    " forecast_at, attempts, trace_parent, created_at, updated_at) VALUES ($1, $2, 'acc_bench', 'uploads', $3, $4, $5,"
    " 'scheduled', $6, $7, $6, 0, NULL, $7, $7)"
)
# What the platform writes for one photo, in as many transactions, without any of its questions.
_BARE = (
    (
        "UPDATE deadline SET state = 'executing', attempts = 1, intent_at = :now, updated_at = :now WHERE id = :deadline",
        "INSERT INTO work_item (id, queue, actor, subject_id, due_at, attempts, created_at)"
        " VALUES (:deadline, 'enforcement', 'bare', :deadline, :now, 0, :now)",
    ),
    ("UPDATE deadline SET begun_at = :now WHERE id = :deadline",),
    (
        "UPDATE deadline SET erased_at = :now, outcomes = :outcomes, updated_at = :now WHERE id = :deadline",
        "DELETE FROM upload WHERE id = :photo",
        "UPDATE deadline SET state = 'superseded', updated_at = :now WHERE record_id = :photo AND id <> :deadline",
    ),
    (
        "UPDATE deadline SET state = 'verified', updated_at = :now WHERE id = :deadline",
        "INSERT INTO receipt (id, brand_id, account_id, record_id, salt, deadline_id, body, created_at)"
        " VALUES (:receipt, 'brd_bench', 'acc_bench', :photo, '\\x00', :deadline, :outcomes, :now)",
        "DELETE FROM work_item WHERE id = :deadline",
    ),
)


async def measure() -> list[Figure]:
    with database() as url, tempfile.TemporaryDirectory() as folder:
        clock = FrozenClock()
        platform = _platform(Path(folder), url, clock)
        await platform.database.open()
        await migrate(platform.database.engine)
        pool = await asyncpg.create_pool(url, min_size=_AT_ONCE, max_size=_AT_ONCE)
        try:
            rounds = [await _round(platform, pool, clock, Path(folder)) for _ in range(_ROUNDS)]
        finally:
            await pool.close()
            await platform.database.close()
            await platform.plugins.aclose()
    ours, bare = (statistics.median(side) for side in zip(*rounds, strict=True))
    ratio = statistics.median(one / other for one, other in rounds)
    how = (
        f"{ours:.0f} photos/s against {bare:.0f}/s, of {len(_PHOTO) // 1000} kB in the local store, PostgreSQL, {_AT_ONCE} at once,"
        f" median of {_ROUNDS} × {_PHOTOS} in turns"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        at_least("enforcement of deadlines", ratio, 0.5, how),
        without_bar(
            "memory after it", peak, f"{2 * _ROUNDS * _PHOTOS:,} photos, resident at most, the bench included", "MB"
        ),
    ]


def _platform(folder: Path, url: str, clock: FrozenClock) -> Platform:
    settings = Settings(
        data_dir=folder / "data",
        database_url=url,
        allowed_plugins=tuple(name for name in FIRST_PARTY_PLUGINS if name not in ("smtp", "gemini")),
        database_pool_size=_AT_ONCE,
    )
    return compose(settings, clock, PluginRegistry.survey(settings, clock, environment={}))


async def _round(platform: Platform, pool: asyncpg.Pool, clock: FrozenClock, folder: Path) -> tuple[float, float]:
    """Photos a second of ours, and of the bare script."""
    photos = await _filled(platform, pool, clock.now())
    clock.advance(timedelta(days=1))
    mine = await _timed(lambda: _enforced(platform))
    left = await pool.fetchval("SELECT COUNT(*) FROM upload")
    assert left == 0, f"{left} photos are still there"
    files = folder / "data" / "plugins" / "local" / "objects"
    assert not [path for path in files.rglob("*.jpg*") if path.is_file()]

    photos = await _filled(platform, pool, clock.now())
    places = {photo: next(files.rglob(f"{photo}*")) for photo in photos}
    clock.advance(timedelta(days=1))
    theirs = await _timed(lambda: _bare(pool, photos, places, clock.now()))
    return _PHOTOS / mine, _PHOTOS / theirs


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def _filled(platform: Platform, pool: asyncpg.Pool, now: datetime) -> dict[str, str]:
    """The deadline that falls due of each photo."""
    photos: dict[str, str] = {}
    for _ in range(_PHOTOS):
        photo, due = new_id("upl", now), new_id("ddl", now)
        photos[photo] = due
        await platform.plugins.storage.put(f"uploads/brd_bench/{photo}/photo.jpg", _PHOTO, media_type="image/jpeg")
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(_UPLOAD, photo, "brd_bench", now)
            for rule in _RULES:
                armed = rule == "upload.unused"
                await connection.execute(
                    _DEADLINE,
                    due if armed else new_id("ddl", now),
                    "brd_bench",
                    photo,
                    rule,
                    _DIGEST,
                    now + timedelta(days=1) if armed else None,
                    now,
                )
    return photos


async def _enforced(platform: Platform) -> None:
    """As the scheduler and workers do, without the hints between them."""
    while await platform.enforcer.hand_out():
        pass
    async with platform.database.read() as reader:
        items = [row["id"] for row in await reader.rows("SELECT id FROM work_item WHERE actor = :a", a=ACTOR)]

    async def enforce(item: str) -> None:
        claimed = await platform.outbox.claim(item)
        assert claimed is not None
        await platform.enforcer.run(claimed)

    await _few_at_once(enforce, items)


async def _bare(pool: asyncpg.Pool, photos: dict[str, str], places: dict[str, Path], now: datetime) -> None:
    outcomes = '{"stores":[{"store":"local","kind":"objects","outcome":"deleted","count":1,"check":"listed"}]}' * 8

    async def delete(photo: str) -> None:
        values = {
            "deadline": photos[photo],
            "now": now,
            "outcomes": outcomes,
            "photo": photo,
            "receipt": new_id("rcp", now),
        }
        for position, statements in enumerate(_BARE):
            if position == 2:
                await asyncio.to_thread(_remove, places[photo])
            async with pool.acquire() as connection, connection.transaction():
                for statement in statements:
                    sql, names = numbered(statement)
                    await connection.execute(sql, *[values[name] for name in names])

    await _few_at_once(delete, photos)


def _remove(place: Path) -> None:
    """For good: what is deleted stays so after a power cut."""
    shutil.rmtree(place)
    folder = os.open(place.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    assert not place.exists()


async def _few_at_once(work: Callable[[str], Awaitable[None]], subjects: Iterable[str]) -> None:
    waiting = iter(list(subjects))

    async def one_after_another() -> None:
        for subject in waiting:
            await work(subject)

    await asyncio.gather(*[one_after_another() for _ in range(_AT_ONCE)])

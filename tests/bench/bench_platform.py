"""What the platform itself adds to a job, on the cluster profile: an API process, a worker, a scheduler and a client apart.

The time is the database's: from the moment of the order to the commit that ends the job. The provider's time is known; pixel
work is measured apart and taken off.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time

import asyncpg
import httpx

from statuette.kernel.pixels.pool import PixelPool
from statuette.testing.pictures import picture_png
from tests.bench.cluster import Cluster, Person, all_ended, cluster, photo
from tests.bench.load import requests_per_second
from tests.bench.report import Figure, at_most

_PROVIDER_SECONDS = 0.2
_PEOPLE = 20
_PHOTO_KILOBYTES = 400
_BURST_JOBS = 300
_PACED_JOBS = 400
_IN_FLIGHT = 64
_ACCEPTED = b"20"  # 202, or 200 where the job has ended before the answer was made


async def measure() -> list[Figure]:
    async with cluster() as site:
        await _record_commit_times(site)
        people = await site.people(_PEOPLE, photo(_PHOTO_KILOBYTES))
        async with (
            site.database() as database,
            site.process("scheduler"),
            site.process("api") as api,
            site.process(
                "worker", str(_PROVIDER_SECONDS), environment={"STATUETTE_WORKER_CONCURRENCY": str(_IN_FLIGHT)}
            ),
        ):
            assert api.url is not None
            saturation = await _saturation(api.url, people, database)
            rate = saturation / 2
            felt = await _paced(api.url, people, rate)
            around = await _around_the_call(database, list(felt))
    pixels = await _pixel_seconds()
    added = sorted(seconds - pixels for seconds in around.values())
    answers = sorted(seconds - _PROVIDER_SECONDS - pixels for seconds in felt.values())
    how = (
        f"{_PACED_JOBS} jobs at half of {saturation:.0f} jobs/s, provider {_PROVIDER_SECONDS} s, {1000 * pixels:.0f} ms of pixels"
        f" taken off, durable PostgreSQL, {os.cpu_count()} cores for everything; from sending the order to hearing of its end"
        f" {1000 * _quantile(answers, 0.5):.0f} and {1000 * _quantile(answers, 0.99):.0f} ms"
    )
    return [
        at_most("platform time around the image call, p50", 1000 * _quantile(added, 0.5), 30, how, "ms"),
        at_most("platform time around the image call, p99", 1000 * _quantile(added, 0.99), 150, how, "ms"),
    ]


async def _record_commit_times(site: Cluster) -> None:
    async with site.database() as database:
        await database.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    await asyncio.to_thread(site.postgres.stop)
    await asyncio.to_thread(site.postgres.start)


async def _saturation(url: str, people: list[Person], database: asyncpg.Connection) -> float:
    """Jobs a second when as many are ordered as can be."""
    began = time.perf_counter()
    await requests_per_second(
        int(url.rsplit(":", 1)[1]),
        lambda number: people[number % len(people)].order(),
        connections=16,
        total=_BURST_JOBS,
        expected=_ACCEPTED,
    )
    await all_ended(database, 120)
    return _BURST_JOBS / (time.perf_counter() - began)


async def _paced(url: str, people: list[Person], rate: float) -> dict[str, float]:
    """By job: seconds from sending the order to hearing that it has ended."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits, trust_env=False) as http:

        async def one(number: int) -> tuple[str, float]:
            await asyncio.sleep(number / rate)
            person = people[number % len(people)]
            began = time.perf_counter()
            ordered = await http.post("/v1/generations", json=person.wish(), headers={"Authorization": person.token})
            assert ordered.is_success, ordered.text
            job_id = ordered.json()["id"]
            waiting = {"Authorization": person.token, "Prefer": "wait=60"}
            job = (await http.get(f"/v1/generations/{job_id}", headers=waiting)).json()
            assert job["state"] == "succeeded", job
            return job_id, time.perf_counter() - began

        return dict(await asyncio.gather(*(one(number) for number in range(_PACED_JOBS))))


async def _around_the_call(database: asyncpg.Connection, job_ids: list[str]) -> dict[str, float]:
    """By job: seconds from the order to the commit of its end, without the provider's."""
    rows = await database.fetch(
        "SELECT id, created_at, pg_xact_commit_timestamp(xmin) AS ended_at FROM generation WHERE id = ANY($1)", job_ids
    )
    return {row["id"]: (row["ended_at"] - row["created_at"]).total_seconds() - _PROVIDER_SECONDS for row in rows}


async def _pixel_seconds() -> float:
    """What rendering the provider's picture takes when nothing else happens."""
    pool = PixelPool(workers=1)
    await pool.start()
    try:
        spent = []
        for _ in range(20):
            began = time.perf_counter()
            await pool.render(picture_png(), provenance="scripted/scripted-1")
            spent.append(time.perf_counter() - began)
        return statistics.median(spent)
    finally:
        await pool.aclose()


def _quantile(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]

"""What the platform itself adds to a job, and how many jobs one process keeps in flight.

The provider takes a fixed time; pixel work is measured apart and taken off.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from statuette.kernel.pixels.results import RenderedPicture
from statuette.testing.pictures import photo_jpeg
from statuette.testing.scripted_image import Answer, ScriptedImageProvider
from tests.bench.report import Figure, at_least, at_most
from tests.profiles import embedded
from tests.site import Site, Visitor, serving

_PROVIDER_SECONDS = 0.2
_BURST = 120
_PACED = 150


async def measure() -> list[Figure]:
    return [*await _around_the_call(), *await _in_flight()]


async def _around_the_call() -> list[Figure]:
    provider = ScriptedImageProvider(default=Answer(delay=timedelta(seconds=_PROVIDER_SECONDS)))
    with tempfile.TemporaryDirectory() as folder:
        async with serving(
            Path(folder),
            embedded(f"sqlite:///{folder}/s.db"),
            scripted=provider,
            worker_concurrency=64,
            pixel_workers=2,
        ) as site:
            rendering = _timed(site)
            await site.apply_brand(ceiling="1000000.00", limits_in_flight=100_000)
            person = await site.person(credits=100_000)
            upload = await person.upload()
            began = time.perf_counter()
            burst = await asyncio.gather(*(person.order(upload["id"]) for _ in range(_BURST)))
            await asyncio.gather(*(person.finished(job["id"], 60) for job in burst))
            saturation = _BURST / (time.perf_counter() - began)
            added = await _paced(person, upload["id"], saturation / 2, rendering)
    ordered = sorted(added)
    how = f"{_PACED} jobs at half of {saturation:.1f} jobs/s, SQLite, provider {_PROVIDER_SECONDS} s, HTTP client in the process"
    return [
        at_most("platform time around the image call, p50", 1000 * statistics.median(ordered), 30, how, "ms"),
        at_most("platform time around the image call, p99", 1000 * ordered[int(len(ordered) * 0.99)], 150, how, "ms"),
    ]


def _timed(site: Site) -> list[float]:
    """Have the pixel pool note how long each picture took, queueing included."""
    spent: list[float] = []
    render = site.platform.pixels.render

    async def timed(
        data: bytes, sizes: tuple[int, ...] = (1024, 256), provenance: str | None = None
    ) -> RenderedPicture:
        began = time.perf_counter()
        try:
            return await render(data, sizes, provenance)
        finally:
            spent.append(time.perf_counter() - began)

    site.platform.pixels.render = timed  # type: ignore[method-assign]
    return spent


async def _paced(person: Visitor, upload_id: str, rate: float, rendering: list[float]) -> list[float]:
    """Seconds from acceptance to the end, without the call and the picture's rendering, for each job."""
    rendering.clear()

    async def one(number: int) -> float:
        await asyncio.sleep(number / rate)
        job = await person.finished((await person.order(upload_id))["id"], 60)
        created, finished = datetime.fromisoformat(job["created_at"]), datetime.fromisoformat(job["finished_at"])
        return (finished - created).total_seconds() - _PROVIDER_SECONDS

    totals = await asyncio.gather(*(one(number) for number in range(_PACED)))
    pixels = statistics.median(rendering)
    return [total - pixels for total in totals]


async def _in_flight() -> list[Figure]:
    """500 jobs of 8 s at once, each with a photo of its own size in memory."""
    seconds, jobs = 8.0, 500
    provider = ScriptedImageProvider(default=Answer(delay=timedelta(seconds=seconds)))
    photo = photo_jpeg(1600, 1600)
    with tempfile.TemporaryDirectory() as folder:
        async with serving(
            Path(folder),
            embedded(f"sqlite:///{folder}/s.db"),
            scripted=provider,
            worker_concurrency=jobs,
            pixel_workers=2,
        ) as site:
            await site.apply_brand(ceiling="1000000.00", limits_in_flight=100_000)
            person = await site.person(credits=100_000)
            upload = await person.upload(photo)
            began = time.perf_counter()
            ordered = [await person.order(upload["id"]) for _ in range(jobs)]
            await asyncio.gather(*(person.finished(job["id"], 60) for job in ordered))
            took = time.perf_counter() - began
            peak = provider.peak_in_flight
    how = (
        f"{jobs} jobs ordered one after the other and done in {took:.1f} s with {peak} in flight at most, SQLite, fake provider,"
        f" {upload['size_bytes'] // 1000} kB photo, {os.cpu_count()} cores shared with the client; ideal {seconds:.0f} s"
    )
    return [at_least("500 jobs in flight in one process, rate against the ideal", seconds / took, 0.9, how)]

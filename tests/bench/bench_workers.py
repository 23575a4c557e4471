"""What worker processes do: hundreds of jobs in flight in one, its memory, and what more of them add.

The work is accepted through the API before a worker starts, so that accepting does not compete with it; it belongs to many
accounts, as one wallet would make the jobs take turns. Rates are taken between the 10th and the 90th of 100 completions.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import httpx
import msgspec

from tests.bench.cluster import (
    BENCH_PROCESS,
    NOTHING,
    Cluster,
    Person,
    all_ended,
    cluster,
    cpu_seconds,
    peak_megabytes,
    photo,
)
from tests.bench.load import requests_per_second
from tests.bench.report import Figure, at_least, at_most, without_bar
from tests.chaos.program import STATUETTE

_PEOPLE = 20
_PHOTO_KILOBYTES = 400
_ACCEPTING_CONNECTIONS = 8
_PATIENCE_SECONDS = 600
_MODEL = "gemini/gemini-3.1-flash-image"


class Work(msgspec.Struct, frozen=True):
    """How a backlog was worked off.

    Attributes:
        jobs_per_second: in the steady state.
        worker_ms: CPU time of the worker processes a job, without their pixel children.
        peak_megabytes: of the worker process that held most.
    """

    jobs_per_second: float
    worker_ms: float
    peak_megabytes: float


async def measure() -> list[Figure]:
    return [await _in_flight(), await _through_genai(), *await _more_processes()]


async def _in_flight(in_flight: int = 500, provider_seconds: float = 8.0) -> Figure:
    jobs = 5 * in_flight
    async with cluster() as site:
        people = await site.people(_PEOPLE, photo(_PHOTO_KILOBYTES))
        await accept(site, people, jobs)
        work = await work_off(site, jobs, provider_seconds=provider_seconds, in_flight=in_flight)
    ideal = in_flight / provider_seconds
    how = (
        f"{work.jobs_per_second:.1f} of {ideal:.1f} jobs/s; {jobs} jobs of {_PEOPLE} accounts, provider {provider_seconds:.0f} s,"
        f" {_PHOTO_KILOBYTES} kB photos, durable PostgreSQL, {os.cpu_count()} cores for everything;"
        f" {work.worker_ms:.1f} ms of CPU a job, {work.peak_megabytes:.0f} MB at most"
    )
    return at_least("500 jobs in flight in one process, rate against the ideal", work.jobs_per_second / ideal, 0.9, how)


async def _through_genai(in_flight: int = 200) -> Figure:
    jobs = 2 * in_flight
    async with cluster() as site, _simulator(latency_seconds=20.0) as url:
        gemini = {"GEMINI_API_KEY": "simulator-key", "GEMINI_BASE_URL": url}
        people = await site.people(_PEOPLE, photo(_PHOTO_KILOBYTES), model=_MODEL)
        await accept(site, people, jobs, command=STATUETTE, environment=gemini)
        work = await work_off(site, jobs, in_flight=in_flight, command=STATUETTE, environment=gemini)
        async with httpx.AsyncClient() as http:
            peak = (await http.get(f"{url}/_simulator")).json()["peak_in_flight"]
    assert peak == in_flight, f"{peak} were in flight"
    how = f"most that the worker process held; {_PHOTO_KILOBYTES} kB photos, the simulator in a process of its own"
    return at_most("200 jobs in flight through google-genai in one process", work.peak_megabytes, 450, how, "MB")


async def _more_processes(provider_seconds: float = 0.1) -> list[Figure]:
    jobs = 600
    found: dict[int, Work] = {}
    async with cluster() as site:
        people = await site.people(_PEOPLE, photo(40))
        for processes in (1, 2, 4):
            await accept(site, people, jobs)
            found[processes] = await work_off(
                site, jobs, provider_seconds=provider_seconds, in_flight=64, processes=processes
            )
    told = ", ".join(f"{work.jobs_per_second:.0f} jobs/s with {count}" for count, work in found.items())
    how = f"{told}; a backlog of {jobs} jobs, provider {provider_seconds} s, on {os.cpu_count()} cores for everything"
    # On a few cores, on which everything else runs, too, more processes show that they share the work, and cannot add much.
    return [
        without_bar(
            f"throughput of {count} worker processes against one",
            found[count].jobs_per_second / found[1].jobs_per_second,
            how,
        )
        for count in (2, 4)
    ]


async def accept(
    site: Cluster,
    people: list[Person],
    jobs: int,
    *,
    command: Sequence[str] = BENCH_PROCESS,
    environment: Mapping[str, str] = NOTHING,
) -> float:
    """Order by the API, with no worker running; returns the rate."""
    async with site.process("api", command=command, environment=environment) as api:
        assert api.url is not None
        return await requests_per_second(
            int(api.url.rsplit(":", 1)[1]),
            lambda number: people[number % len(people)].order(),
            connections=_ACCEPTING_CONNECTIONS,
            total=jobs,
            expected=b"202",
        )


async def work_off(
    site: Cluster,
    jobs: int,
    *,
    in_flight: int,
    provider_seconds: float | None = None,
    processes: int = 1,
    command: Sequence[str] = BENCH_PROCESS,
    environment: Mapping[str, str] = NOTHING,
) -> Work:
    """Do the last `jobs` that were accepted."""
    arguments = () if provider_seconds is None else (str(provider_seconds),)
    settings = {"STATUETTE_WORKER_CONCURRENCY": str(in_flight), **environment}
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(site.database())
        await stack.enter_async_context(site.process("scheduler"))
        workers = [
            await stack.enter_async_context(site.process("worker", *arguments, command=command, environment=settings))
            for _ in range(processes)
        ]
        before = sum(cpu_seconds(worker.pid) for worker in workers)
        await all_ended(database, _PATIENCE_SECONDS)
        used = sum(cpu_seconds(worker.pid) for worker in workers) - before
        peak = max(peak_megabytes(worker.pid) for worker in workers)
        return Work(await _steady_rate(database, jobs), 1000 * used / jobs, peak)


async def _steady_rate(database: asyncpg.Connection, jobs: int) -> float:
    rows = await database.fetch("SELECT state, finished_at FROM generation ORDER BY finished_at DESC LIMIT $1", jobs)
    assert {row["state"] for row in rows} == {"succeeded"}
    ends = sorted(row["finished_at"].timestamp() for row in rows)
    first, last = int(0.1 * jobs), int(0.9 * jobs)
    return float((last - first) / (ends[last] - ends[first]))


@asynccontextmanager
async def _simulator(latency_seconds: float) -> AsyncIterator[str]:
    """Gemini in a process of its own; its address."""
    arguments = ("--port", "0", "--latency", str(latency_seconds), "--picture-edge", "64")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "statuette.testing.gemini_simulator", *arguments), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().split()[-1]
    finally:
        process.terminate()
        await process.wait()

"""Thousands of people watch jobs at one process, and it goes on answering others."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest

from statuette.kernel.cli.open_files import connections_allowed
from tests.chaos.deployment import HOST
from tests.chaos.person import Person
from tests.chaos.town import Town
from tests.soak import effort

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNTS = {"api": 1, "worker": 1, "scheduler": 1}
SETTINGS = {"STATUETTE_WATCHED_JOBS_PER_ACCOUNT": "10000"}
_WATCHERS = effort(600, soaking=4_000)
_AT_ONCE = 50
_ANSWERS_WITHIN_SECONDS = 2.0


async def test_thousands_who_watch_hear_the_end_and_keep_nobody_from_being_served(town: Town) -> None:
    # Given thousands of open streams at one process, on a job that takes its time
    assert connections_allowed(2 * _WATCHERS) > _WATCHERS
    person = await town.person()
    town.gemini.latency_seconds = 60
    job_id = await person.order()
    places = asyncio.Semaphore(_AT_ONCE)
    streams = await asyncio.gather(*(_watch(town, person, job_id, places) for _ in range(_WATCHERS)))

    # When Redis is lost under them, and found again
    hear = asyncio.gather(*(_end(reader) for reader, _ in streams))
    await asyncio.to_thread(town.cluster.redis.stop)
    await _is_answered(town)
    await asyncio.to_thread(town.cluster.redis.start)
    await _is_answered(town)

    # And the job ends
    await person.cancel(job_id)

    # Then all of them hear of it
    ends = await asyncio.wait_for(hear, 30)
    assert ends == [b"event: generation.canceled\n"] * _WATCHERS
    await _is_answered(town)
    for _, writer in streams:
        writer.close()


async def _watch(
    town: Town, person: Person, job_id: str, places: asyncio.Semaphore
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream that has begun: its first event has arrived."""
    (api,) = town.cluster.of("api")
    authorization = person.http.headers["Authorization"]
    request = f"GET /v1/generations/{job_id}/events HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: {authorization}\r\n\r\n"
    async with places:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(api.url).port)
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readuntil(b"event: generation.queued\n")
    return reader, writer


async def _end(reader: asyncio.StreamReader) -> bytes:
    """The last event that a stream tells of before it ends."""
    last = b""
    while line := await reader.readline():
        if line.startswith(b"event: "):
            last = line
    return last


async def _is_answered(town: Town) -> None:
    (api,) = town.cluster.of("api")
    async with httpx.AsyncClient(trust_env=False, timeout=_ANSWERS_WITHIN_SECONDS) as http:
        assert (await http.get(f"{api.url}/readyz")).status_code == 200

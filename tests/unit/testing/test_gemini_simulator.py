"""The simulator runs as a process of its own, checks what Google checks, and says what it saw without showing it."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from statuette.testing.gemini_simulator import Case, GeminiSimulator
from statuette.testing.pictures import photo_jpeg

PATH = "/v1beta/models/gemini-3.1-flash-image:generateContent"
KEY = {"x-goog-api-key": "simulator-key"}


def a_call(data: bytes) -> dict[str, Any]:
    return {
        "contents": [{"parts": [{"inlineData": {"mimeType": "image/jpeg", "data": b64encode(data).decode()}}]}],
        "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "3:4"}},
    }


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "headers", "data", "status"),
    [
        (PATH, KEY, photo_jpeg(), 200),
        (PATH, {}, photo_jpeg(), 400),
        (PATH, {"x-goog-api-key": "other"}, photo_jpeg(), 400),
        (PATH, KEY, b"not a picture", 400),
        (PATH.replace("3.1", "9.9"), KEY, photo_jpeg(), 404),
        ("/v1beta/models", KEY, photo_jpeg(), 404),
    ],
)
async def test_a_call_is_checked_as_google_checks_it(
    path: str, headers: dict[str, str], data: bytes, status: int, client: httpx.AsyncClient
) -> None:
    async with GeminiSimulator() as simulator:
        answer = await client.post(simulator.base_url + path, headers=headers, json=a_call(data))

    assert answer.status_code == status


async def test_the_picture_is_made_of_the_photo(client: httpx.AsyncClient) -> None:
    async with GeminiSimulator() as simulator:
        url = simulator.base_url + PATH
        answers = [await client.post(url, headers=KEY, json=a_call(photo_jpeg(seed=seed))) for seed in (1, 2, 1)]

    first, second, again = (answer.json()["candidates"][0]["content"]["parts"][0]["inlineData"] for answer in answers)
    assert first["data"] != second["data"]
    assert first["data"] == again["data"]


async def test_hundreds_of_calls_are_served_at_once(client: httpx.AsyncClient) -> None:
    calls = 300
    async with (
        GeminiSimulator(latency_seconds=1.5, picture_edge=64) as simulator,
        httpx.AsyncClient(trust_env=False, timeout=30, limits=httpx.Limits(max_connections=None)) as many,
    ):
        body = a_call(photo_jpeg(64, 64))
        answers = await asyncio.gather(
            *(many.post(simulator.base_url + PATH, headers=KEY, json=body) for _ in range(calls))
        )

        assert {answer.status_code for answer in answers} == {200}
        assert simulator.statistics() == {
            "calls": calls,
            "pictures_read": calls,
            "answered": calls,
            "abandoned": 0,
            "in_flight": 0,
            "peak_in_flight": calls,
        }


async def test_it_notices_a_client_that_hangs_up(client: httpx.AsyncClient) -> None:
    async with GeminiSimulator() as simulator:
        simulator.script(Case.hang)
        calling = asyncio.create_task(client.post(simulator.base_url + PATH, headers=KEY, json=a_call(photo_jpeg())))
        await simulator.wait_for_in_flight(1)

        calling.cancel()
        await asyncio.wait({calling})

        await asyncio.wait_for(simulator.wait_for_in_flight(0), 5)
        assert simulator.abandoned == 1


async def test_it_runs_as_a_process_and_stops_when_told(client: httpx.AsyncClient) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "statuette.testing.gemini_simulator", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        base_url = (await process.stdout.readline()).decode().split()[-1]
        answer = await client.post(base_url + PATH, headers=KEY, json=a_call(photo_jpeg()))
        counted = await client.get(base_url + "/_simulator")
        process.terminate()
        rest, _ = await process.communicate()

    assert answer.json()["usageMetadata"]["thoughtsTokenCount"] > 0
    assert counted.json()["answered"] == 1
    assert (process.returncode, rest) == (0, b"")

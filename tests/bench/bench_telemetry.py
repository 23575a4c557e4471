"""What telemetry costs: the same requests to three servers, of which one tells nothing, one traces 5 % and one traces all.

The two send traces and metrics to a receiver in a process of its own. Each has a database of its own, so that none finds more
jobs than another.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
import psutil

from tests.bench.load import get, post, requests_per_second
from tests.bench.postgres import database, server
from tests.bench.report import Figure, at_least

_ROUNDS = 9
_READS = 1500
_ORDERS = 200
_CLIENTS = 8
_SAMPLINGS = ("0.05", "1")


class Round(msgspec.Struct, frozen=True):
    """One run at one server: requests a second, and what a request cost its process in µs of CPU."""

    rate: float
    cpu_micros: float


async def measure() -> list[Figure]:
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(_receiver())
        servers = []
        for arguments in ((), *((receiver, sampling) for sampling in _SAMPLINGS)):
            url, folder = stack.enter_context(database()), stack.enter_context(tempfile.TemporaryDirectory())
            servers.append(await stack.enter_async_context(server("platform", url, folder, *arguments)))
        reads = [await _in_turns(servers, _read, _READS, b"200") for _ in range(_ROUNDS + 1)][1:]
        orders = [await _in_turns(servers, _order, _ORDERS, b"202") for _ in range(_ROUNDS + 1)][1:]
    return [
        *_figures("authenticated read", reads, (0.85, 0.6)),
        *_figures("accepting a generation", orders, (0.9, 0.8)),
    ]


def _read(served: dict[str, Any]) -> bytes:
    return get(f"/v1/generations/{served['job']}", {"Authorization": served["token"]})


def _order(served: dict[str, Any]) -> bytes:
    body = json.dumps({"inputs": [{"upload_id": served["upload"]}], "style": "chibi"}).encode()
    return post("/v1/generations", {"Authorization": served["token"]}, body)


async def _in_turns(servers: list[dict[str, Any]], request: Any, total: int, expected: bytes) -> list[Round]:
    return [await _round(served, request(served), total, expected) for served in servers]


async def _round(served: dict[str, Any], request: bytes, total: int, expected: bytes) -> Round:
    process = psutil.Process(served["pid"])
    before = process.cpu_times()
    rate = await requests_per_second(
        served["port"], lambda _: request, connections=_CLIENTS, total=total, expected=expected
    )
    after = process.cpu_times()
    return Round(rate, 1e6 * (after.user + after.system - before.user - before.system) / total)


def _figures(what: str, rounds: list[list[Round]], bars: tuple[float, float]) -> list[Figure]:
    """A row for each sampling, against the server that tells nothing."""
    figures = []
    for number, (sampling, bar) in enumerate(zip(_SAMPLINGS, bars, strict=True), start=1):
        ratio = statistics.median(each[number].rate / each[0].rate for each in rounds)
        cpu = statistics.median(each[number].cpu_micros / each[0].cpu_micros for each in rounds)
        told, silent = (statistics.median(each[index].cpu_micros for each in rounds) for index in (number, 0))
        rate, silent_rate = (statistics.median(each[index].rate for each in rounds) for index in (number, 0))
        how = (
            f"{rate:.0f}/s against {silent_rate:.0f}/s without telemetry; CPU {told:.0f} against {silent:.0f} µs a request"
            f" ({cpu:.2f} ×); PostgreSQL, {_CLIENTS} connections, median of {_ROUNDS} rounds in turns"
        )
        figures.append(at_least(f"{what}, {float(sampling):.0%} traced", ratio, bar, how))
    return figures


@asynccontextmanager
async def _receiver() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "statuette.testing.otlp_receiver", "--port", "0"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().split()[-1]
    finally:
        process.terminate()
        await process.wait()

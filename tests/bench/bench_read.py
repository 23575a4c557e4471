"""An authenticated read of one generation against a bare Litestar handler that does one asyncpg SELECT of its row.

Both are served alike: one process each, uvicorn on uvloop as `statuette serve` has it, a pool of the same size that does
not reset idle connections, the same client in turns. Ours also traces, at the usual 5 %, to a collector in this process.
"""

from __future__ import annotations

import statistics
import tempfile
from typing import Any

import msgspec
import psutil

from statuette.testing.wire import WireReply, WireRequest, WireServer
from tests.bench.load import get, requests_per_second
from tests.bench.postgres import database, server
from tests.bench.report import Figure, at_least

_ROUNDS = 9
_TOTAL = 2000


class Round(msgspec.Struct, frozen=True):
    """One run of one server: requests a second, and what a request cost its process in µs of CPU."""

    rate: float
    cpu_micros: float


async def measure() -> list[Figure]:
    with database() as url, tempfile.TemporaryDirectory() as folder:
        async with (
            WireServer(_collect) as collector,
            server("platform", url, folder, collector.base_url) as ours,
            server("bare", url, folder) as bare,
        ):
            read = get(f"/v1/generations/{ours['job']}", {"Authorization": ours["token"]})
            plain = get(f"/generation/{ours['job']}", {})
            rounds = [(await _round(ours, read), await _round(bare, plain)) for _ in range(_ROUNDS + 1)][1:]
    ratio = statistics.median(one.rate / other.rate for one, other in rounds)
    cpu = statistics.median(other.cpu_micros / one.cpu_micros for one, other in rounds)
    ours_cpu, bare_cpu = (statistics.median(each.cpu_micros for each in side) for side in zip(*rounds, strict=True))
    ours_rate, bare_rate = (statistics.median(each.rate for each in side) for side in zip(*rounds, strict=True))
    how = (
        f"{ours_rate:.0f}/s against {bare_rate:.0f}/s; CPU of the server process {ours_cpu:.0f} against {bare_cpu:.0f} µs"
        f" a request ({cpu:.2f} ×); PostgreSQL, 8 connections, median of {_ROUNDS} rounds in turns"
    )
    return [at_least("authenticated read of one generation", ratio, 0.6, how)]


async def _round(served: dict[str, Any], request: bytes) -> Round:
    process = psutil.Process(served["pid"])
    before = process.cpu_times()
    rate = await requests_per_second(served["port"], lambda _: request, connections=8, total=_TOTAL, expected=b"200")
    after = process.cpu_times()
    spent_seconds = after.user + after.system - before.user - before.system
    return Round(rate, 1e6 * spent_seconds / _TOTAL)


async def _collect(request: WireRequest, reply: WireReply) -> None:
    await reply.send(200, b"", {"content-type": "application/x-protobuf"})

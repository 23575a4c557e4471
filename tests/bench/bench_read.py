"""An authenticated read of one generation against a bare Litestar handler that does one asyncpg SELECT."""

from __future__ import annotations

import statistics
import tempfile

from tests.bench.load import get, requests_per_second
from tests.bench.postgres import database, server
from tests.bench.report import Figure, at_least

_ROUNDS = 5
_TOTAL = 2500


async def measure() -> list[Figure]:
    with database() as url, tempfile.TemporaryDirectory() as folder:
        async with server("platform", url, folder) as ours, server("bare", url, folder) as bare:
            read = get(f"/v1/generations/{ours['job']}", {"Authorization": ours["token"]})
            plain = get(f"/generation/{ours['job']}", {})
            rates: list[tuple[float, float]] = []
            for _ in range(_ROUNDS):
                one = await requests_per_second(
                    ours["port"], lambda _: read, connections=8, total=_TOTAL, expected=b"200"
                )
                other = await requests_per_second(
                    bare["port"], lambda _: plain, connections=8, total=_TOTAL, expected=b"200"
                )
                rates.append((one, other))
    ratio = statistics.median(one / other for one, other in rates)
    mine, theirs = (statistics.median(side) for side in zip(*rates, strict=True))
    how = f"{mine:.0f}/s against {theirs:.0f}/s, PostgreSQL, 8 connections, median of {_ROUNDS} rounds in turns"
    return [at_least("authenticated read of one generation", ratio, 0.6, how)]

"""How long the command line and the embedded server take until they are of use."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time

import httpx

from tests.bench.report import Figure, at_most


async def measure() -> list[Figure]:
    helps = [await _help() for _ in range(7)]
    starts = [await _ready() for _ in range(5)]
    return [
        at_most("`statuette --help`", statistics.median(helps), 0.3, "median of 7 runs", "s"),
        at_most("the embedded server until ready", statistics.median(starts), 2, "median of 5, new folder each", "s"),
    ]


async def _help() -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "statuette", "--help"), stdout=asyncio.subprocess.DEVNULL
    )
    await process.wait()
    return time.perf_counter() - began


async def _ready() -> float:
    with tempfile.TemporaryDirectory() as folder:
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "statuette", "serve"),
            env={**os.environ, "STATUETTE_DATA_DIR": folder, "STATUETTE_PORT": str(port)},
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with httpx.AsyncClient() as http:
                while time.perf_counter() - began < 30:
                    try:
                        if (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                            return time.perf_counter() - began
                    except httpx.TransportError:
                        await asyncio.sleep(0.01)
            raise AssertionError("the server was not ready within 30 s")
        finally:
            process.terminate()
            await process.wait()

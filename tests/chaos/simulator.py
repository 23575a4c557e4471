"""Gemini's interface on a loopback port, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Self

import httpx

from tests.chaos.program import LAUNCH

_API_KEY = "simulated-key-of-gemini"
_READY_WITHIN_SECONDS = 40


class Simulator:
    """Ends with this process, however that ends.

    Args:
        latency_seconds: how long each answer takes.
    """

    def __init__(self, latency_seconds: float) -> None:
        self._latency_seconds = latency_seconds
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    @property
    def settings(self) -> dict[str, str]:
        """What a platform needs to call it."""
        return {"GEMINI_API_KEY": _API_KEY, "GEMINI_BASE_URL": self.url}

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(LAUNCH), str(os.getpid())),
            *(sys.executable, "-m", "statuette.testing.gemini_simulator", "--port", "0", "--api-key", _API_KEY),
            *("--latency", str(self._latency_seconds), "--picture-edge", "96"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        announced = await asyncio.wait_for(self._process.stdout.readline(), _READY_WITHIN_SECONDS)
        self.url = announced.decode().split()[-1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        await self._process.wait()

    async def calls(self) -> int:
        """Requests for a picture so far."""
        async with httpx.AsyncClient(trust_env=False) as http:
            return int((await http.get(f"{self.url}/_simulator")).json()["calls"])

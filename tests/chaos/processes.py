"""The processes of a storm: the platform, which is killed, and the simulated model, which is not."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Self

import httpx

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_SECONDS = 40
BRAND = """\
slug = "chaos"
title = "Chaos"
mode = "test"
hosts = ["127.0.0.1"]
models = ["gemini/gemini-3.1-flash-image"]
styles = ["chibi", { slug = "bust", credits = 2 }]
mail_sender = "Chaos <hello@chaos.example>"
daily_cost_ceiling = { currency = "USD", amount = "100000.00" }

[limits]
uploads_per_hour = 100000
generations_per_hour = 100000
generations_in_flight = 100

[controller]
name = "Chaos Ltd"
contact = "privacy@chaos.example"
"""


class Simulator:
    """Gemini's interface on a loopback port, in a process of its own."""

    def __init__(self, latency_seconds: float) -> None:
        self._latency_seconds = latency_seconds
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "statuette.testing.gemini_simulator", "--port", "0"),
            *("--latency", str(self._latency_seconds), "--picture-edge", "96"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        announced = await asyncio.wait_for(self._process.stdout.readline(), READY_WITHIN_SECONDS)
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


class Server:
    """`statuette serve` on a folder and port that stay the same however often it is killed."""

    def __init__(self, folder: Path, simulator_url: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{(port := _free_port())}"
        self.database_url = f"sqlite:///{folder}/statuette.db"
        self.kills = 0
        self._codes: asyncio.Queue[str] = asyncio.Queue()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("STATUETTE_", "GEMINI_"))},
            "STATUETTE_DATA_DIR": str(folder),
            "STATUETTE_DATABASE_URL": self.database_url,
            "STATUETTE_HOST": "127.0.0.1",
            "STATUETTE_PORT": str(port),
            "STATUETTE_LOG_LEVEL": "warning",
            "STATUETTE_PIXEL_WORKERS": "1",
            "STATUETTE_REQUESTS_PER_MINUTE_PER_PRINCIPAL": "100000",
            "STATUETTE_REQUESTS_PER_MINUTE_PER_ADDRESS": "100000",
            "GEMINI_API_KEY": "simulator-key",
            "GEMINI_BASE_URL": simulator_url,
        }

    async def set_up(self) -> str:
        """Make the database and the brand; returns a key that may grant credits."""
        brand = self.folder / "chaos.toml"
        brand.write_text(BRAND)
        await self._command("migrate")
        await self._command("brand", "apply", str(brand))
        made = await self._command(
            *("brand", "keys", "create", "chaos", "--kind", "secret", "--label", "chaos"),
            *("--scope", "credits:write", "--json"),
        )
        return str(json.loads(made)["key"])

    async def start(self) -> None:
        """Return when it answers."""
        self._process = await self._spawn("serve", stdout=asyncio.subprocess.DEVNULL)
        self._reader = asyncio.create_task(self._read(self._process))
        async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(READY_WITHIN_SECONDS):
            while not await self._ready(http):
                if self._process.returncode is not None:
                    raise AssertionError(f"the server stopped: {(self.folder / 'server.log').read_text()[-2000:]}")
                await asyncio.sleep(0.03)

    async def kill(self) -> None:
        """SIGKILL: no handler, no last word."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        self.kills += 1

    async def stop(self) -> None:
        """As an operator does."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 30)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            await self._reader

    async def mailed_code(self) -> str:
        """The six digits of the next letter."""
        return await asyncio.wait_for(self._codes.get(), 20)

    def objects(self) -> list[str]:
        """Keys of everything in the store, files that a killed write left included."""
        root = self.folder / "plugins" / "local" / "objects"
        return sorted(str(path.relative_to(root)).replace("+/", "/") for path in root.rglob("*") if path.is_file())

    async def _spawn(self, *arguments: str, **streams: Any) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "statuette", *arguments),
            cwd=ROOT,
            env=self._environment,
            stderr=asyncio.subprocess.PIPE,
            **streams,
        )

    async def _command(self, *arguments: str) -> str:
        process = await self._spawn(*arguments, stdout=asyncio.subprocess.PIPE)
        out, error = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, error.decode()
        return out.decode()

    async def _ready(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/readyz", timeout=2)).status_code == 200
        except httpx.TransportError:
            return False

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        with (self.folder / "server.log").open("a") as log:
            async for line in process.stderr:
                text = line.decode(errors="replace")
                log.write(text)
                if not text.startswith("{") and (found := re.search(r"(?<!\d)(\d{6})(?!\d)", text)):
                    self._codes.put_nowait(found.group(1))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""A platform in processes of its own, whatever its profile, and what its people, its operator and its enemies need of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, Self

import httpx

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.values import SystemClock
from tests.chaos.balancer import Balancer
from tests.chaos.program import Program
from tests.profiles import ProfileName

HOST = "chaos.example"
BRAND = """\
slug = "{slug}"
title = "Chaos"
mode = "test"
adults_only = false
hosts = ["{host}"]
models = ["{model}"]
styles = ["chibi", {{ slug = "bust", credits = 2 }}]
mail_sender = "Chaos <hello@chaos.example>"
daily_cost_ceiling = {{ currency = "USD", amount = "100000.00" }}

[limits]
uploads_per_hour = 100000
generations_per_hour = 100000
generations_in_flight = 1000

[controller]
name = "Chaos Ltd"
contact = "privacy@chaos.example"
"""
MODEL = "gemini/gemini-3.1-flash-image"
# Whatever of these the shell has set is meant for other processes.
_FOREIGN = ("STATUETTE_", "GEMINI_", "S3_", "DATABASE_URL", "REDIS_URL", "OTEL_", "SMTP_")
_LETTER = re.compile(r"^\W*To: (?P<to>\S+)$.*?(?<!\d)(?P<code>\d{6})(?!\d)", re.MULTILINE | re.DOTALL)
_CODE_WITHIN_SECONDS = 20

JOURNAL = "journal/"
"""Where the erasure journal is: what it holds has no rows."""


class Deployment(ABC):
    """Started on entry, gone after the exit. Between them its processes may be killed and started as one likes.

    Attributes:
        programs: its processes.
        balancer: what stands before those that answer.
        database_url: of its database.
        disorder: what processes did that were asked to leave in order.
    """

    profile: ClassVar[ProfileName]

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.programs: list[Program] = []
        self.balancer = Balancer(())
        self.database_url = ""
        self.disorder: list[str] = []
        self._settings = dict(settings)

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
            await self.command("migrate")
            for program in self.programs:
                program.launch()
            await asyncio.gather(*(program.ready() for program in self.programs))
            self.balancer = Balancer([program.url for program in self.programs if program.url is not None])
            await self.balancer.__aenter__()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *exit_arguments: object) -> None:
        await self.balancer.__aexit__(*exit_arguments)
        await self._close()

    @abstractmethod
    async def _begin(self) -> None:
        """Start what the processes need, and name them in `programs`."""

    @abstractmethod
    async def _end(self) -> None:
        """Stop what `_begin` started; all processes have ended."""

    @abstractmethod
    def objects(self) -> list[str]:
        """Keys of everything in the store but the erasure journal, seen without the platform's help."""

    def of(self, role: str) -> list[Program]:
        return [program for program in self.programs if program.role == role]

    async def stop(self, program: Program) -> None:
        """As a supervisor does: with SIGTERM, and a while later with SIGKILL."""
        try:
            code = await program.stop()
        except TimeoutError:
            code = None
            await program.kill()
        if code != 0:
            self.disorder.append(f"{program.name} was told to stop: {'it did not' if code is None else f'code {code}'}")

    def client(self, host: str = HOST) -> httpx.AsyncClient:
        """Somebody with a browser."""
        return self.balancer.client(f"https://{host}")

    async def apply_brand(self, slug: str = "chaos", host: str = HOST, model: str = MODEL) -> str:
        """Apply a brand; returns a key that may grant credits."""
        path = self.folder / f"{slug}.toml"
        path.write_text(BRAND.format(slug=slug, host=host, model=model))
        await self.command("brand", "apply", str(path))
        made = await self.command(
            *("brand", "keys", "create", slug, "--kind", "secret", "--label", "chaos"),
            *("--scope", "credits:write", "--json"),
        )
        return str(json.loads(made)["key"])

    async def command(self, *arguments: str) -> str:
        """Run a `statuette` command to its end; what it printed. Raises `AssertionError` if it failed."""
        process = await asyncio.create_subprocess_exec(
            *Program("command", arguments, {}, self.folder).argv,
            cwd=self.folder,
            env=self.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, f"{arguments}: {out.decode()}{error.decode()}"
        return out.decode()

    async def mailed_code(self, email: str) -> str:
        """The six digits of the newest letter to somebody, which whatever process sent it wrote to its terminal."""
        async with asyncio.timeout(_CODE_WITHIN_SECONDS):
            while True:
                letters = [letter for program in self.programs for letter in _LETTER.finditer(program.written())]
                if codes := [letter["code"] for letter in letters if letter["to"] == email]:
                    return codes[-1]
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """A view of our own into its database."""
        database = Database(engine_for(self.database_url), SystemClock())
        await database.open()
        try:
            yield database
        finally:
            await database.close()

    def environment(self, **more: str) -> dict[str, str]:
        """Of every process: the settings."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)},
            "STATUETTE_PROFILE": self.profile,
            "STATUETTE_DATA_DIR": str(self.folder / "data"),
            "STATUETTE_DATABASE_URL": self.database_url,
            "STATUETTE_HOST": "127.0.0.1",
            "STATUETTE_PUBLIC_URL": f"https://{HOST}",
            "STATUETTE_TRUSTED_PROXIES": "127.0.0.0/8",
            "STATUETTE_LOG_LEVEL": "info",
            "STATUETTE_PIXEL_WORKERS": "1",
            "STATUETTE_REQUESTS_PER_MINUTE_PER_PRINCIPAL": "100000",
            "STATUETTE_REQUESTS_PER_MINUTE_PER_ADDRESS": "100000",
            "STATUETTE_SIGNINS_PER_MINUTE_PER_ADDRESS": "100000",
            **self._settings,
            **more,
        }

    async def _close(self) -> None:
        for program in self.programs:
            program.close()
        await self._end()


class Embedded(Deployment):
    """One process on SQLite and a folder."""

    profile = "embedded"

    async def _begin(self) -> None:
        self.database_url = f"sqlite:///{self.folder}/statuette.db"
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        self.programs = [Program("server", ["serve"], self.environment(STATUETTE_PORT=str(port)), self.folder, url=url)]

    async def _end(self) -> None:
        """Nothing is left."""

    def objects(self) -> list[str]:
        """Files that a killed write left included."""
        root = self.folder / "data" / "plugins" / "local" / "objects"
        keys = [str(path.relative_to(root)).replace("+/", "/") for path in root.rglob("*") if path.is_file()]
        return sorted(key for key in keys if not key.startswith(JOURNAL))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

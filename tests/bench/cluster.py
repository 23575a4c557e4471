"""The cluster profile for a measurement: durable PostgreSQL, Redis, and processes of each role, all on this machine.

Objects go to a folder that the processes share, with an fsync each, since an emulator of S3 would take more of the machine
than what is measured.
"""

from __future__ import annotations

import asyncio
import base64
import io
import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import asyncpg
import msgspec
import psutil
from PIL import Image

from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import migrate
from statuette.testing.servers import PostgresServer, RedisServer
from tests.bench.load import post
from tests.chaos.deployment import free_port
from tests.chaos.program import STATUETTE, Program
from tests.profiles import Profile
from tests.site import serving

BENCH_PROCESS = (sys.executable, "-m", "tests.bench.process")
_MODEL = "scripted/scripted-1"
NOTHING: Mapping[str, str] = MappingProxyType({})
_CREDITS = 1_000_000
_LOOK_SECONDS = 0.2
_FOREIGN = ("STATUETTE_", "GEMINI_", "S3_", "DATABASE_URL", "REDIS_URL", "OTEL_", "SMTP_")


class Person(msgspec.Struct, frozen=True):
    """Somebody signed in, with credits and a photo."""

    token: str
    upload_id: str

    def wish(self) -> dict[str, object]:
        """The body of an order for one picture."""
        return {"inputs": [{"upload_id": self.upload_id}], "style": "chibi"}

    def order(self) -> bytes:
        """The whole request."""
        return post("/v1/generations", {"Authorization": self.token}, msgspec.json.encode(self.wish()))


@dataclass
class Cluster:
    """Servers on loopback, and the settings of the processes that share them."""

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    master_key: str = field(default_factory=lambda: base64.b64encode(os.urandom(32)).decode())

    async def people(self, count: int, photo: bytes, model: str = _MODEL) -> list[Person]:
        """The brand, and people who came to it by the API."""
        shared = {"profile": "cluster", "redis_url": self.redis.url, "master_key": self.master_key}
        profile = Profile("cluster", self.postgres.url, {**shared, "shared_data_dir": True})
        async with serving(self.folder, profile) as site:
            # What the processes to come offer cannot be known here; a model that is not there is passed over.
            await site.apply_brand(models=tuple({model: 1, _MODEL: 2}), ceiling="1000000.00", limits_in_flight=100_000)
            visitors = [await site.person(credits=_CREDITS) for _ in range(count)]
            return [
                Person(visitor.http.headers["Authorization"], (await visitor.upload(photo))["id"])
                for visitor in visitors
            ]

    @asynccontextmanager
    async def process(
        self,
        role: str,
        *arguments: str,
        command: Sequence[str] = BENCH_PROCESS,
        environment: Mapping[str, str] = NOTHING,
    ) -> AsyncIterator[Program]:
        """A process at work until the block ends; `environment` is added to its own."""
        port = free_port()
        program = Program(
            f"{role}-{port}",
            ["serve" if command is STATUETTE and role == "api" else role, *arguments],
            {**self._environment(port), **environment},
            self.folder,
            url=f"http://127.0.0.1:{port}" if role == "api" else None,
            command=command,
        )
        try:
            await program.start()
            yield program
            await program.stop()
        finally:
            program.close()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.postgres.url)
        try:
            yield connection
        finally:
            await connection.close()

    def _environment(self, port: int) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)},
            "STATUETTE_PROFILE": "cluster",
            "STATUETTE_DATABASE_URL": self.postgres.url,
            "STATUETTE_REDIS_URL": self.redis.url,
            "STATUETTE_MASTER_KEY": self.master_key,
            "STATUETTE_DATA_DIR": str(self.folder / "data"),
            "STATUETTE_SHARED_DATA_DIR": "true",
            "STATUETTE_PORT": str(port),
            "STATUETTE_DRAIN_SECONDS": "0",
            "STATUETTE_REQUESTS_PER_MINUTE_PER_PRINCIPAL": "1000000",
            "STATUETTE_REQUESTS_PER_MINUTE_PER_ADDRESS": "1000000",
        }


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    with tempfile.TemporaryDirectory() as folder, PostgresServer() as postgres, RedisServer() as redis:
        await _migrate(postgres.url)
        yield Cluster(Path(folder), postgres, redis)


async def _migrate(url: str) -> None:
    engine = engine_for(url)
    await engine.open()
    try:
        await migrate(engine)
    finally:
        await engine.close()


def photo(kilobytes: int) -> bytes:
    """A JPEG that intake makes about so large: all noise, as nothing smaller stays that heavy."""
    edge = int((kilobytes * 1000 / 0.84) ** 0.5)  # bytes a pixel at intake's quality
    encoded = io.BytesIO()
    Image.frombytes("RGB", (edge, edge), random.Random(0).randbytes(3 * edge * edge)).save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


def cpu_seconds(pid: int, *, children: bool = False) -> float:
    """What a process has used so far, in user and system time."""
    process = psutil.Process(pid)
    family = [process, *(process.children(recursive=True) if children else ())]
    return float(sum(times.user + times.system for times in (each.cpu_times() for each in family)))


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has held at once. Linux."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return kilobytes * 1024 / 1e6


async def all_ended(database: asyncpg.Connection, within_seconds: float) -> None:
    """Until no job is left to do. Raises `TimeoutError`."""
    async with asyncio.timeout(within_seconds):
        unfinished = "SELECT EXISTS (SELECT 1 FROM generation WHERE finished_at IS NULL)"
        while await database.fetchval(unfinished):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(_LOOK_SECONDS)

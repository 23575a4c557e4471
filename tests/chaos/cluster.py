"""The cluster profile as it is run: PostgreSQL, Redis, a store, and processes of each role, all on loopback."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from statuette.testing.fault_proxy import FaultProxy
from statuette.testing.servers import PostgresServer, RedisServer, S3Server
from tests.chaos.deployment import JOURNAL, Deployment, free_port
from tests.chaos.program import STATUETTE, Program
from tests.profiles import Bucket

ROLES = ("api", "worker", "scheduler")
_BUCKETS = {"S3": "objects", "S3_KEYS": "data-keys"}
# A process that is killed while it starts leaves one; a check removes those that are an hour old.
_TRIED_OUT_WITH = "statuette-check/"


class Cluster(Deployment):
    """As many processes of each role as wished; two unless told.

    Args:
        skews: by how many seconds the clock is fast of the machine that a process runs on, by its name.

    Attributes:
        postgres, redis, s3: the servers, to be stopped, killed, paused and emptied.
        s3_proxy: through which the processes reach the store, to be slow, silent and cut.
    """

    profile = "cluster"

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        *,
        counts: Mapping[str, int] | None = None,
        skews: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(folder, settings)
        self.postgres = PostgresServer()
        self.redis = RedisServer()
        self.s3 = S3Server()
        self.s3_proxy = FaultProxy(0)
        self._skews = skews or {}
        self._counts = {**dict.fromkeys(ROLES, 2), **(counts or {})}
        self._servers = ExitStack()
        self._master_key = base64.b64encode(os.urandom(32)).decode()

    async def _begin(self) -> None:
        servers = (self.postgres, self.redis, self.s3)
        for server in servers:
            self._servers.push(server)
        await asyncio.gather(*(asyncio.to_thread(server.__enter__) for server in servers))
        self.database_url = self.postgres.url
        for bucket in _BUCKETS.values():
            await asyncio.to_thread(self.s3.create_bucket, bucket, versioned=True)
        self.s3_proxy = FaultProxy(self.s3.port)
        await self.s3_proxy.__aenter__()
        for role in ROLES:
            for number in range(1, self._counts[role] + 1):
                self.programs.append(self._program(role, f"{role}-{number}"))

    async def _end(self) -> None:
        await self.s3_proxy.__aexit__()
        await asyncio.to_thread(self._servers.close)

    async def heal(self) -> list[str]:
        """Undo whatever was done to servers and processes. Returns the processes that had ended though nobody had told them."""
        self.s3_proxy.heal()
        await self.s3_proxy.welcome()
        for server in (self.postgres, self.redis):
            if server.running:
                server.resume()
            await asyncio.to_thread(server.start)
        ended = [program for program in self.programs if not program.running]
        by_themselves = [program.name for program in ended if not program.told_to_end]
        for program in self.programs:
            if program in ended:
                program.launch()
            else:
                program.resume()
        await asyncio.gather(*(program.ready() for program in ended))
        return by_themselves

    def environment(self, **more: str) -> dict[str, str]:
        access = self.s3.access
        store = {}
        for prefix, bucket in _BUCKETS.items():
            store[f"{prefix}_URL"] = f"http://127.0.0.1:{self.s3_proxy.port}"
            store[f"{prefix}_BUCKET"] = bucket
            store[f"{prefix}_REGION"] = access.region
            store[f"{prefix}_ACCESS_KEY_ID"] = access.access_key_id
            store[f"{prefix}_SECRET_ACCESS_KEY"] = access.secret_access_key
        own = {
            "STATUETTE_REDIS_URL": self.redis.url,
            "STATUETTE_MASTER_KEY": self._master_key,
            "STATUETTE_STORAGE": "s3",
            "STATUETTE_KEY_STORE": "s3_keys",
            "STATUETTE_DRAIN_SECONDS": "1",
        }
        return super().environment(**{**own, **store, **more})

    def secrets(self) -> dict[str, str]:
        """What its processes are trusted with, by what it is."""
        environment = self.environment()
        return {
            "address of the database": self.database_url,
            "address of Redis": self.redis.url,
            "master key": self._master_key,
            "key of the store": self.s3.access.secret_access_key,
            "key of the model": environment.get("GEMINI_API_KEY", ""),
        }

    def objects(self) -> list[str]:
        """Earlier versions, and what hides them, included; but neither the journal nor what processes try the store out with."""
        import boto3  # slow, and the embedded profile needs none

        access = self.s3.access
        session = boto3.Session(access.access_key_id, access.secret_access_key, region_name=access.region)
        keys = Bucket(session.client("s3", endpoint_url=access.url), _BUCKETS["S3"], "").keys()
        return [key for key in keys if not key.startswith((_TRIED_OUT_WITH, JOURNAL))]

    def _program(self, role: str, name: str) -> Program:
        skew = self._skews.get(name)
        command = STATUETTE if skew is None else (sys.executable, "-m", "tests.chaos.skewed", str(skew))
        if role != "api":
            return Program(name, [role], self.environment(), self.folder, command=command)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        environment = self.environment(STATUETTE_PORT=str(port))
        return Program(name, ["serve"], environment, self.folder, url=url, command=command)

"""Reads along wherever a cluster talks outside of its database: logs, Redis, telemetry. For I13, and for bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

import msgspec
import redis.asyncio as redis
from redis.exceptions import RedisError

from statuette.kernel.tasks import ended
from statuette.testing.otlp_receiver import OtlpReceiver
from tests.chaos.cluster import Cluster

_LOOK_SECONDS = 0.25
_FRAME = ("┌", "│", "├", "└", "+-", "| ")  # of letters, which the console mailer writes to the terminal, not to the log


class Eavesdropper:
    """Hears every command sent to Redis between entering and leaving the context, restarts and all.

    Attributes:
        lasting: keys that were seen without an expiry.
        keys: keys that were seen.
    """

    def __init__(self, cluster: Cluster, telemetry: OtlpReceiver | None = None) -> None:
        self.lasting: set[str] = set()
        self.keys: set[str] = set()
        self._cluster = cluster
        self._telemetry = telemetry
        self._commands: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._over = False
        self._client = redis.Redis.from_url(cluster.redis.url, decode_responses=True, socket_connect_timeout=1)

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look())]
        return self

    async def __aexit__(self, *exit_arguments: object) -> None:
        self._over = True  # the client may turn a cancellation into an error of its own
        deaf = [task for task in self._tasks if task.done()]
        await ended(*self._tasks)
        await self._client.aclose()
        for task in deaf:
            task.result()  # raises: who stopped listening has heard nothing wrong, and that proves nothing

    def heard(self) -> dict[str, str]:
        """All that was said so far, by where."""
        said = {program.name: "\n".join(_log_lines(program.written())) for program in self._cluster.programs}
        said["Redis"] = "\n".join(self._commands)
        if self._telemetry is not None:
            spans, metrics = self._telemetry.spans(), self._telemetry.metrics()
            said["telemetry"] = (msgspec.json.encode(spans) + msgspec.json.encode(metrics)).decode()
        return said

    def told(self, private: Mapping[str, str]) -> list[str]:
        """What was told that should not have been: I13.

        Args:
            private: by what it is; the cluster's own secrets are added.
        """
        secrets = {what: urlsplit(value).password or value for what, value in self._cluster.secrets().items() if value}
        heard = self.heard()
        return [
            f"I13: the {what} was told to {where}"
            for what, value in {**private, **secrets}.items()
            for where, text in heard.items()
            if value in text
        ] + [f"Redis keeps {key} for ever" for key in sorted(self.lasting)]

    async def _listen(self) -> None:
        while not self._over:
            with contextlib.suppress(RedisError, OSError):
                async with self._client.monitor() as monitor:
                    async for command in monitor.listen():
                        self._commands.append(command["command"])
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self) -> None:
        while not self._over:
            with contextlib.suppress(RedisError, OSError):
                async for key in self._client.scan_iter(count=1000):
                    self.keys.add(key)
                    if await self._client.pttl(key) == -1:
                        self.lasting.add(key)
            await asyncio.sleep(_LOOK_SECONDS)


def _log_lines(written: str) -> list[str]:
    return [line for line in written.splitlines() if not line.startswith(_FRAME)]

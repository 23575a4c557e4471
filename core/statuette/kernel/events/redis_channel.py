"""Signals through Redis: one channel, published in bursts, subscribed by every process."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import redis.asyncio as redis

from statuette.kernel import telemetry
from statuette.kernel.events.signals import Signals
from statuette.kernel.tasks import ended

_BURST_SECONDS = 0.003
_MOST_PENDING = 20_000
_LOOK_AGAIN_SECONDS = 1.0
_log = logging.getLogger(__name__)


class RedisChannel:
    """Whoever waits for a signal looks by itself every now and then, so that one lost costs a moment."""

    def __init__(self, client: redis.Redis, namespace: str, signals: Signals) -> None:
        self._client = client
        self._name = f"{namespace}:signals"
        self._signals = signals
        self._pending: dict[str, None] = {}  # in order, each once
        self._some = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.hears = False

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._publishing(), name="signals_out"),
            asyncio.create_task(self._listening(), name="signals_in"),
        ]

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        await ended(*tasks)

    def publish(self, kind: str, subject: str) -> None:
        if len(self._pending) < _MOST_PENDING:
            self._pending[f"{kind} {subject}"] = None
            self._some.set()
        else:
            telemetry.signals_lost.add(1)

    async def _publishing(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(_BURST_SECONDS)  # a job tells several things at once
            self._some.clear()
            pending, self._pending = self._pending, {}
            try:
                await self._client.publish(self._name, "\n".join(pending))
            except Exception as error:  # whatever it is, the next burst may get through
                telemetry.signals_lost.add(len(pending))
                _log.warning("signals_lost", extra={"facts": {"error": type(error).__name__}})

    async def _listening(self) -> None:
        while True:
            try:
                async with self._client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(self._name)
                    self._turned(hears=True)
                    while True:
                        message = await pubsub.get_message(timeout=30)
                        if message is not None:
                            await self._deliver(message["data"])
            except Exception as error:  # whatever it is, the next attempt may succeed
                _log.warning("signals_unavailable", extra={"facts": {"error": type(error).__name__}})
            if self.hears:
                self._turned(hears=False)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    def _turned(self, *, hears: bool) -> None:
        self.hears = hears
        with contextlib.suppress(Exception):  # a listener's trouble does not make us deaf
            self._signals.doubt()

    async def _deliver(self, data: bytes) -> None:
        for line in data.decode(errors="replace").split("\n"):
            kind, _, subject = line.partition(" ")
            with contextlib.suppress(Exception):  # one listener's trouble is not the next one's
                await self._signals.deliver(kind, subject)

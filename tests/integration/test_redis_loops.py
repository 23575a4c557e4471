"""What goes on in the background with Redis goes on, whatever one thing of it runs into."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import redis
import redis.asyncio

from statuette.kernel.events.redis_channel import RedisChannel
from statuette.kernel.events.signals import CHANGED, Signals
from statuette.kernel.http.limits import Buckets
from statuette.kernel.http.shared_limits import SharedLimits
from statuette.kernel.work.brokers import ExpiringRedisBroker
from statuette.kernel.work.hints import RedisHints
from statuette.kernel.work.queues import INTERACTIVE
from statuette.testing import FrozenClock
from statuette.testing.servers import RedisServer

NAMESPACE = "loops"
SOON_SECONDS = 8.0
UNSENDABLE = "\ud800"  # half of a character: no text that could be encoded
KIND_OF_TROUBLE = "UnicodeEncodeError"


async def until(fulfilled: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_SECONDS):
        while not fulfilled():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


@asynccontextmanager
async def connected(redis_url: str, namespace: str) -> AsyncIterator[tuple[Signals, RedisChannel]]:
    """A process, as far as signals go."""
    signals = Signals()
    async with redis.asyncio.from_url(redis_url) as client:
        channel = RedisChannel(client, namespace, signals)
        signals.connect(channel)
        await channel.start()
        try:
            yield signals, channel
        finally:
            await channel.stop()


def troubles(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    """The facts of each line of the log that says so."""
    return [vars(record)["facts"] for record in caplog.records if record.message == message]


async def test_a_hint_that_cannot_be_sent_keeps_back_none_that_comes_later(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Given hints, one of which cannot be sent
    caplog.set_level(logging.WARNING)
    broker = ExpiringRedisBroker(redis_url, NAMESPACE)
    hints = RedisHints(broker)
    await hints.start()
    await hints.send(UNSENDABLE, ["wrk_1"])
    await until(lambda: bool(troubles(caplog, "hints_lost")))

    # When there is another
    await hints.send(INTERACTIVE, ["wrk_2"])

    # Then it arrives, and the log says what kind of trouble there was
    await until(lambda: broker.waiting(INTERACTIVE) == 1)
    assert troubles(caplog, "hints_lost") == [{"hints": 1, "error": KIND_OF_TROUBLE}]
    await hints.stop()
    broker.close()


async def test_a_signal_that_cannot_be_sent_keeps_back_none_that_comes_later(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Given two processes, and a signal of one that cannot be sent
    caplog.set_level(logging.WARNING)
    heard: list[str] = []

    async def hear(subject: str) -> None:
        heard.append(subject)

    async with connected(redis_url, redis_url) as (one, _), connected(redis_url, redis_url) as (other, channel):
        other.listen(CHANGED, hear)
        await until(lambda: channel.hears)
        await one.send(CHANGED, UNSENDABLE)
        await until(lambda: bool(troubles(caplog, "signals_lost")))

        # When there is another
        await one.send(CHANGED, "gen_1")

        # Then it arrives, and the log says what kind of trouble there was
        await until(lambda: heard == ["gen_1"])
        assert troubles(caplog, "signals_lost") == [{"error": KIND_OF_TROUBLE}]


async def test_a_process_hears_signals_though_somebody_who_waits_for_them_is_in_trouble(redis_url: str) -> None:
    # Given two processes, and in one of them somebody who cannot cope with a doubt
    heard: list[str] = []

    async def hear(subject: str) -> None:
        heard.append(subject)

    def cannot_cope() -> None:
        raise RuntimeError("in trouble")

    async with connected(redis_url, redis_url) as (one, _), connected(redis_url, redis_url) as (other, channel):
        other.on_doubt(cannot_cope)
        other.listen(CHANGED, hear)
        await until(lambda: channel.hears)

        # When the other sends a signal
        await one.send(CHANGED, "gen_1")

        # Then it is heard
        await until(lambda: heard == ["gen_1"])


async def test_limits_are_shared_though_those_of_one_caller_cannot_be(
    redis_url: str, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a caller of whom the others cannot be told
    caplog.set_level(logging.WARNING)
    buckets = Buckets(clock)
    async with redis.asyncio.from_url(redis_url) as client:
        limits = SharedLimits(client, NAMESPACE, buckets, b"secret")
        await limits.start()
        buckets.take(UNSENDABLE, limit=10, window_seconds=60)
        await until(lambda: bool(troubles(caplog, "limits_not_shared")))

        # When another comes
        buckets.take("somebody", limit=10, window_seconds=60)

        # Then the others are told, and the log says what kind of trouble there was
        with redis.Redis.from_url(redis_url) as looking:
            await until(lambda: looking.dbsize() == 1)
        assert troubles(caplog, "limits_not_shared") == [{"error": KIND_OF_TROUBLE}]
        await limits.stop()


def test_a_bell_that_could_not_be_made_to_expire_is_not_rung() -> None:
    # Given a Redis that takes everything of a worker's but an expiry
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        client.acl_setuser("worker", enabled=True, passwords=["+pass"], keys=["*"], commands=["+@all", "-expire"])
        broker = ExpiringRedisBroker(f"redis://worker:pass@127.0.0.1:{server.port}/0", NAMESPACE)

        # When the worker rings
        broker.wake()
        broker.close()

        # Then nothing is left of it
        assert client.keys() == []

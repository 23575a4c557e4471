"""A platform at work: what a process of each role starts, and stops in the opposite order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum

import redis.asyncio as redis

from statuette.kernel import telemetry
from statuette.kernel.clock import DatabaseClock
from statuette.kernel.db.database import Transaction
from statuette.kernel.db.schema import check_schema, migrate
from statuette.kernel.events.redis_channel import RedisChannel
from statuette.kernel.http.shared_limits import SharedLimits
from statuette.kernel.idempotency.once import forget_claims
from statuette.kernel.journal.replay import Replayed
from statuette.kernel.master_key import derived
from statuette.kernel.platform import Platform
from statuette.kernel.work import findings
from statuette.kernel.work.brokers import ExpiringRedisBroker, memory_broker
from statuette.kernel.work.hints import MemoryHints, RedisHints
from statuette.kernel.work.queues import QUEUES
from statuette.kernel.work.without_broker import WithoutBroker
from statuette.kernel.work.workers import Workers
from statuette.ports.keys import KeyStoreUnavailable
from statuette.ports.storage import StorageUnavailable

_JOURNAL_IS_ASKED_AGAIN_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Role(StrEnum):
    """What a process does. The embedded profile's one process does everything."""

    api = "api"
    worker = "worker"
    scheduler = "scheduler"


EVERY_ROLE = frozenset(Role)


@asynccontextmanager
async def running(
    platform: Platform, roles: frozenset[Role] = EVERY_ROLE, queues: tuple[str, ...] = QUEUES
) -> AsyncIterator[None]:
    """Open and work; when the block ends, stop in order: no new work, finish what is under way, close.

    Args:
        queues: those that a worker serves.
    """
    async with AsyncExitStack() as stack:
        await platform.database.open()
        stack.push_async_callback(platform.database.close)
        if platform.settings.profile == "embedded":
            await migrate(platform.database.engine)
        await check_schema(platform.database.engine)
        if isinstance(platform.clock, DatabaseClock):
            await platform.clock.start(platform.database)
            stack.push_async_callback(platform.clock.stop)
        stack.push_async_callback(platform.plugins.aclose)
        await _check_stores(platform)
        await _report_quarantined(platform)
        await platform.presence.start("+".join(sorted(roles)))
        stack.push_async_callback(platform.presence.stop)
        if platform.settings.profile == "embedded":
            await platform.presence.forget_others()
        stack.push_async_callback(platform.journal.stop)
        await _catch_up(platform)
        stack.push_async_callback(asyncio.to_thread, telemetry.flush)
        if roles & {Role.api, Role.worker}:
            await platform.pixels.start()
            stack.push_async_callback(platform.pixels.aclose)
        if platform.settings.profile == "embedded":
            await _work_alone(platform, stack)
        else:
            await _work_with_others(platform, stack, platform.settings.redis_url or "", roles, queues)
        if Role.scheduler in roles:
            await platform.scheduler.start()
            stack.push_async_callback(platform.scheduler.stop)
        yield


async def caught_up(platform: Platform, *, done: Callable[[Transaction], Awaitable[None]]) -> Replayed:
    """Open an embedded platform that was just restored, do again what the journal says, and close; nobody is served.

    Args:
        done: what to write down once that is done.

    Raises:
        StorageUnavailable: the journal cannot be read; the next start does all of it.
    """
    async with AsyncExitStack() as stack:
        await platform.database.open()
        stack.push_async_callback(platform.database.close)
        await migrate(platform.database.engine)
        stack.push_async_callback(platform.plugins.aclose)
        await platform.presence.start("restore")
        stack.push_async_callback(platform.presence.stop)
        await platform.presence.forget_others()
        stack.push_async_callback(platform.journal.stop)
        replayed = await platform.replay.catch_up()
        await platform.key_replay.catch_up()
        async with platform.database.transaction() as tx:
            await done(tx)
    return replayed


async def _check_stores(platform: Platform) -> None:
    """A store that is set up wrongly ends the start, with its cure. One that is away for now does not: it will be back."""
    for store in (platform.plugins.storage, platform.plugins.key_store):
        try:
            await store.check()
        except (StorageUnavailable, KeyStoreUnavailable) as error:
            _log.warning("store_unavailable", extra={"facts": {"store": store.name, "code": error.code}})


async def _catch_up(platform: Platform) -> None:
    """Nothing is served before it is certain that the database brings nothing back that was erased."""
    while True:
        try:
            await platform.replay.catch_up()
            break
        except StorageUnavailable as error:
            _log.warning("journal_unavailable", extra={"facts": {"code": error.code, "detail": error.detail}})
            await asyncio.sleep(_JOURNAL_IS_ASKED_AGAIN_SECONDS)
    try:
        await platform.key_replay.catch_up()
    except (
        StorageUnavailable,
        KeyStoreUnavailable,
    ) as error:  # a key alone shows nobody anything: the scheduler looks again
        _log.warning("store_unavailable", extra={"facts": {"store": "keys", "code": error.code}})


async def _report_quarantined(platform: Platform) -> None:
    async with platform.database.transaction() as tx:
        for entry in platform.plugins.quarantined:
            await findings.raise_finding(
                tx, code="plugin_quarantined", subject=entry.name, detail=entry.code, brand_id=None
            )


async def _work_alone(platform: Platform, stack: AsyncExitStack) -> None:
    """Every role in this process, and nobody else."""
    brokers = {queue: memory_broker() for queue in QUEUES}
    workers = Workers(platform.runner, brokers, concurrency=platform.settings.worker_concurrency)
    platform.outbox.connect(MemoryHints(brokers))
    await forget_claims(platform.database)
    await workers.start()
    stack.push_async_callback(workers.stop, platform.settings.stop_seconds)


async def _work_with_others(
    platform: Platform, stack: AsyncExitStack, url: str, roles: frozenset[Role], queues: tuple[str, ...]
) -> None:
    settings = platform.settings
    client = redis.from_url(url, socket_timeout=35, socket_connect_timeout=2, health_check_interval=15)
    stack.push_async_callback(client.aclose)
    channel = RedisChannel(client, settings.redis_namespace, platform.signals)
    platform.signals.connect(channel)
    await channel.start()
    stack.push_async_callback(channel.stop)
    sender = ExpiringRedisBroker(url, settings.redis_namespace)
    stack.callback(sender.close)
    hints = RedisHints(sender)
    await hints.start()
    stack.push_async_callback(hints.stop)
    platform.outbox.connect(hints)
    if Role.api in roles:
        secret = derived(platform.secret, "rate-limits")
        limits = SharedLimits(client, settings.redis_namespace, platform.buckets, secret)
        await limits.start()
        stack.push_async_callback(limits.stop)
    if Role.worker in roles:
        brokers = {queue: ExpiringRedisBroker(url, settings.redis_namespace) for queue in queues}
        _warn_of_slow_models(platform)
        workers = Workers(platform.runner, brokers, concurrency=settings.worker_concurrency)
        await workers.start()
        stack.push_async_callback(workers.stop, settings.stop_seconds)
        fallback = WithoutBroker(platform.outbox, workers)
        await fallback.start()
        stack.push_async_callback(fallback.stop)


def _warn_of_slow_models(platform: Platform) -> None:
    """A call that outlasts a stop is made, and paid, again by another worker."""
    for provider in platform.plugins.image_providers.values():
        for model in provider.models():
            seconds = model.timeout.total_seconds()
            paid = model.worst_case_cost.micros > 0 and not model.repeatable
            if paid and seconds > platform.settings.stop_seconds:
                _log.warning(
                    "calls_outlast_stop",
                    extra={
                        "facts": {
                            "model": f"{provider.name}/{model.id}",
                            "timeout_seconds": seconds,
                            "stop_seconds": platform.settings.stop_seconds,
                        }
                    },
                )

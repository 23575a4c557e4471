"""A broker that is away, refuses, or is read by nobody: work is done all the same, all kinds of it, and nothing piles up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import redis

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.engines import engine_for
from statuette.kernel.work.brokers import ExpiringRedisBroker
from statuette.kernel.work.hints import RedisHints
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.kernel.work.queues import ENFORCEMENT, INTERACTIVE
from statuette.kernel.work.runner import Actor, Runner
from statuette.kernel.work.without_broker import WithoutBroker
from statuette.kernel.work.workers import Workers
from statuette.testing import FrozenClock
from statuette.testing.servers import RedisServer
from statuette.values import SystemClock

pytestmark = pytest.mark.parametrize("profile_name", ["cluster"], indirect=True)

_NAMESPACE = "without"
_FOUND_WITHIN_SECONDS = 8.0
_HANDS = 3


@pytest.fixture
def own_redis() -> RedisServer:
    """A server of this test alone, to be mistreated."""
    return RedisServer()


@pytest.fixture
async def running_database(database_url: str) -> AsyncIterator[Database]:
    """Open, with a clock that runs: who looks for what was overlooked looks at how long it has waited."""
    opened = Database(engine_for(database_url), SystemClock())
    await opened.open()
    yield opened
    await opened.close()


class Desk:
    """Puts work for itself on two queues: what hangs, and what is noted as done."""

    def __init__(self, database: Database, redis_url: str) -> None:
        self.done: set[str] = set()
        self.let_go = asyncio.Event()
        self._database = database
        self.outbox = Outbox(database, "prc_desk")
        actors = (
            Actor("hang", INTERACTIVE, self._hang, _never),
            Actor("note", INTERACTIVE, self._note, _never),
            Actor("delete", ENFORCEMENT, self._note, _never),
        )
        self._runner = Runner(database, self.outbox, SystemClock(), actors)
        self.hints = RedisHints(ExpiringRedisBroker(redis_url, _NAMESPACE))
        brokers = {queue: ExpiringRedisBroker(redis_url, _NAMESPACE) for queue in (INTERACTIVE, ENFORCEMENT)}
        self.workers = Workers(self._runner, brokers, concurrency=_HANDS)
        self.fallback = WithoutBroker(self.outbox, self.workers)
        self.outbox.connect(self.hints)

    async def put(self, actor: str, queue: str, *subject_ids: str) -> None:
        async with self._database.transaction() as tx:
            for subject_id in subject_ids:
                await self.outbox.put(tx, queue=queue, actor=actor, subject_id=subject_id)

    async def _hang(self, claimed: Claimed) -> None:
        await self.let_go.wait()
        await self._note(claimed)

    async def _note(self, claimed: Claimed) -> None:
        async with self._database.transaction() as tx:
            await self.outbox.finish(tx, claimed)
        self.done.add(claimed.subject_id)


async def _never(tx: Transaction, subject_id: str) -> str | None:
    raise AssertionError("nothing here is poison")


@asynccontextmanager
async def working(desk: Desk) -> AsyncIterator[None]:
    await desk.hints.start()
    await desk.workers.start()
    await desk.fallback.start()
    try:
        yield
    finally:
        desk.let_go.set()
        await desk.fallback.stop()
        await desk.workers.stop(5)
        await desk.hints.stop()


async def until(fulfilled: Callable[[], bool]) -> None:
    async with asyncio.timeout(_FOUND_WITHIN_SECONDS):
        while not fulfilled():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("trouble", ["full", "read_only"])
async def test_work_is_done_though_redis_answers_and_takes_nothing(
    running_database: Database, own_redis: RedisServer, trouble: str
) -> None:
    # Given workers at a Redis that answers, and refuses every write
    with own_redis:
        desk = Desk(running_database, own_redis.url)
        async with working(desk):
            getattr(own_redis, trouble)(True)
            with redis.Redis.from_url(own_redis.url) as client:
                assert client.ping()
                with pytest.raises(redis.RedisError):
                    client.set("probe", 1, ex=60)

            # When work is put
            await desk.put("note", INTERACTIVE, "gen_1", "gen_2")

            # Then it is found and done, and so is what comes when Redis takes writes again
            await until(lambda: desk.done == {"gen_1", "gen_2"})
            getattr(own_redis, trouble)(False)
            await desk.put("note", INTERACTIVE, "gen_3")
            await until(lambda: "gen_3" in desk.done)


async def test_a_deletion_does_not_wait_behind_jobs_that_hang_while_redis_is_away(
    running_database: Database, own_redis: RedisServer
) -> None:
    # Given no Redis, and more jobs that hang than there are hands
    with own_redis:
        desk = Desk(running_database, own_redis.url)
        async with working(desk):
            own_redis.stop()
            await desk.put("hang", INTERACTIVE, *(f"gen_{number}" for number in range(3 * _HANDS)))

            # When something falls due for deletion
            await desk.put("delete", ENFORCEMENT, "ddl_1")

            # Then it is carried out, though no job has ended
            await until(lambda: desk.done == {"ddl_1"})


async def test_a_worker_stops_at_once_though_redis_went_away_under_a_job_that_it_had_brought(
    running_database: Database, own_redis: RedisServer
) -> None:
    # Given a job that a hint brought, and that ends while Redis is away
    with own_redis:
        desk = Desk(running_database, own_redis.url)
        async with working(desk):
            await desk.put("hang", INTERACTIVE, "gen_1")
            await until(lambda: desk.workers.free()[INTERACTIVE] < _HANDS)
            own_redis.stop()
            desk.let_go.set()
            await until(lambda: desk.done == {"gen_1"})

            # When the worker is told to stop
            began = time.monotonic()
            await desk.fallback.stop()
            await desk.workers.stop(grace_seconds=60)

            # Then it does, and does not wait for Redis to take note of the job
            assert time.monotonic() - began < _FOUND_WITHIN_SECONDS


async def test_hints_that_got_lost_among_many_are_sent_again(
    database: Database, clock: FrozenClock, redis_url: str
) -> None:
    # Given many hints that nobody takes
    outbox = Outbox(database, "prc_api")
    hints = RedisHints(ExpiringRedisBroker(redis_url, _NAMESPACE))
    outbox.connect(hints)
    await hints.start()
    async with database.transaction() as tx:
        for number in range(600):
            await outbox.put(tx, queue=INTERACTIVE, actor="note", subject_id=f"gen_{number}")
    await _sent(hints)

    # When Redis loses some of them
    with redis.Redis.from_url(redis_url) as client:
        client.ltrim(f"{_NAMESPACE}:work:{INTERACTIVE}", 200, -1)
    clock.advance(timedelta(seconds=11))
    await outbox.relay()
    await _sent(hints)

    # Then as many are sent again, and no more however long it takes
    assert await hints.backlog(INTERACTIVE) == 600
    clock.advance(timedelta(minutes=10))
    assert await outbox.relay() == 0
    await hints.stop()


async def test_hints_that_nobody_takes_do_not_pile_up(database: Database, clock: FrozenClock, redis_url: str) -> None:
    # Given two thousand items of a queue that no worker serves
    outbox = Outbox(database, "prc_api")
    hints = RedisHints(ExpiringRedisBroker(redis_url, _NAMESPACE))
    outbox.connect(hints)
    await hints.start()
    async with database.transaction() as tx:
        for number in range(2_000):
            await outbox.put(tx, queue=INTERACTIVE, actor="note", subject_id=f"gen_{number}")
    await _sent(hints)

    # When an hour goes by
    for _ in range(60):
        clock.advance(timedelta(minutes=1))
        await outbox.relay()
        await _sent(hints)

    # Then there is about one hint for each, not sixty
    assert 1_900 <= await hints.backlog(INTERACTIVE) <= 2_500
    await hints.stop()


async def _sent(hints: RedisHints) -> None:
    """Until what was to be sent has left."""
    before = -1
    async with asyncio.timeout(_FOUND_WITHIN_SECONDS):
        while before != (before := await hints.backlog(INTERACTIVE)):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.1)

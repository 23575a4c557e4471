"""Workers wait for work on Redis without asking for it, and hear of it at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.work import consumer
from statuette.kernel.work.brokers import ExpiringRedisBroker, hint
from statuette.kernel.work.hints import RedisHints
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.kernel.work.queues import INTERACTIVE
from statuette.kernel.work.runner import Actor, Runner
from statuette.kernel.work.workers import Workers
from statuette.values import SystemClock

NAMESPACE = "waiting"
LONG_SECONDS = 4.0
AT_ONCE_SECONDS = 2.0


@pytest.fixture(autouse=True)
def _looks_again_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever only looks every now and then would be late in every test here."""
    monkeypatch.setattr(consumer, "LOOK_AGAIN_SECONDS", LONG_SECONDS)


class Desk:
    """Where work is put for a worker, and where it notes what it did."""

    def __init__(self, database: Database, redis_url: str) -> None:
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.go_on = asyncio.Event()
        self._database = database
        self._outbox = Outbox(database, "prc_desk")
        actor = Actor("note", INTERACTIVE, self._note, self._poisoned)
        self.runner = Runner(database, self._outbox, SystemClock(), (actor,))
        self.hints = RedisHints(ExpiringRedisBroker(redis_url, NAMESPACE))
        self._outbox.connect(self.hints)

    async def put(self, subject_id: str) -> None:
        async with self._database.transaction() as tx:
            await self._outbox.put(tx, queue=INTERACTIVE, actor="note", subject_id=subject_id)

    async def next_begun(self) -> str:
        async with asyncio.timeout(AT_ONCE_SECONDS):
            return await self.begun.get()

    async def _note(self, claimed: Claimed) -> None:
        await self.begun.put(claimed.subject_id)
        await self.go_on.wait()
        async with self._database.transaction() as tx:
            await self._outbox.finish(tx, claimed)

    async def _poisoned(self, tx: Transaction, subject_id: str) -> str | None:
        raise AssertionError("nothing here is poison")


@asynccontextmanager
async def working(database: Database, redis_url: str, *, concurrency: int = 2) -> AsyncIterator[tuple[Desk, Workers]]:
    desk = Desk(database, redis_url)
    desk.go_on.set()
    workers = Workers(desk.runner, {INTERACTIVE: ExpiringRedisBroker(redis_url, NAMESPACE)}, concurrency=concurrency)
    await desk.hints.start()
    await workers.start()
    try:
        yield desk, workers
    finally:
        desk.go_on.set()
        await workers.stop(5)
        await desk.hints.stop()


async def until(fulfilled: Callable[[], bool]) -> None:
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while not fulfilled():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


def waiting(client: redis.Redis, *, database: str) -> int:
    """How many connections wait for a bell."""
    return sum("b" in found["flags"] and found["db"] == database for found in client.client_list())


def database_of(redis_url: str) -> str:
    return redis_url.rsplit("/", 1)[1]


async def test_a_worker_that_waits_hears_of_work_at_once(database: Database, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        async with working(database, redis_url) as (desk, _):
            # Given a worker that waits
            await until(lambda: waiting(client, database=database_of(redis_url)) == 1)

            # When there is work
            await desk.put("gen_one")

            # Then it begins long before the worker would have looked
            assert await desk.next_begun() == "gen_one"


async def test_a_worker_with_all_hands_full_takes_up_the_next_as_soon_as_one_is_free(
    database: Database, redis_url: str
) -> None:
    async with working(database, redis_url, concurrency=1) as (desk, _):
        # Given one job in hand, as many as there may be, and one that waits
        desk.go_on.clear()
        await desk.put("gen_one")
        assert await desk.next_begun() == "gen_one"
        await desk.put("gen_two")

        # When the first is done
        desk.go_on.set()

        # Then the second begins
        assert await desk.next_begun() == "gen_two"


async def test_a_worker_that_waits_stops_at_once(database: Database, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        async with working(database, redis_url) as (_, workers):
            await until(lambda: waiting(client, database=database_of(redis_url)) == 1)
            began = time.monotonic()

            await workers.stop(grace_seconds=30)

            assert time.monotonic() - began < AT_ONCE_SECONDS


async def test_one_message_wakes_one_of_those_who_wait(redis_url: str) -> None:
    # Given two workers that wait
    brokers = [ExpiringRedisBroker(redis_url, NAMESPACE) for _ in range(2)]
    woken: list[int] = []

    def wait(number: int) -> None:
        brokers[number].wait_for_bell(INTERACTIVE, LONG_SECONDS)
        woken.append(number)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(2)]
    with redis.Redis.from_url(redis_url) as client:
        for thread in threads:
            thread.start()
        await until(lambda: waiting(client, database=database_of(redis_url)) == 2)

        # When there is a message
        brokers[0].enqueue(hint(INTERACTIVE, "wrk_one"))

        # Then one of them wakes, and the other goes on waiting until it is told to stop
        await until(lambda: len(woken) == 1)
        assert waiting(client, database=database_of(redis_url)) == 1
        brokers[1 - woken[0]].wake()
        await until(lambda: len(woken) == 2)
    for thread, broker in zip(threads, brokers, strict=True):
        thread.join()
        broker.close()


async def test_waiting_costs_redis_nothing(database: Database, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        async with working(database, redis_url):
            await until(lambda: waiting(client, database=database_of(redis_url)) == 1)

            # When half a second passes
            before = client.info("commandstats")
            await asyncio.sleep(0.5)
            after = client.info("commandstats")

            # Then nobody has looked into the queue, which polling would have done half a dozen times
            looks = [stats.get("cmdstat_evalsha", {"calls": 0})["calls"] for stats in (before, after)]
            assert looks[1] - looks[0] <= 1


async def test_threads_without_work_and_threads_whose_job_takes_its_time_do_not_look_up(
    database: Database, redis_url: str
) -> None:
    # Given a job that takes its time, and seven threads without one
    others = set(threading.enumerate())
    async with working(database, redis_url, concurrency=8) as (desk, _):
        desk.go_on.clear()
        await desk.put("gen_slow")
        await desk.next_begun()
        workers = [thread for thread in set(threading.enumerate()) - others if type(thread).__name__ == "WorkerThread"]
        assert len(workers) == 8

        # When half a second passes
        before = sum(_times_switched(thread) for thread in workers)
        await asyncio.sleep(0.5)

        # Then none of them has run: looking up ten times a second would have been forty times
        assert sum(_times_switched(thread) for thread in workers) - before <= 4


def test_bells_that_nobody_hears_expire(redis_url: str) -> None:
    broker = ExpiringRedisBroker(redis_url, NAMESPACE)
    broker.enqueue(hint(INTERACTIVE, "wrk_one"))
    broker.wake()
    broker.close()

    with redis.Redis.from_url(redis_url) as client:
        bells = list(client.scan_iter("*bell*"))
        assert len(bells) == 2
        assert [key for key in client.scan_iter() if client.ttl(key) < 0] == []


def _times_switched(thread: threading.Thread) -> int:
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches")).split()[1])

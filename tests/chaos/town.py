"""A cluster that the tests of a module share: its people, the models that they order from, and those who watch it all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from statuette.kernel.db.database import Database
from statuette.kernel.settings import FIRST_PARTY_PLUGINS
from statuette.testing.fault_proxy import FaultProxy
from statuette.testing.gemini_simulator import GeminiSimulator
from statuette.testing.otlp_receiver import OtlpReceiver
from statuette.testing.queued_image import ImageQueueService
from tests.chaos.cluster import Cluster
from tests.chaos.deployment import HOST
from tests.chaos.eavesdropper import Eavesdropper
from tests.chaos.invariants import broken
from tests.chaos.person import Person
from tests.chaos.program import Program
from tests.chaos.promises import Promises
from tests.chaos.storm import settled

QUEUE_HOST = "queue.example"
RESUMED_WITHIN_SECONDS = 10
_PLUGINS = Path(__file__).with_name("plugins")
_GEMINI_KEY = "simulated-key-of-gemini"
_QUEUE_KEY = "simulated-key-of-the-queue"


@dataclass(repr=False)
class Town:
    """Attributes:
    gemini: the synchronous model that the brand at `HOST` orders from.
    queue: the queue-based one, of the brand at `QUEUE_HOST`; reached through `queue_proxy`.
    database: a view of the cluster's, of our own.
    keys: operators' keys, by host.
    """

    cluster: Cluster
    gemini: GeminiSimulator
    queue: ImageQueueService
    queue_proxy: FaultProxy
    telemetry: OtlpReceiver
    eavesdropper: Eavesdropper
    database: Database
    keys: Mapping[str, str]
    people: list[Person] = field(default_factory=list)

    async def person(self, host: str = HOST) -> Person:
        """Somebody new, who agreed, has credits, and has sent a photo."""
        person = Person(self.cluster, f"person{len(self.people)}-of-{host.partition('.')[0]}", host)
        self.people.append(person)
        await person.arrive(self.keys[host])
        await person.upload(seed=len(self.people))
        return person

    async def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.database.read() as reader:
            return await reader.rows(sql, **parameters)

    async def value(self, sql: str, **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        async with self.database.read() as reader:
            return await reader.value(sql, **parameters)

    async def attempts(self, job_id: str) -> list[dict[str, Any]]:
        """The calls for a job that are on record, in order."""
        return await self.rows(
            "SELECT state, outcome, reason FROM attempt WHERE generation_id = :id ORDER BY number", id=job_id
        )

    async def holder(self, job_id: str) -> Program:
        """The process that has a job in hand."""
        held = "SELECT held_by FROM work_item WHERE subject_id = :id AND held_by IS NOT NULL"
        await self.until(lambda: self.rows(held, id=job_id))
        return await self._named(await self.value(held, id=job_id))

    async def leader(self) -> Program:
        """The scheduler that ticks."""
        leads = "SELECT owner FROM lease WHERE name = 'scheduler'"
        await self.until(lambda: self.rows(leads))
        return await self._named(await self.value(leads))

    @asynccontextmanager
    async def holding(self, sql: str, *parameters: Any) -> AsyncIterator[None]:
        """Hold what a statement locks, for as long as the connection lasts."""
        connection = await asyncpg.connect(self.cluster.database_url)
        try:
            await connection.execute("BEGIN")
            await connection.execute(sql, *parameters)
            yield
        finally:
            connection.terminate()

    async def until(self, condition: Callable[[], Awaitable[Any]], within_seconds: float = 10) -> float:
        """Look until something is true; after how many seconds. Raises `TimeoutError`."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not await condition():
            if loop.time() > began + within_seconds:
                raise TimeoutError
            await asyncio.sleep(0.02)
        return loop.time() - began

    async def broken(self) -> list[str]:
        """Every invariant that does not hold, once everything has settled."""
        await settled(self.database)
        promises = reduce(add, (person.promises for person in self.people), Promises())
        objects = await asyncio.to_thread(self.cluster.objects)
        calls = {"gemini": self.gemini.calls, "queued": self.queue.paid_jobs}
        async with self.database.read() as reader:
            wrong = await broken(reader, objects=objects, promises=promises, calls=calls)
        return wrong + self.eavesdropper.told(promises.private)

    async def _named(self, process_id: str) -> Program:
        return next(program for program in self.cluster.programs if program.process_id == process_id)


@asynccontextmanager
async def town(
    folder: Path, settings: Mapping[str, str], counts: Mapping[str, int], skews: Mapping[str, float]
) -> AsyncIterator[Town]:
    """Two brands with a model each, on a cluster of the servers and processes of this town alone.

    Args:
        settings: of the cluster's processes, besides those that every town has.
        counts: of processes, where it is not two of a role.
        skews: of their clocks.
    """
    async with AsyncExitStack() as stack:
        gemini = await stack.enter_async_context(GeminiSimulator(api_key=_GEMINI_KEY, picture_edge=96))
        queue = await stack.enter_async_context(ImageQueueService(api_key=_QUEUE_KEY))
        queue_proxy = await stack.enter_async_context(FaultProxy(urlsplit(queue.base_url).port or 0))
        telemetry = await stack.enter_async_context(OtlpReceiver())
        every = {
            "GEMINI_API_KEY": _GEMINI_KEY,
            "GEMINI_BASE_URL": gemini.base_url,
            "QUEUED_API_KEY": _QUEUE_KEY,
            "QUEUED_URL": f"http://127.0.0.1:{queue_proxy.port}",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_PLUGINS), os.environ.get("PYTHONPATH")))),
            "STATUETTE_ALLOWED_PLUGINS": ",".join((*FIRST_PARTY_PLUGINS, "queued")),
            "STATUETTE_OTLP_ENDPOINT": telemetry.url,
            "STATUETTE_TRACE_SAMPLING": "1",
            "STATUETTE_LOG_LEVEL": "debug",
        }
        cluster = await stack.enter_async_context(Cluster(folder, {**every, **settings}, counts=counts, skews=skews))
        eavesdropper = await stack.enter_async_context(Eavesdropper(cluster, telemetry))
        keys = {
            HOST: await cluster.apply_brand(),
            QUEUE_HOST: await cluster.apply_brand("queue", QUEUE_HOST, "queued/queued-1"),
        }
        database = await stack.enter_async_context(cluster.database())
        built = Town(cluster, gemini, queue, queue_proxy, telemetry, eavesdropper, database, keys)
        yield built
        for person in built.people:
            await person.http.aclose()

"""What each thing that the platform does takes of each process: a real cluster on this machine, one kind of work at a time."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

import asyncpg
import redis.asyncio as redis

from statuette.testing.pictures import photo_jpeg
from tests.bench.bench_intake import _twelve_megapixels as twelve_megapixels
from tests.bench.cluster import Cluster, Person, all_ended, cluster, photo
from tests.bench.load import get
from tests.chaos.program import Program
from tests.simulation.accounting import Spent, spent
from tests.simulation.client import exchanged, form

LARGE_PICTURES = (sys.executable, "-m", "tests.simulation.process")
_PEOPLE = 20
_CLIENTS = 8
_WARM_UP = 100
_IDLE_SECONDS = 5.0
_ORDERS, _READS, _STREAMS, _IMAGES, _UPLOADS, _DELETIONS = 800, 3000, 400, 900, 24, 160
_WATCHED, _WAKES = 40, 40
_SIGNALS = 3000
_LISTENERS = 40
_PROVIDER_SECONDS = 0.05
_ENOUGH_SECONDS = 120


@dataclass
class Cost:
    """CPU milliseconds, and bytes, for each of one kind."""

    process_ms: float = 0.0
    database_ms: float = 0.0
    redis_ms: float = 0.0
    children_ms: float = 0.0
    wal_bytes: int = 0


@dataclass
class Costs:
    """By kind, and what else comes to light on the way."""

    of: dict[str, Cost] = field(default_factory=dict)
    orders_per_second: float = 0.0
    reads_per_second: float = 0.0
    clients: int = _CLIENTS
    picture_bytes: int = 0
    signal_heard_ms: float = 0.0
    signal_delivered_ms: float = 0.0
    hand_out_process_ms: float = 0.0
    idle_scheduler_ms: float = 0.0
    idle_database_ms: float = 0.0
    postgresql: str = ""
    redis: str = ""


async def measured_costs() -> Costs:
    costs = Costs()
    async with cluster() as site, site.database() as database:
        people = await site.people(_PEOPLE, photo(400))
        costs.postgresql = (await database.fetchval("SHOW server_version")).split(" ")[0]
        async with redis.Redis.from_url(site.redis.url) as client:
            costs.redis = (await client.info("server"))["redis_version"]
            async with site.process("api") as api:
                phases = _Phases(site, database, client, api, people, costs)
                await phases.orders()
                await phases.wakes()
                await phases.signals()
                async with (
                    site.process("scheduler") as scheduler,
                    site.process(
                        "worker", str(_PROVIDER_SECONDS), environment={"STATUETTE_WORKER_CONCURRENCY": "64"}
                    ) as worker,
                ):
                    await all_ended(database, _ENOUGH_SECONDS)
                    await phases.idle(scheduler)
                    await phases.work(worker)
                    await phases.reads()
                    await phases.streams()
                    await phases.enforcement(worker, scheduler)
                async with site.process("scheduler"), site.process("worker", "0", command=LARGE_PICTURES):
                    await phases.images()
                await phases.uploads()
    return costs


class _Phases:
    def __init__(
        self,
        site: Cluster,
        database: asyncpg.Connection,
        client: redis.Redis,
        api: Program,
        people: list[Person],
        costs: Costs,
    ) -> None:
        assert api.url is not None
        self._database, self._client, self._people, self._costs = database, client, people, costs
        self._port = int(api.url.rsplit(":", 1)[1])
        self._pids = {"api": api.pid, "database": site.postgres.pid, "redis": site.redis.pid}

    async def orders(self) -> None:
        """Accepted by the API, with no worker at work."""
        await self._order(_WARM_UP)
        async with spent(self._pids, self._database) as used:
            began = time.perf_counter()
            await self._order(_ORDERS)
            self._costs.orders_per_second = _ORDERS / (time.perf_counter() - began)
            await asyncio.sleep(0.2)  # the last hints leave after their answers
        self._costs.of["order"] = self._cost("api", used, _ORDERS)

    async def wakes(self) -> None:
        """Streams of jobs that nobody works on, each woken again and again."""
        unfinished = "SELECT id, account_id FROM generation WHERE finished_at IS NULL ORDER BY id LIMIT $1"
        rows = await self._database.fetch(unfinished, _WATCHED)
        tokens: dict[str, str] = {}
        for person in self._people:
            [body] = await exchanged(
                self._port, lambda _, p=person: get("/v1/account", self._as(p)), connections=1, total=1
            )
            tokens[json.loads(body)["id"]] = person.token
        writers = []
        for row in rows:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            path = f"/v1/generations/{row['id']}/events"
            writer.write(get(path, {"Authorization": tokens[row["account_id"]]}))
            await reader.readuntil(b"generation.queued")
            writers.append(writer)
        message = "\n".join(f"changed {row['id']}" for row in rows)
        async with spent(self._pids, self._database) as used:
            for _ in range(_WAKES):
                await self._client.publish("statuette:signals", message)
                await asyncio.sleep(0.06)
        for writer in writers:
            writer.close()
        self._costs.of["wake"] = self._cost("api", used, _WATCHED * _WAKES)

    async def signals(self) -> None:
        """Messages that concern nobody here; and the same ones to many who listen."""
        async with spent(self._pids, self._database) as used:
            for number in range(_SIGNALS):
                await self._client.publish("statuette:signals", f"changed gen_{number}")
        self._costs.signal_heard_ms = used.per("api", _SIGNALS)
        few = used.per("redis", _SIGNALS)
        listeners = [self._client.pubsub() for _ in range(_LISTENERS)]
        for listener in listeners:
            await listener.subscribe("statuette:others")
        async with spent(self._pids, self._database) as used:
            for number in range(_SIGNALS):
                await self._client.publish("statuette:others", f"changed gen_{number}")
        for listener in listeners:
            await listener.aclose()  # type: ignore[no-untyped-call]
        self._costs.signal_delivered_ms = max(0.0, used.per("redis", _SIGNALS) - few) / (_LISTENERS - 1)

    async def idle(self, scheduler: Program) -> None:
        """What is used for nothing."""
        pids = {**self._pids, "scheduler": scheduler.pid}
        async with spent(pids, self._database) as used:
            await asyncio.sleep(_IDLE_SECONDS)
        self._costs.idle_scheduler_ms = 1000 * used.cpu_seconds["scheduler"] / _IDLE_SECONDS
        self._costs.idle_database_ms = 1000 * used.cpu_seconds["database"] / _IDLE_SECONDS

    async def work(self, worker: Program) -> None:
        """Jobs from order to end; what ordering takes of the database and Redis is known and taken off."""
        async with spent({**self._pids, "worker": worker.pid}, self._database) as used:
            await self._order(_ORDERS)
            await all_ended(self._database, _ENOUGH_SECONDS)
        whole, order = self._cost("worker", used, _ORDERS), self._costs.of["order"]
        self._costs.of["work"] = Cost(
            whole.process_ms,
            max(0.0, whole.database_ms - order.database_ms),
            max(0.0, whole.redis_ms - order.redis_ms),
            wal_bytes=max(0, whole.wal_bytes - order.wal_bytes),
        )

    async def reads(self) -> None:
        """Of jobs that have ended."""
        owned = await self._ended_jobs()
        requests = [get(f"/v1/generations/{job}", {"Authorization": token}) for job, token in owned]
        await self._send(requests, _WARM_UP)
        async with spent(self._pids, self._database) as used:
            began = time.perf_counter()
            await self._send(requests, _READS)
            self._costs.reads_per_second = _READS / (time.perf_counter() - began)
        self._costs.of["read"] = self._cost("api", used, _READS)

    async def streams(self) -> None:
        """Opened, read to the end, closed."""
        owned = await self._ended_jobs()
        requests = [get(f"/v1/generations/{job}/events", {"Authorization": token}) for job, token in owned]
        await self._send(requests, _WARM_UP)
        async with spent(self._pids, self._database) as used:
            await self._send(requests, _STREAMS)
        self._costs.of["stream"] = self._cost("api", used, _STREAMS)

    async def enforcement(self, worker: Program, scheduler: Program) -> None:
        """Deadlines of photos that come due together, from handing out to the record's end."""
        small = photo_jpeg()
        await self._send([form("/v1/uploads", self._as(person), small) for person in self._people], _DELETIONS)
        pids = {**self._pids, "worker": worker.pid, "scheduler": scheduler.pid}
        unused = "dataset = 'uploads' AND rule = 'upload.unused'"
        async with spent(pids, self._database) as used:
            due = await self._database.fetch(
                "UPDATE deadline SET due_at = now() - interval '1 second' WHERE state = 'scheduled' AND due_at > now()"
                f" AND {unused} RETURNING id"
            )
            async with asyncio.timeout(_ENOUGH_SECONDS):
                while await self._database.fetchval(  # noqa: ASYNC110 - nothing tells
                    f"SELECT EXISTS (SELECT 1 FROM deadline WHERE {unused} AND state IN ('scheduled', 'executing')"
                    " AND due_at <= now())"
                ):
                    await asyncio.sleep(0.1)
        self._costs.of["enforce"] = self._cost("worker", used, len(due))
        self._costs.hand_out_process_ms = used.per("scheduler", len(due), self._costs.idle_scheduler_ms)

    async def images(self) -> None:
        """Pictures of one megapixel in all three sizes, by their signed addresses."""
        bodies = await self._send([person.order() for person in self._people], _CLIENTS)
        await all_ended(self._database, _ENOUGH_SECONDS)
        requests = []
        for number, body in enumerate(bodies):
            path = f"/v1/generations/{json.loads(body)['id']}"
            [told] = await self._send([get(path, self._as(self._people[number]))], 1)
            urls = json.loads(told)["figurines"][0]["images"].values()
            requests += [get("/" + url.split("/", 3)[3], {}) for url in urls]
        await self._send(requests, _WARM_UP)
        async with spent(self._pids, self._database) as used:
            pictures = await self._send(requests, _IMAGES)
        self._costs.of["image"] = self._cost("api", used, _IMAGES)
        self._costs.picture_bytes = sum(map(len, pictures)) // len(pictures)

    async def uploads(self) -> None:
        """Of photos with twelve megapixels. Decoding them in the children is told apart."""
        large = await asyncio.to_thread(twelve_megapixels)
        requests = [form("/v1/uploads", self._as(person), large) for person in self._people]
        await self._send(requests, 4, connections=2)
        pids = {**self._pids, "family": self._pids["api"]}
        async with spent(pids, self._database, frozenset({"database", "family"})) as used:
            await self._send(requests, _UPLOADS, connections=2)
        cost = self._cost("api", used, _UPLOADS)
        cost.children_ms = used.per("family", _UPLOADS) - cost.process_ms
        self._costs.of["upload"] = cost

    def _cost(self, process: str, used: Spent, count: int) -> Cost:
        idle = self._costs.idle_database_ms
        return Cost(
            process_ms=used.per(process, count),
            database_ms=used.per("database", count, idle),
            redis_ms=used.per("redis", count),
            wal_bytes=used.wal_bytes // count,
        )

    async def _order(self, total: int) -> None:
        await self._send([person.order() for person in self._people], total)

    async def _send(self, requests: list[bytes], total: int, connections: int = _CLIENTS) -> list[bytes]:
        return await exchanged(
            self._port, lambda number: requests[number % len(requests)], connections=connections, total=total
        )

    async def _ended_jobs(self) -> list[tuple[str, str]]:
        """Jobs and their owners' tokens."""
        found = []
        for person in self._people:
            [body] = await self._send([get("/v1/generations?state=succeeded&limit=10", self._as(person))], 1)
            found += [(job["id"], person.token) for job in json.loads(body)["items"]]
        return found

    @staticmethod
    def _as(person: Person) -> dict[str, str]:
        return {"Authorization": person.token}

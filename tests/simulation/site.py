"""The parts of a deployment, put together: machines with their processes, databases, Redis, the scheduler and the store."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

import simpy

from tests.simulation.assumed import (
    CLOUD_FLUSH_SECONDS,
    MAX_CONNECTIONS,
    NETWORK_ROUND_TRIP_SECONDS,
    POOL_SIZE,
    S3_LATENCY_SECONDS,
    S3_READS_PER_SECOND,
    S3_WRITES_PER_SECOND,
    SERVER_CONNECTIONS_PER_CORE,
    StoreRequests,
)
from tests.simulation.deployment import Deployment
from tests.simulation.measured import Measured
from tests.simulation.stations import Hearing, Log, Places, Process, Row, Station, Steps, sliced


class Machine:
    """An API or a worker process with its pixel children."""

    def __init__(self, env: simpy.Environment, cores: Station, hearing: Hearing, children: int, shards: int) -> None:
        self.cores = cores
        self.process = Process(env, cores, hearing)
        self.pools = [Places(env, POOL_SIZE) for _ in range(shards)]
        self.in_hand = 0
        self._children = Places(env, children)

    def pixels(self, seconds: float) -> Steps:
        """In a child, when one is free."""
        yield from self._children.enter()
        yield from sliced(self.cores, seconds, patient=True)
        self._children.leave()


class Shard:
    """A primary with its replicas, the rows that are fought over, and its log."""

    def __init__(self, env: simpy.Environment, deployment: Deployment, cores: Station, flush_seconds: float) -> None:
        self._env = env
        self.cores = cores
        self.log = Log(env, flush_seconds)
        self.wal_bytes = 0
        self.replicas = [Station(env, "replica", deployment.database_cores) for _ in range(deployment.replicas)]
        pooled = SERVER_CONNECTIONS_PER_CORE * deployment.database_cores
        self.connections = Places(env, pooled) if deployment.pooler else None
        self.rows: dict[tuple[str, int, int], Row] = {}

    def row(self, kind: str, brand: int, number: int) -> Row:
        key = (kind, brand, number)
        if key not in self.rows:
            self.rows[key] = Row(self._env)
        return self.rows[key]


class Store:
    """S3: whatever is asked takes a while, and partitions take so many requests a second."""

    def __init__(self, env: simpy.Environment, partitions: int, rng: random.Random) -> None:
        self._env = env
        self._partitions = partitions
        self._rng = rng
        self.reset()

    def reset(self) -> None:
        self.writes = self.reads = 0
        self._since = self._env.now

    def asked(self, requests: StoreRequests) -> float:
        """Seconds that these take, one after the other."""
        self.writes += requests.writes
        self.reads += requests.reads
        return sum(self._rng.uniform(*S3_LATENCY_SECONDS) for _ in range(requests.writes + requests.reads))

    def load(self) -> float:
        """Cautious: what a partition takes of either kind is read as a share of one whole."""
        lasted = self._env.now - self._since
        whole = self.writes / S3_WRITES_PER_SECOND + self.reads / S3_READS_PER_SECOND
        return whole / lasted / self._partitions


class Site:
    def __init__(
        self,
        env: simpy.Environment,
        deployment: Deployment,
        measured: Measured,
        shares: list[float],
        rng: random.Random,
    ) -> None:
        self.env, self.deployment, self._rng = env, deployment, rng
        self.hearing = Hearing()
        shared = None if deployment.separate else Station(env, "machine", deployment.machine_cores)
        self.shared = shared

        def cores(name: str, count: int) -> Station:
            return shared or Station(env, name, count)

        def machine(name: str) -> Machine:
            own = cores(name, deployment.machine_cores)
            return Machine(env, own, self.hearing, deployment.pixel_children, deployment.shards)

        self.round_trip_seconds = NETWORK_ROUND_TRIP_SECONDS if deployment.separate else 0.0
        flush_seconds = CLOUD_FLUSH_SECONDS if deployment.separate else measured.disk.sync_ms / 1000
        self.api = [machine("api") for _ in range(deployment.api)]
        self.workers = [machine("worker") for _ in range(deployment.workers)]
        self.places = Places(env, deployment.workers * deployment.worker_concurrency)
        self.shards = [
            Shard(env, deployment, cores("database", deployment.database_cores), flush_seconds)
            for _ in range(deployment.shards)
        ]
        self.redis = [Process(env, cores("redis", 1)) for _ in range(deployment.redis_nodes)]
        self.schedulers = [Process(env, cores("scheduler", 1), self.hearing) for _ in range(deployment.schedulers)]
        self.scheduler_busy_seconds = 0.0
        self.store = Store(env, deployment.store_partitions, rng)
        self._shard_of = divided(shares, deployment.shards)
        self._node_of = divided(shares, deployment.redis_nodes)
        self._since = 0.0

    def reset(self) -> None:
        """Count from now on."""
        for machine in (*self.api, *self.workers):
            machine.cores.reset()
            machine.process.reset()
        for shard in self.shards:
            shard.wal_bytes = 0
            shard.log.reset()
            shard.cores.reset()
            for replica in shard.replicas:
                replica.reset()
            for row in shard.rows.values():
                row.reset()
            if shard.connections is not None:
                shard.connections.reset()
        self.places.reset()
        for node in self.redis:
            node.reset()
        self.scheduler_busy_seconds = 0.0
        self.store.reset()
        self._since = self.env.now

    @property
    def counted_seconds(self) -> float:
        return float(self.env.now - self._since)

    def shard(self, brand: int) -> tuple[int, Shard]:
        number = self._shard_of[brand]
        return number, self.shards[number]

    def node(self, brand: int) -> Process:
        return self.redis[self._node_of[brand]]

    def any_of(self, machines: list[Machine]) -> Machine:
        """The one with less in hand of two: nearly as good as the least busy of all, and quicker to find."""
        if len(machines) == 1:
            return machines[0]
        one, other = self._rng.sample(machines, 2)
        return one if one.in_hand <= other.in_hand else other

    def connections_load(self) -> float:
        """Without a pooler: those that may be kept; else those of the server that are in use, where most are."""
        in_use = [shard.connections.load() for shard in self.shards if shard.connections is not None]
        return max(in_use, default=self.deployment.processes * POOL_SIZE / MAX_CONNECTIONS)


def divided(shares: Iterable[float], parts: int) -> list[int]:
    """Which part each brand goes to: one after the other, largest first, to the part that has least."""
    filled: dict[int, float] = defaultdict(float)
    found = []
    for share in shares:
        part = min(range(parts), key=lambda each: filled[each])
        filled[part] += share
        found.append(part)
    return found

"""What there is of each kind."""

from __future__ import annotations

import msgspec


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Machines and how they are set up.

    Attributes:
        separate: each role has machines of its own; else one machine is everything, but the store and the image model.
        machine_cores: of each machine with an API or a worker process, which also runs its pixel children.
        api, workers: machines, with one process each.
        worker_concurrency: jobs in flight in one worker process (setting).
        pixel_children: of one process (setting `pixel_workers`).
        shards: primaries, each with its own brands.
        database_cores: of each primary, and of each replica.
        replicas: for reads that may be a moment late, of each primary.
        pooler: PgBouncer before each primary.
        ceiling_parts: rows among which a brand's ceiling of the day is divided.
        schedulers: that tick, each for its own part of the brands.
        redis_nodes: among which queues and signals are divided by brand.
        store_partitions: of S3, among which the prefixes are divided evenly.
    """

    separate: bool = False
    machine_cores: int = 2
    api: int = 1
    workers: int = 1
    worker_concurrency: int = 64
    pixel_children: int = 2
    shards: int = 1
    database_cores: int = 2
    replicas: int = 0
    pooler: bool = False
    ceiling_parts: int = 1
    schedulers: int = 1
    redis_nodes: int = 1
    store_partitions: int = 1

    @property
    def processes(self) -> int:
        """Those that hear signals and keep connections."""
        return self.api + self.workers + self.schedulers

    @property
    def machines(self) -> int:
        if not self.separate:
            return 1
        return self.api + self.workers + self.shards * (1 + self.replicas) + self.redis_nodes + self.schedulers

    @property
    def cores(self) -> int:
        """All of them. The schedulers and Redis have one each."""
        if not self.separate:
            return self.machine_cores
        return (
            self.machine_cores * (self.api + self.workers)
            + self.database_cores * self.shards * (1 + self.replicas)
            + self.redis_nodes
            + self.schedulers
        )

"""What is too busy, and what is done about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from tests.simulation.demand import Demand
from tests.simulation.deployment import Deployment
from tests.simulation.model import Outcome

ENOUGH = 0.8
"""A resource that is busier than this is too busy: its queue grows faster than its load from here on."""
ACCEPT_P99_MS = 150.0
"""Of 100 who order, 99 have their 202 within this time."""
_AIM = 0.75
_LARGEST_DATABASE_CORES = 8
# A process is measured to hold 500 in flight (tests/bench); each holds a photo or a picture in memory.
_MOST_JOBS_AT_ONCE = 256
# Replicas are worth their while when they take at least so much off the primary.
_READS_WORTH_REPLICAS = 0.15
CONNECTIONS = "database connections"
_HELD = ("row of a brand's day", CONNECTIONS, "places for jobs")


class Bottleneck(msgspec.Struct, frozen=True):
    resource: str
    load: float


@dataclass(frozen=True)
class _Found:
    deployment: Deployment
    outcome: Outcome
    load: float
    demand: Demand

    def more(self, have: int) -> int:
        """So many of what there are `have` of that the load is as aimed at; one more at least."""
        return max(have + 1, math.ceil(have * self.load / _AIM))

    def machines(self, milliseconds: float) -> int:
        """For so much computing with each order. What they hear with it is heard by each of them."""
        heard = self.outcome.rate * self.demand.hearing_ms / 1000
        return math.ceil(self.outcome.rate * milliseconds / 1000 / (_AIM * self.deployment.machine_cores - heard))


def limit(resource: str, deployment: Deployment) -> float:
    """Connections that are kept either fit or do not; everything else wants some air."""
    return 1.0 if resource == CONNECTIONS and not deployment.pooler else ENOUGH


def bottleneck(deployment: Deployment, outcome: Outcome) -> Bottleneck | None:
    """What is busiest for what it may be, if it is too busy or people wait for too long.

    What is held while its holders wait for others is full, too, when one of these is too busy. So what computes is looked at first,
    then rows, whose holders have their connections, then connections, then places.
    """
    computing = {name: load for name, load in outcome.loads.items() if name not in _HELD}
    tiers = [computing, *({name: outcome.loads[name]} for name in _HELD)]
    for tier in tiers:
        name, load = _busiest(tier, deployment)
        if load > limit(name, deployment):
            return Bottleneck(name, load)
    return None if outcome.accept.p99_ms <= ACCEPT_P99_MS else Bottleneck(*_busiest(outcome.loads, deployment))


def _busiest(loads: Mapping[str, float], deployment: Deployment) -> tuple[str, float]:
    return max(loads.items(), key=lambda item: item[1] / limit(item[0], deployment))


def remedied(deployment: Deployment, outcome: Outcome, found: Bottleneck, demand: Demand) -> tuple[Deployment, str]:
    """With more of it, and what that is in words."""
    change, words = _REMEDIES[found.resource](_Found(deployment, outcome, found.load, demand))
    return msgspec.structs.replace(deployment, **change), words


_Change = tuple[dict[str, int | bool], str]


def _separate(found: _Found) -> _Change:
    return {"separate": True}, "a machine for each role"


def _api(found: _Found) -> _Change:
    need = found.machines(found.demand.decoding_ms + found.demand.api_ms)
    count = need if need > found.deployment.api else found.more(found.deployment.api)
    return {"api": count}, f"{count} API machines"


def _workers(found: _Found) -> _Change:
    need = found.machines(found.demand.rendering_ms + found.demand.worker_ms)
    count = need if need > found.deployment.workers else found.more(found.deployment.workers)
    return {"workers": count}, f"{count} worker machines"


def _places(found: _Found) -> _Change:
    """More jobs at once in each process, as long as it computes little meanwhile; else more processes."""
    most = 2 * found.deployment.worker_concurrency
    if most <= _MOST_JOBS_AT_ONCE and found.outcome.loads["cores of worker machines"] < ENOUGH:
        return {"worker_concurrency": most}, f"{most} jobs at once in each worker"
    count = found.more(found.deployment.workers)
    return {"workers": count}, f"{count} worker machines"


def _primary(found: _Found) -> _Change:
    cores = found.deployment.database_cores
    if cores < _LARGEST_DATABASE_CORES:
        return {"database_cores": cores * 2}, f"a primary of {cores * 2} cores"
    if (
        not found.deployment.replicas
        and found.demand.database_reads_ms > _READS_WORTH_REPLICAS * found.demand.database_ms
    ):
        return {"replicas": 1}, "reads go to a replica"
    shards = found.deployment.shards * 2
    return {"shards": shards}, f"brands divided among {shards} primaries"


def _replicas(found: _Found) -> _Change:
    count = found.deployment.replicas + 1
    return {"replicas": count}, f"{count} replicas"


def _connections(found: _Found) -> _Change:
    if not found.deployment.pooler:
        return {"pooler": True}, "PgBouncer before PostgreSQL"
    return _primary(found)


def _row(found: _Found) -> _Change:
    parts = found.deployment.ceiling_parts * 2
    return {"ceiling_parts": parts}, f"a brand's ceiling in {parts} rows"


def _shards(found: _Found) -> _Change:
    shards = found.deployment.shards * 2
    return {"shards": shards}, f"brands divided among {shards} primaries"


def _redis(found: _Found) -> _Change:
    nodes = found.more(found.deployment.redis_nodes)
    return {"redis_nodes": nodes}, f"queues and signals on {nodes} Redis, by brand"


def _schedulers(found: _Found) -> _Change:
    count = found.more(found.deployment.schedulers)
    return {"schedulers": count}, f"{count} schedulers that tick, by brand"


def _partitions(found: _Found) -> _Change:
    count = found.more(found.deployment.store_partitions)
    return {"store_partitions": count}, f"objects under {count} prefixes that S3 divides"


_REMEDIES: dict[str, Callable[[_Found], _Change]] = {
    "cores of the machine": _separate,
    "cores of API machines": _api,
    "API event loop": _api,
    "cores of worker machines": _workers,
    "worker event loop": _workers,
    "places for jobs": _places,
    "cores of the primary": _primary,
    "cores of replicas": _replicas,
    CONNECTIONS: _connections,
    "row of a brand's day": _row,
    "log volume": _shards,
    "Redis": _redis,
    "scheduler": _schedulers,
    "S3 partitions": _partitions,
}

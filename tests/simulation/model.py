"""A deployment under a load, for a while of simulated time: what it does, how long people wait, and how busy everything is."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import msgspec
import simpy

from tests.simulation.assumed import PROVIDER_SECONDS, VOLUME_BYTES_PER_SECOND, Mix
from tests.simulation.deployment import Deployment
from tests.simulation.measured import Measured
from tests.simulation.roads import Person, Roads, Seen
from tests.simulation.scheduling import Scheduling
from tests.simulation.site import Site
from tests.simulation.stations import Steps

WARM_UP_SECONDS = 4.0
_SHORTEST_SECONDS, _LONGEST_SECONDS = 4.0, 300.0
_LONGEST_CALL_SECONDS = 2 * PROVIDER_SECONDS  # nearly; whose call lasted longer was called before that


class Wait(msgspec.Struct, frozen=True):
    """Milliseconds. Half of all wait no longer than the one, 99 of 100 no longer than the other."""

    p50_ms: float
    p99_ms: float


class Outcome(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        rate: orders a second that were sent.
        ended_per_second: jobs.
        accept: from sending an order to the answer 202, within the site.
        platform: from accepting a job to its end, without the provider, the store and the pixels.
        pixels: waiting for a child and rendering the provider's picture.
        deletion: from the moment that something is due until it is gone.
        loads: by resource, the busiest of its kind: 1 is as much as it can.
        commits_per_flush: how many share one.
        wal_bytes_per_second, store_writes_per_second, store_reads_per_second: of the whole site.
        simulated_seconds: those that were counted.
    """

    rate: float
    ended_per_second: float
    accept: Wait
    platform: Wait
    pixels: Wait
    read: Wait
    deletion: Wait
    loads: dict[str, float]
    commits_per_flush: float
    wal_bytes_per_second: float
    store_writes_per_second: float
    store_reads_per_second: float
    simulated_seconds: float


def simulate(
    deployment: Deployment,
    measured: Measured,
    rate: float,
    *,
    mix: Mix | None = None,
    seed: int = 1,
    jobs: int = 2500,
) -> Outcome:
    """Orders come by chance, `rate` a second on average, and everything else with them as `mix` says.

    Args:
        jobs: after the first seconds, which do not count, it goes on until about so many have been ordered, 4 to 300 seconds.
    """
    mix = mix or Mix()
    seconds = min(_LONGEST_SECONDS, max(_SHORTEST_SECONDS, jobs / rate))
    env, rng = simpy.Environment(), random.Random(seed)
    site = Site(env, deployment, measured, mix.shares(), rng)
    roads = Roads(site, mix, measured, rng)
    scheduling = Scheduling(site, roads, measured)
    people = _People(mix, rate, rng)
    for _ in range(round(rate * _LONGEST_CALL_SECONDS)):
        env.process(roads.job_called(people.any(), rng.uniform(0.0, _LONGEST_CALL_SECONDS)))
    for each, start in (
        (1.0, lambda: env.process(roads.order(people.any()))),
        (mix.uploads, lambda: env.process(roads.upload(people.any()))),
        (mix.reads, lambda: env.process(roads.read(people.any()))),
        (mix.images, lambda: env.process(roads.image(people.any()))),
        (mix.deletions, lambda: scheduling.due(people.any())),
        (mix.swept, scheduling.old),
    ):
        env.process(_arrivals(env, rate * each, start, rng))
    scheduling.start()
    env.run(until=WARM_UP_SECONDS)
    site.reset()
    roads.seen = Seen()
    env.run(until=WARM_UP_SECONDS + seconds)
    return _outcome(site, roads.seen, rate, rng)


class _People:
    """Those who order at this hour. Each brand has as many as its share asks for."""

    def __init__(self, mix: Mix, rate: float, rng: random.Random) -> None:
        self._rng = rng
        shares = mix.shares()
        self._brands = range(len(shares))
        self._up_to = list(itertools.accumulate(shares))
        self._accounts = [max(1, round(rate * share * mix.seconds_between_orders)) for share in shares]

    def any(self) -> Person:
        [brand] = self._rng.choices(self._brands, cum_weights=self._up_to)
        return Person(brand, self._rng.randrange(self._accounts[brand]))


def _arrivals(env: simpy.Environment, rate: float, start: Callable[[], object], rng: random.Random) -> Steps:
    while rate > 0:
        yield env.timeout(rng.expovariate(rate))
        start()


def _outcome(site: Site, seen: Seen, rate: float, rng: random.Random) -> Outcome:
    lasted = site.counted_seconds
    # The two halves of the platform's part are a whole call apart, and are taken to know nothing of each other.
    rng.shuffle(seen.after_call)
    platform = [before + after for before, after in zip(seen.before_call, seen.after_call, strict=False)]
    commits = sum(shard.log.commits for shard in site.shards)
    return Outcome(
        rate=rate,
        ended_per_second=seen.ended / lasted,
        accept=_wait(seen.accepted),
        platform=_wait(platform),
        pixels=_wait(seen.pixels),
        read=_wait(seen.read),
        deletion=_wait(seen.deleted),
        loads=_loads(site),
        commits_per_flush=commits / max(1, sum(shard.log.flushes for shard in site.shards)),
        wal_bytes_per_second=sum(shard.wal_bytes for shard in site.shards) / lasted,
        store_writes_per_second=site.store.writes / lasted,
        store_reads_per_second=site.store.reads / lasted,
        simulated_seconds=lasted,
    )


def _loads(site: Site) -> dict[str, float]:
    lasted = site.counted_seconds
    rows = [row.load() for shard in site.shards for (kind, _, _), row in shard.rows.items() if kind == "ceiling"]
    loads = {
        "API event loop": max(machine.process.load() for machine in site.api),
        "worker event loop": max(machine.process.load() for machine in site.workers),
        "places for jobs": site.places.load(),
        "database connections": site.connections_load(),
        "row of a brand's day": max(rows, default=0.0),
        "log volume": max(shard.wal_bytes for shard in site.shards) / lasted / VOLUME_BYTES_PER_SECOND,
        "Redis": max(node.load() for node in site.redis),
        "scheduler": site.scheduler_busy_seconds / lasted / len(site.schedulers),
        "S3 partitions": site.store.load(),
    }
    if site.shared is not None:
        return {"cores of the machine": site.shared.load(), **loads}
    replicas = [replica.load() for shard in site.shards for replica in shard.replicas]
    return {
        "cores of API machines": sum(machine.cores.load() for machine in site.api) / len(site.api),
        "cores of worker machines": sum(machine.cores.load() for machine in site.workers) / len(site.workers),
        "cores of the primary": max(shard.cores.load() for shard in site.shards),
        **({"cores of replicas": max(replicas)} if replicas else {}),
        **loads,
    }


def _wait(seconds: list[float]) -> Wait:
    ordered = sorted(seconds)
    return Wait(1000 * _quantile(ordered, 0.5), 1000 * _quantile(ordered, 0.99))


def _quantile(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0

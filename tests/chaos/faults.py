"""What can befall a deployment, and in which order it does: a pure function of a seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from statuette.testing.servers import ServerProcess
from tests.chaos.cluster import ROLES, Cluster
from tests.chaos.deployment import Deployment
from tests.chaos.program import NotStarted, Program

_REVIVED_WITHIN_SECONDS = 90
_SLOW_SECONDS = 0.2
_CUT_AFTER_BYTES = 20_000


class Fault(NamedTuple):
    """One thing that goes wrong.

    Attributes:
        kind: what, one of the track's.
        calm_seconds: how long nothing happens before it.
        into_seconds: how long after somebody has begun to order it strikes.
        target: whom it strikes; taken modulo the number of those that it can.
        lasting_seconds: how long, if it lasts.
    """

    kind: str
    calm_seconds: float
    into_seconds: float
    target: int
    lasting_seconds: float


@dataclass(frozen=True)
class Kind:
    """What a fault does, from its beginning until everything is in place again, and for how long it may last."""

    inflict: Callable[[Fault], Awaitable[None]]
    lasting_seconds: tuple[float, float] = (0, 0)


@dataclass(frozen=True)
class Track:
    """Faults that come one after the other. Those of two tracks coincide as it happens.

    Attributes:
        calm_seconds: shortest and longest pause between two.
        into_seconds: the longest that one waits after an order was begun.
    """

    name: str
    kinds: Mapping[str, Kind]
    calm_seconds: tuple[float, float]
    into_seconds: float

    def faults(self, seed: int) -> Iterator[Fault]:
        """Without end."""
        dice = random.Random(f"{seed} {self.name}")
        kinds = sorted(self.kinds)
        while True:
            kind = dice.choice(kinds)
            yield Fault(
                kind=kind,
                calm_seconds=dice.uniform(*self.calm_seconds),
                into_seconds=dice.uniform(0, self.into_seconds),
                target=dice.randrange(1000),
                lasting_seconds=dice.uniform(*self.kinds[kind].lasting_seconds),
            )

    async def inflict(self, fault: Fault) -> None:
        await self.kinds[fault.kind].inflict(fault)


def tracks_of(deployment: Deployment) -> list[Track]:
    """All that there is for the deployment."""
    if isinstance(deployment, Cluster):
        return [processes_of_cluster(deployment), servers_of_cluster(deployment)]
    return [processes_of_embedded(deployment)]


def processes_of_embedded(deployment: Deployment) -> Track:
    kinds = {
        "kill server": Kind(partial(_kill, deployment.programs)),
        "restart server": Kind(partial(_rolling_restart, deployment)),
        "pause server": Kind(partial(_pause, deployment.programs), (0.5, 3)),
    }
    return Track("processes", kinds, calm_seconds=(0.2, 1.0), into_seconds=0.4)


def kills_of(deployment: Deployment, role: str) -> Track:
    """SIGKILL alone, of the processes of one role."""
    kinds = {f"kill {role}": Kind(partial(_kill, deployment.of(role)))}
    return Track(f"kills of {role}", kinds, calm_seconds=(2.0, 7.0), into_seconds=1.0)


def processes_of_cluster(cluster: Cluster) -> Track:
    kinds = {f"kill {role}": Kind(partial(_kill, cluster.of(role))) for role in ROLES}
    kinds |= {
        "rolling restart": Kind(partial(_rolling_restart, cluster)),
        "pause api": Kind(partial(_pause, cluster.of("api")), (0.5, 4)),
        # Past their leases, mostly.
        "pause worker": Kind(partial(_pause, cluster.of("worker")), (5, 10)),
        "pause scheduler": Kind(partial(_pause, cluster.of("scheduler")), (4, 8)),
    }
    return Track("processes", kinds, calm_seconds=(0.5, 4), into_seconds=1.0)


def servers_of_cluster(cluster: Cluster) -> Track:
    kinds: dict[str, Kind] = {}
    for server in (cluster.postgres, cluster.redis):
        name = server.title
        kinds |= {
            f"{name} stopped": Kind(partial(_away, server, server.stop), (0.2, 4)),
            f"{name} killed": Kind(partial(_away, server, server.kill), (0.2, 4)),
            f"{name} paused": Kind(partial(_still, server), (0.5, 6)),
        }
    kinds |= {
        "Redis emptied": Kind(partial(_emptied, cluster)),
        "Redis full": Kind(partial(_refusing_writes, cluster.redis.full), (0.5, 6)),
        "Redis read only": Kind(partial(_refusing_writes, cluster.redis.read_only), (0.5, 6)),
        "PostgreSQL cut": Kind(partial(_cut, cluster)),
        "PostgreSQL read only": Kind(partial(_refusing_writes, cluster.postgres.read_only), (0.5, 3)),
        "S3 slow": Kind(partial(_s3_slow, cluster), (1, 6)),
        "S3 refusing": Kind(partial(_s3_refusing, cluster), (0.5, 6)),
        "S3 silent": Kind(partial(_s3_silent, cluster), (0.5, 6)),
        "S3 half-written": Kind(partial(_s3_half_written, cluster), (1, 6)),
    }
    return Track("servers", kinds, calm_seconds=(1, 8), into_seconds=1.0)


async def revive(program: Program) -> None:
    """Start it, again and again while what it needs is away, as a supervisor does."""
    async with asyncio.timeout(_REVIVED_WITHIN_SECONDS):
        while True:
            try:
                await program.start()
                return
            except NotStarted:
                program.close()
                await asyncio.sleep(0.5)


async def _kill(programs: list[Program], fault: Fault) -> None:
    program = programs[fault.target % len(programs)]
    await program.kill()
    await revive(program)


async def _rolling_restart(deployment: Deployment, _: Fault) -> None:
    for program in deployment.programs:
        await deployment.stop(program)
        await revive(program)


async def _pause(programs: list[Program], fault: Fault) -> None:
    program = programs[fault.target % len(programs)]
    program.pause()
    try:
        await asyncio.sleep(fault.lasting_seconds)
    finally:
        program.resume()


async def _away(server: ServerProcess, leave: Callable[[], None], fault: Fault) -> None:
    await asyncio.to_thread(leave)
    try:
        await asyncio.sleep(fault.lasting_seconds)
    finally:
        await asyncio.to_thread(server.start)


async def _still(server: ServerProcess, fault: Fault) -> None:
    server.pause()
    try:
        await asyncio.sleep(fault.lasting_seconds)
    finally:
        server.resume()


async def _emptied(cluster: Cluster, _: Fault) -> None:
    await asyncio.to_thread(cluster.redis.empty)


async def _cut(cluster: Cluster, _: Fault) -> None:
    await asyncio.to_thread(cluster.postgres.cut_connections)


async def _refusing_writes(refuse: Callable[[bool], None], fault: Fault) -> None:
    await asyncio.to_thread(refuse, True)
    try:
        await asyncio.sleep(fault.lasting_seconds)
    finally:
        await asyncio.to_thread(refuse, False)


async def _s3_slow(cluster: Cluster, fault: Fault) -> None:
    cluster.s3_proxy.slow(_SLOW_SECONDS)
    await _healed(cluster, fault)


async def _s3_silent(cluster: Cluster, fault: Fault) -> None:
    cluster.s3_proxy.silence()
    await _healed(cluster, fault)


async def _s3_half_written(cluster: Cluster, fault: Fault) -> None:
    cluster.s3_proxy.cut(after_sent=_CUT_AFTER_BYTES)
    await _healed(cluster, fault)


async def _s3_refusing(cluster: Cluster, fault: Fault) -> None:
    await cluster.s3_proxy.refuse()
    try:
        await asyncio.sleep(fault.lasting_seconds)
    finally:
        await cluster.s3_proxy.welcome()


async def _healed(cluster: Cluster, fault: Fault) -> None:
    try:
        await asyncio.sleep(fault.lasting_seconds)
    finally:
        cluster.s3_proxy.heal()

"""A storm: people use a real site to which everything happens that can; then everything is added up."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from statuette.kernel.db.database import Database
from statuette.kernel.tasks import ended
from tests.chaos.cluster import Cluster
from tests.chaos.crowd import Crowd
from tests.chaos.deployment import Deployment, Embedded
from tests.chaos.eavesdropper import Eavesdropper
from tests.chaos.faults import Fault, Track, revive, tracks_of
from tests.chaos.invariants import broken, unsettled
from tests.chaos.simulator import Simulator
from tests.profiles import ProfileName

_PROVIDER_SECONDS: dict[ProfileName, float] = {"embedded": 0.15, "cluster": 0.5}
_SETTLES_WITHIN_SECONDS = 150


@dataclass(frozen=True)
class Limits:
    """When a storm is over: whichever comes first.

    Attributes:
        seconds: always given, so that it ends by itself.
        jobs: how many were ordered.
        faults: how many there were.
    """

    seconds: float
    jobs: int | None = None
    faults: int | None = None


@dataclass(frozen=True)
class Report:
    """What happened. `wrong` must be empty."""

    seed: int
    profile: ProfileName
    seconds: float
    faults: Counter[str]
    unanswered: int
    answers: Counter[str]
    states: Counter[str]
    attempts: Counter[str]
    calls: int
    ledger: str
    errors: Counter[str]
    wrong: list[str]

    def __str__(self) -> str:
        def table(counts: Counter[str]) -> str:
            return ", ".join(f"{name}: {number}" for name, number in sorted(counts.items()))

        return "\n".join(
            [
                f"seed            {self.seed}, {self.profile}, {self.seconds:.0f} s",
                f"faults          {self.faults.total()}, which cut off {self.unanswered} requests: {table(self.faults)}",
                f"answers         {table(self.answers)}",
                f"jobs            {self.states.total()}: {table(self.states)}",
                f"attempts        {table(self.attempts)}; the provider was called {self.calls} times",
                f"ledger          {self.ledger}",
                f"errors logged   {table(self.errors)}",
                f"invariants      {'hold' if not self.wrong else 'BROKEN'}",
                *(f"                {line}" for line in self.wrong),
            ]
        )


async def storm(
    seed: int,
    profile: ProfileName,
    limits: Limits,
    *,
    people: int = 3,
    says: Callable[[str], None] = lambda line: None,
) -> Report:
    """Let faults rain until a limit is reached, and add up.

    Args:
        says: is told of every fault as it begins.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="statuette-chaos-")))
        simulator = await stack.enter_async_context(Simulator(_PROVIDER_SECONDS[profile]))
        kind = Cluster if profile == "cluster" else Embedded
        deployment = await stack.enter_async_context(kind(folder, simulator.settings))
        eavesdropper = None
        if isinstance(deployment, Cluster):
            eavesdropper = await stack.enter_async_context(Eavesdropper(deployment))
        dice = random.Random(seed)
        crowd = Crowd(deployment, people, dice)
        await crowd.arrive(await deployment.apply_brand())
        raging = _Storm(deployment, crowd, limits, seed, says)
        await raging.rage(tracks_of(deployment))
        return await raging.report(simulator, eavesdropper)


class _Storm:
    def __init__(
        self, deployment: Deployment, crowd: Crowd, limits: Limits, seed: int, says: Callable[[str], None]
    ) -> None:
        self._deployment = deployment
        self._crowd = crowd
        self._limits = limits
        self._seed = seed
        self._says = says
        self._faults: Counter[str] = Counter()
        self._over = asyncio.Event()
        self._an_order = asyncio.Event()
        self._began = asyncio.get_running_loop().time()

    async def rage(self, tracks: Sequence[Track]) -> None:
        self._crowd.ordered = self._ordered
        async with asyncio.TaskGroup() as group:
            group.create_task(self._crowd.act_until(self._over))
            for track in tracks:
                group.create_task(self._inflict(track))
            group.create_task(self._keep_time())
        for program in self._deployment.programs:
            if not program.running:
                await revive(program)

    async def report(self, simulator: Simulator, eavesdropper: Eavesdropper | None) -> Report:
        promises = self._crowd.promises
        async with self._deployment.database() as database:
            await settled(database)
            calls = await simulator.calls()
            async with database.read() as reader:
                wrong = await broken(
                    reader, objects=self._deployment.objects(), promises=promises, calls={"gemini": calls}
                )
                jobs = await reader.rows("SELECT state, reason FROM generation")
                attempts = await reader.rows("SELECT state FROM attempt")
        wrong += self._deployment.disorder
        if eavesdropper is not None:
            wrong += eavesdropper.told(promises.private)
        return Report(
            seed=self._seed,
            profile=self._deployment.profile,
            seconds=asyncio.get_running_loop().time() - self._began,
            faults=self._faults,
            unanswered=promises.unanswered,
            answers=promises.answers,
            states=Counter(" ".join(filter(None, (row["state"], row["reason"]))) for row in jobs),
            attempts=Counter(row["state"] for row in attempts),
            calls=calls,
            ledger=(await self._deployment.command("ledger", "verify")).strip(),
            errors=sum((program.errors() for program in self._deployment.programs), Counter()),
            wrong=wrong,
        )

    def _ordered(self) -> None:
        self._an_order.set()
        if self._limits.jobs is not None and self._crowd.jobs >= self._limits.jobs:
            self._over.set()

    async def _keep_time(self) -> None:
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._over.wait()
        except TimeoutError:
            self._over.set()

    async def _inflict(self, track: Track) -> None:
        for fault in track.faults(self._seed):
            await self._its_moment(fault)
            if self._over.is_set():
                return
            self._says(f"{_when(self._began)}  {_told(fault)}")
            await track.inflict(fault)
            self._says(f"{_when(self._began)}  {fault.kind}: over")
            self._faults[fault.kind] += 1
            if self._limits.faults is not None and self._faults.total() >= self._limits.faults:
                self._over.set()
                return

    async def _its_moment(self, fault: Fault) -> None:
        """From before an order is committed to after its picture is stored; or when the storm is over."""
        over = asyncio.ensure_future(self._over.wait())

        async def moment() -> None:
            await asyncio.sleep(fault.calm_seconds)
            self._an_order.clear()
            await self._an_order.wait()
            await asyncio.sleep(fault.into_seconds)

        its_moment = asyncio.ensure_future(moment())
        try:
            await asyncio.wait((over, its_moment), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended(over, its_moment)


async def settled(database: Database, within_seconds: float = _SETTLES_WITHIN_SECONDS) -> None:
    """Wait until nothing is left to do. What never settles shows up as broken."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within_seconds
    while loop.time() < until:
        async with database.read() as reader:
            if not await unsettled(reader):
                return
        await asyncio.sleep(0.2)


def _when(began: float) -> str:
    return f"{asyncio.get_running_loop().time() - began:7.1f} s"


def _told(fault: Fault) -> str:
    lasting = f" for {fault.lasting_seconds:.1f} s" if fault.lasting_seconds else ""
    return f"{fault.kind} ({fault.target % 2 + 1}){lasting}" if " api" in fault.kind else f"{fault.kind}{lasting}"

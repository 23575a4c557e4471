"""`make demo PROFILE=cluster`: figurines through many processes that are killed at random meanwhile; then the account.

    python -m tests.chaos.demo [--jobs N] [--seed N] [--json]

PostgreSQL, Redis, a store that speaks S3, a model that speaks Gemini's language and a receiver of telemetry are started for the
purpose, beside two processes of each role. Nothing needs a network or an account anywhere.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial, reduce
from operator import add
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from statuette.testing.otlp_receiver import OtlpReceiver
from tests.chaos.cluster import ROLES, Cluster
from tests.chaos.faults import kills_of, revive
from tests.chaos.invariants import broken
from tests.chaos.person import Person
from tests.chaos.promises import Promises
from tests.chaos.simulator import Simulator
from tests.chaos.storm import settled

PROVIDER_SECONDS = 2.0
_PEOPLE = 10
_ORDERS_PER_SECOND = 5.0
_PATIENCE_SECONDS = 300.0
_EXPORTED_WITHIN_SECONDS = 10.0
_SETTINGS = {
    "STATUETTE_WORKER_CONCURRENCY": "32",
    "STATUETTE_TRACE_SAMPLING": "1",
    "STATUETTE_LOG_LEVEL": "warning",
    # A process that is killed takes with it what it has not sent: less than passes between a call and the end of its job.
    "OTEL_BSP_SCHEDULE_DELAY": "50",
}


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What happened.

    Attributes:
        seed: of the kills and their moments.
        seconds: from the first order to the last one's end.
        kills: by role.
        unanswered: requests that a kill cut off; their clients sent them again.
        states: of the jobs.
        calls: how often the model was asked for a picture.
        attempts: of those, by what is on record of them.
        overdue: deadlines whose moment has passed, and on which nobody has acted.
        traces: in how many traces the calls to the model are. One for each job, however often it was called for.
        from_order: of those, the ones that begin with the order. An API process that is killed may not have sent that any more.
        p50_seconds, p99_seconds: from sending an order to hearing of its end, the model's time included.
        wrong: invariants that do not hold, and traces that are missing. Must be empty.
    """

    seed: int
    seconds: float
    kills: dict[str, int]
    unanswered: int
    states: dict[str, int]
    calls: int
    attempts: dict[str, int]
    ledger: str
    overdue: int
    traces: int
    from_order: int
    spans: int
    p50_seconds: float
    p99_seconds: float
    wrong: list[str]

    @property
    def jobs(self) -> int:
        return sum(self.states.values())

    def lines(self) -> Iterator[tuple[str, str]]:
        yield "Jobs", f"{self.jobs} in {self.seconds:.0f} s: {_told(self.states)}"
        yield (
            "Killed",
            f"{_told(self.kills)}; {self.unanswered} requests were cut off and sent again (seed {self.seed})",
        )
        yield "Model", f"asked {self.calls} times; on record: {_told(self.attempts)}"
        yield "Ledger", self.ledger
        yield "Deadlines", f"{self.overdue} overdue"
        yield "Traces", f"{self.traces} of {self.jobs} jobs, {self.from_order} from order to model; {self.spans} spans"
        yield (
            "Time",
            f"p50 {self.p50_seconds:.2f} s, p99 {self.p99_seconds:.2f} s, of which the model's {PROVIDER_SECONDS:.0f} s",
        )
        yield "Invariants", "hold" if not self.wrong else "BROKEN"


class Demonstration:
    """A cluster, its people, and somebody who kills its processes."""

    def __init__(self, cluster: Cluster, simulator: Simulator, receiver: OtlpReceiver, seed: int) -> None:
        self._cluster = cluster
        self._simulator = simulator
        self._receiver = receiver
        self._seed = seed
        self._kills: Counter[str] = Counter()
        self._felt_seconds: list[float] = []
        self._people = [Person(cluster, f"person{number}") for number in range(_PEOPLE)]

    async def run(self, jobs: int, progress: Progress) -> Account:
        key = await self._cluster.apply_brand()
        await asyncio.gather(*(self._arrive(person, number, key) for number, person in enumerate(self._people)))
        bar = progress.add_task("Figurines", total=jobs)
        loop = asyncio.get_running_loop()
        began = loop.time()
        killing = [asyncio.create_task(self._kill(role, progress)) for role in ROLES]
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(jobs):
                    group.create_task(self._figurine(number, partial(progress.advance, bar)))
        finally:
            for task in killing:
                task.cancel()
            await asyncio.gather(*killing, return_exceptions=True)
        seconds = loop.time() - began
        # Some may have been killed a moment ago.
        await asyncio.gather(*(revive(program) for program in self._cluster.programs if not program.running))
        return await self._account(seconds)

    async def _arrive(self, person: Person, number: int, operator_key: str) -> None:
        await person.arrive(operator_key)
        await person.upload(seed=number)

    async def _figurine(self, number: int, ended: Callable[[], None]) -> None:
        await asyncio.sleep(number / _ORDERS_PER_SECOND)
        person = self._people[number % len(self._people)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        await person.finished(await person.order(), within_seconds=_PATIENCE_SECONDS)
        self._felt_seconds.append(loop.time() - began)
        ended()

    async def _kill(self, role: str, progress: Progress) -> None:
        """One process of the role after the other, until cancelled; the other one of its kind lives on."""
        track = kills_of(self._cluster, role)
        for fault in track.faults(self._seed):
            await asyncio.sleep(fault.calm_seconds + fault.into_seconds)
            progress.console.print(f"  SIGKILL {role}-{fault.target % len(self._cluster.of(role)) + 1}")
            self._kills[role] += 1
            await track.inflict(fault)

    async def _account(self, seconds: float) -> Account:
        promises = reduce(add, (person.promises for person in self._people), Promises())
        for person in self._people:
            await person.http.aclose()
        calls = await self._simulator.calls()
        objects = await asyncio.to_thread(self._cluster.objects)
        async with self._cluster.database() as database:
            await settled(database)
            async with database.read() as reader:
                wrong = await broken(reader, objects=objects, promises=promises, calls={"gemini": calls})
                states = await reader.rows("SELECT state, COUNT(*) AS n FROM generation GROUP BY state")
                attempts = await reader.rows("SELECT state, COUNT(*) AS n FROM attempt GROUP BY state")
                overdue = await reader.value(
                    "SELECT COUNT(*) FROM deadline WHERE state IN ('scheduled', 'executing') AND due_at <= :now",
                    now=reader.now,
                )
        jobs = sum(row["n"] for row in states)
        traces, from_order = await self._traces(jobs)
        # A worker takes along what it has not sent yet when it is killed.
        if traces > jobs or (traces < jobs and not self._kills["worker"]):
            wrong.append(f"traces: {jobs} jobs called for their pictures in {traces} traces")
        if from_order != traces and not self._kills["api"]:
            wrong.append(
                f"traces: {traces - from_order} do not begin with the order, and nobody was killed who had to tell"
            )
        felt = sorted(self._felt_seconds)
        return Account(
            seed=self._seed,
            seconds=seconds,
            kills=dict(sorted(self._kills.items())),
            unanswered=promises.unanswered,
            states={row["state"]: row["n"] for row in states},
            calls=calls,
            attempts={row["state"]: row["n"] for row in attempts},
            ledger=(await self._cluster.command("ledger", "verify")).strip(),
            overdue=int(overdue),
            traces=traces,
            from_order=from_order,
            spans=len(self._receiver.spans()),
            p50_seconds=statistics.median(felt),
            p99_seconds=felt[int(0.99 * (len(felt) - 1))],
            wrong=wrong,
        )

    async def _traces(self, jobs: int) -> tuple[int, int]:
        """How many traces lead to the model, and how many of those from an order."""

        def told() -> tuple[int, int]:
            ordered, called = (
                {span.trace_id for span in self._receiver.spans(name)}
                for name in ("POST /v1/generations", "egress gemini")
            )
            return len(called), len(ordered & called)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EXPORTED_WITHIN_SECONDS):
                # What other processes send can only be looked for. What a killed one had to tell never comes.
                while told() != (jobs, jobs):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        return told()


async def demonstrate(jobs: int, seed: int, progress: Progress) -> Account:
    """Start everything, send the jobs through, and add up."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="statuette-demo-")))
        with _step(progress, "Gemini and OTLP, simulated"):
            simulator = await stack.enter_async_context(Simulator(PROVIDER_SECONDS))
            receiver = await stack.enter_async_context(OtlpReceiver())
        settings = {**_SETTINGS, **simulator.settings, "STATUETTE_OTLP_ENDPOINT": receiver.url}
        with _step(progress, "PostgreSQL, Redis, S3, two processes a role"):
            cluster = await stack.enter_async_context(Cluster(folder, settings))
        return await Demonstration(cluster, simulator, receiver, seed).run(jobs, progress)


@contextmanager
def _step(progress: Progress, title: str) -> Iterator[None]:
    task = progress.add_task(title, total=1)
    yield
    progress.advance(task)


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo PROFILE=cluster", description=__doc__)
    parser.add_argument("--jobs", type=int, default=200, help="figurines to order (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--json", action="store_true", dest="as_json", help="the account as one JSON document")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True, stderr=arguments.as_json)
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        account = asyncio.run(demonstrate(arguments.jobs, arguments.seed, progress))
    if arguments.as_json:
        print(msgspec.json.format(msgspec.json.encode(account)).decode())
    else:
        console.print()
        for title, text in account.lines():
            console.print(f"{title:<12} {text}")
        for line in account.wrong:
            console.print(f"{'':<12} {line}")
    return int(bool(account.wrong))


if __name__ == "__main__":
    sys.exit(main())

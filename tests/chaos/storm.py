"""A storm: people use a real server, which is killed at random moments of the jobs' lives; then everything is added up."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.values import SystemClock
from tests.chaos.invariants import broken, unsettled
from tests.chaos.people import Person
from tests.chaos.processes import Server, Simulator

PROVIDER_SECONDS = 0.15
LATEST_KILL_SECONDS = 0.4
SETTLES_WITHIN_SECONDS = 90


@dataclass(frozen=True)
class Report:
    """What happened. `wrong` must be empty."""

    seed: int
    kills: int
    unanswered: int
    answers: Counter[str]
    states: Counter[str]
    attempts: Counter[str]
    calls: int
    wrong: list[str]

    def __str__(self) -> str:
        def table(counts: Counter[str]) -> str:
            return ", ".join(f"{name}: {number}" for name, number in sorted(counts.items()))

        return "\n".join(
            [
                f"seed            {self.seed}",
                f"kills           {self.kills}, which cut off {self.unanswered} requests",
                f"answers         {table(self.answers)}",
                f"jobs            {table(self.states)}",
                f"attempts        {table(self.attempts)}; the provider was called {self.calls} times",
                f"invariants      {'hold' if not self.wrong else 'BROKEN'}",
                *(f"                {line}" for line in self.wrong),
            ]
        )


async def storm(seed: int, *, kills: int | None = None, seconds: float | None = None, people: int = 3) -> Report:
    """Kill the server `kills` times, or for `seconds`, and add up."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="statuette-chaos-") as folder:
        async with Simulator(PROVIDER_SECONDS) as simulator:
            server = Server(Path(folder), simulator.url)
            operator_key = await server.set_up()
            await server.start()
            try:
                crowd = await _crowd(server, dice, operator_key, people)
                await _rage(server, dice, crowd, kills, seconds)
                return await _add_up(seed, server, simulator, crowd)
            finally:
                await server.stop()


async def _crowd(server: Server, dice: random.Random, operator_key: str, people: int) -> list[Person]:
    crowd = []
    for number in range(people):
        person = Person(server, f"person{number}", random.Random(dice.random()), lambda: None)
        await person.arrive(operator_key)
        crowd.append(person)
    return crowd


async def _rage(
    server: Server, dice: random.Random, crowd: list[Person], kills: int | None, seconds: float | None
) -> None:
    loop = asyncio.get_running_loop()
    over, an_order = asyncio.Event(), asyncio.Event()
    for person in crowd:
        person.ordered = an_order.set
    until = None if seconds is None else loop.time() + seconds
    acting = [asyncio.create_task(person.act_until(over)) for person in crowd]
    try:
        while (until is None or loop.time() < until) and (kills is None or server.kills < kills):
            await asyncio.sleep(dice.uniform(0.2, 1.0))
            an_order.clear()
            await an_order.wait()
            # From before the order is committed to after its picture is stored.
            await asyncio.sleep(dice.uniform(0, LATEST_KILL_SECONDS))
            await server.kill()
            await server.start()
    finally:
        over.set()
        await asyncio.gather(*acting)
        for person in crowd:
            await person.http.aclose()


async def _add_up(seed: int, server: Server, simulator: Simulator, crowd: list[Person]) -> Report:
    async with _opened(server) as database:
        await _settle(database)
        calls, objects = await simulator.calls(), server.objects()
        deleted = {found for person in crowd for found in person.deleted}
        async with database.read() as reader:
            wrong = await broken(
                reader,
                objects=objects,
                accepted={found for person in crowd for found in person.orders.values()},
                uploaded={found for person in crowd for found in person.uploads},
                deleted=deleted,
                calls=calls,
            )
            jobs = await reader.rows("SELECT state, reason FROM generation")
            attempts = await reader.rows("SELECT state FROM attempt")
    return Report(
        seed=seed,
        kills=server.kills,
        unanswered=sum(person.unanswered for person in crowd),
        answers=sum((person.answers for person in crowd), Counter()),
        states=Counter(" ".join(filter(None, (row["state"], row["reason"]))) for row in jobs),
        attempts=Counter(row["state"] for row in attempts),
        calls=calls,
        wrong=[*wrong, *(line for person in crowd for line in person.broken)],
    )


async def _settle(database: Database) -> None:
    """Wait until nothing is left to do. What never settles shows up as broken."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLES_WITHIN_SECONDS
    while loop.time() < until:
        async with database.read() as reader:
            if not await unsettled(reader):
                return
        await asyncio.sleep(0.2)


@asynccontextmanager
async def _opened(server: Server) -> AsyncIterator[Database]:
    database = Database(engine_for(server.database_url), SystemClock())
    try:
        await database.open()
        yield database
    finally:
        await database.close()

"""Leaving in order: nothing is dropped when processes are stopped one after the other, however often they are told."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.chaos.person import Person
from tests.chaos.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

_PROVIDER_SECONDS = 0.5


async def test_a_rolling_restart_under_load_drops_no_request_and_no_job(town: Town) -> None:
    # Given people who order, and wait for what they ordered, without a pause
    people = [await town.person() for _ in range(6)]
    town.gemini.latency_seconds = _PROVIDER_SECONDS
    over = asyncio.Event()

    async def use(person: Person) -> None:
        while not over.is_set():
            job_id = await person.order()
            await person.finished(job_id)

    using = [asyncio.create_task(use(person)) for person in people]

    # When every process is stopped and started again, one after the other
    codes = []
    for program in town.cluster.programs:
        codes.append(await program.stop())
        await program.start()
        if program.url is not None:
            await asyncio.wait_for(town.cluster.balancer.has_found(program.url), 20)
    over.set()
    await asyncio.gather(*using)

    # Then each ended by itself, and nobody has noticed: no request failed, none had to be sent twice
    assert codes == [0] * len(town.cluster.programs)
    balancer = town.cluster.balancer
    assert (balancer.broken, balancer.homeless) == (0, 0)
    assert sum(person.promises.unanswered for person in people) == 0
    answers = {answer for person in people for answer in person.promises.answers}
    assert {answer for answer in answers if int(answer.split()[-1]) >= 400} == set()

    # And every job was done in one go, by the worker that began it
    states = await town.rows("SELECT state, COUNT(*) AS n FROM generation GROUP BY state")
    assert [row["state"] for row in states] == ["succeeded"]
    assert states[0]["n"] > 2 * len(people)
    assert await town.value("SELECT COUNT(*) AS n FROM attempt") == states[0]["n"]


@pytest.mark.parametrize("impatience", ["twice", "to the group, twice"])
async def test_a_worker_that_is_told_to_stop_more_than_once_still_finishes_what_it_has_in_hand(
    town: Town, impatience: str
) -> None:
    # Given a worker in the middle of a call
    person = await town.person()
    town.gemini.latency_seconds = 2.0
    job_id = await person.order()
    worker = await town.holder(job_id)
    await town.gemini.wait_for_in_flight(1)

    # When it is told to stop, twice
    for _ in range(2):
        if impatience == "twice":
            worker.send(signal.SIGTERM)
        else:
            worker.send_to_group(signal.SIGTERM)
    code = await worker.ended()

    # Then it has finished that call first
    job = await person.finished(job_id)
    assert (code, job["state"]) == (0, "succeeded")
    assert [attempt["outcome"] for attempt in await town.attempts(job_id)] == ["succeeded"]

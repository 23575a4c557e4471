"""Processes are killed, and paused past their leases, exactly where it hurts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psutil
import pytest

from statuette.testing.fault_proxy import FaultProxy
from statuette.testing.gemini_simulator import Case
from tests.chaos.deployment import HOST
from tests.chaos.person import Person
from tests.chaos.town import QUEUE_HOST, RESUMED_WITHIN_SECONDS, Town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def quick_models(town: Town) -> None:
    town.gemini.latency_seconds, town.queue.render_seconds = 0.1, 0.1


async def test_a_worker_killed_in_the_middle_of_a_call_is_replaced_within_seconds(town: Town) -> None:
    # Given a worker that waits for an answer that never comes
    person, calls_before = await town.person(), town.gemini.calls
    town.gemini.script(Case.hang)
    job_id = await person.order()
    await town.gemini.wait_for_in_flight(1)
    worker = await town.holder(job_id)
    children = worker.children()

    # When it is killed
    await worker.kill()

    # Then another begins a second call within seconds, which is the last one; both are on record
    seconds = await town.until(lambda: _attempts(town, job_id, 2), RESUMED_WITHIN_SECONDS)
    print(f"resumed after {seconds:.1f} s")
    job = await person.finished(job_id)
    assert (job["state"], job["credits"]) == ("succeeded", {"held": 0, "captured": 1})
    assert town.gemini.calls == calls_before + 2
    assert [(row["state"], row["reason"]) for row in await town.attempts(job_id)] == [
        ("unknown", "worker_lost"),
        ("finished", None),
    ]

    # And nothing of the killed one is left running
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, 5)
    assert alive == []


async def test_a_job_that_waits_in_a_providers_queue_survives_its_worker_and_is_not_paid_twice(town: Town) -> None:
    # Given a job that the provider has accepted, and will take a while for
    town.queue.render_seconds = 1.5
    person, paid_before = await town.person(QUEUE_HOST), town.queue.paid_jobs
    job_id = await person.order()
    await town.until(lambda: town.rows("SELECT id FROM attempt WHERE generation_id = :id AND handle <> ''", id=job_id))

    # When the worker that asks for it is killed
    worker = await town.holder(job_id)
    await worker.kill()

    # Then another goes on asking
    job = await person.finished(job_id)
    assert (job["state"], town.queue.paid_jobs - paid_before) == ("succeeded", 1)
    assert [row["outcome"] for row in await town.attempts(job_id)] == ["succeeded"]


async def test_an_order_at_a_queue_that_was_cut_off_by_a_kill_is_repeated_and_not_paid_twice(
    town: Town, slow_queue: FaultProxy
) -> None:
    # Given a worker that has ordered, and has not heard yet that the order was accepted
    person, paid_before = await town.person(QUEUE_HOST), town.queue.paid_jobs
    slow_queue.slow(0.7)
    job_id = await person.order()
    worker = await town.holder(job_id)
    await town.until(lambda: _paid(town, paid_before + 1))

    # When it is killed
    await worker.kill()
    slow_queue.heal()

    # Then another orders the same, which costs nothing
    job = await person.finished(job_id)
    assert (job["state"], town.queue.paid_jobs - paid_before) == ("succeeded", 1)
    assert [row["outcome"] for row in await town.attempts(job_id)] == ["succeeded"]


async def test_an_order_whose_process_was_killed_after_the_commit_is_done_and_found_again(town: Town) -> None:
    # Given a process that has committed an order, and can neither tell a worker of it nor the person
    person, api = await town.person(), town.cluster.of("api")[0]
    town.cluster.redis.pause()
    order = {"inputs": [{"upload_id": person.photos[-1]}], "style": "chibi", "variables": {"name_text": person.words}}
    headers = {**person.http.headers, "Host": HOST, "Idempotency-Key": "ordered-before-the-kill"}
    placed = "SELECT id FROM generation WHERE account_id = :id"
    async with (
        httpx.AsyncClient(base_url=str(api.url), headers=headers) as http,
        town.holding("LOCK TABLE figurine IN ACCESS EXCLUSIVE MODE"),  # it reads from that as it answers
    ):
        ordering = asyncio.create_task(http.post("/v1/generations", json=order))
        await town.until(lambda: town.rows(placed, id=person.account_id))

        # When it is killed
        await api.kill()
        with pytest.raises(httpx.TransportError):
            await ordering
    town.cluster.redis.resume()

    # Then whoever asks again with the same key finds that one job, and it is done
    answer = await person.try_order(headers=headers, **order)
    assert answer.status_code in (200, 202)
    assert (await person.finished(answer.json()["id"]))["state"] == "succeeded"
    assert len(await town.rows(placed, id=person.account_id)) == 1


async def test_a_scheduler_killed_during_its_tick_is_replaced(town: Town) -> None:
    # Given a scheduler in the middle of handing out what is to be deleted
    person, leader = await town.person(), await town.leader()
    photo = person.photos[-1]
    async with town.holding("LOCK TABLE deadline IN ACCESS EXCLUSIVE MODE"):
        await town.until(lambda: _waits_for_a_lock(town, leader.pid))

        # When it is killed
        await leader.kill()

    # Then the other one ticks soon, and what is due is done
    seconds = await town.until(lambda: _leads_another(town, leader.process_id), RESUMED_WITHIN_SECONDS)
    print(f"replaced after {seconds:.1f} s")
    await person.delete_photo(photo)
    await town.until(lambda: _gone(town, photo))


async def test_of_two_schedulers_one_ticks(town: Town) -> None:
    # Given two of them, and work for a scheduler
    leader = await town.leader()
    (other,) = (program for program in town.cluster.of("scheduler") if program is not leader)
    silent_before = _duties(other.said())
    person = await town.person()
    photo = person.photos[-1]
    await person.delete_photo(photo)

    # When it is done
    await town.until(lambda: _gone(town, photo))

    # Then by one of them, and the other has only looked on
    assert _duties(leader.said()) > 0
    assert _duties(other.said()) == silent_before
    assert (await town.leader()) is leader

    # And when that one leaves in order, the other begins within a moment
    assert await leader.stop() == 0
    assert await town.until(lambda: _leads_another(town, leader.process_id), 5) < 3


async def test_a_worker_that_slept_past_its_lease_writes_nothing_when_it_wakes(town: Town) -> None:
    # Given a worker that is paused in the middle of a call, and whose job another has done meanwhile
    person = await town.person()
    town.gemini.latency_seconds = 1.0
    job_id = await person.order()
    await town.gemini.wait_for_in_flight(1)
    worker = await town.holder(job_id)
    worker.pause()
    await town.gemini.wait_for_in_flight(0)
    town.gemini.latency_seconds = 0.1
    assert (await person.finished(job_id))["state"] == "succeeded"
    before = await _everything_of(town, job_id)

    # When it wakes up, with the answer to its call in its hands
    worker.resume()
    await town.until(lambda: _says(worker.said(), "lease_lost"))

    # Then it learns that the job is not its own any more, and has changed nothing
    assert await _everything_of(town, job_id) == before
    assert [row["state"] for row in await town.attempts(job_id)] == ["unknown", "finished"]

    # And it goes on with other work
    assert worker.process_id in [row["id"] for row in await town.rows("SELECT id FROM process")]


async def test_a_stream_is_resumed_at_another_process(town: Town) -> None:
    # Given somebody who watches a job at one process
    person = await town.person()
    town.gemini.latency_seconds = 2.0
    job_id = await person.order()
    first, second = town.cluster.of("api")
    seen = []
    with pytest.raises(httpx.TransportError):
        async for event in _events(person, str(first.url), job_id, after=0):
            seen.append(event)
            if event["type"] == "generation.running":
                # When that process is killed
                await first.kill()

    # Then the other goes on where it ended
    seen += [event async for event in _events(person, str(second.url), job_id, after=seen[-1]["seq"])]
    assert [event["type"].removeprefix("generation.") for event in seen] == [
        *("queued", "running", "figurine_ready", "succeeded")
    ]
    assert [event["seq"] for event in seen] == [1, 2, 3, 4]


async def test_those_who_read_along_hear_everything_and_nothing_private(town: Town) -> None:
    # Given all that happened in this town so far, and one more job
    person = await town.person()
    await person.finished(await person.order())

    # When it is looked through
    heard = town.eavesdropper.heard()

    # Then there is much of what may be told
    for program in town.cluster.of("api"):
        assert '"event": "request"' in heard[program.name]
    assert "wrk_" in heard["Redis"]
    assert '"statuette' in heard["telemetry"]

    # And what may not would have been found
    told = town.eavesdropper.told({"id of work": "wrk_", "name of a span": "POST /v1/generations"})
    assert {"I13: the id of work was told to Redis", "I13: the name of a span was told to telemetry"} <= set(told)
    assert any(person.email in program.written() for program in town.cluster.of("api")), "a letter on the terminal"


@pytest.fixture
async def slow_queue(town: Town) -> AsyncIterator[FaultProxy]:
    yield town.queue_proxy
    town.queue_proxy.heal()


async def _attempts(town: Town, job_id: str, number: int) -> bool:
    return len(await town.attempts(job_id)) == number


async def _paid(town: Town, number: int) -> bool:
    return town.queue.paid_jobs >= number


async def _says(text: str, event: str) -> bool:
    return f'"event": "{event}"' in text


async def _leads_another(town: Town, process_id: str) -> bool:
    owner = await town.value("SELECT owner FROM lease WHERE name = 'scheduler'")
    return owner is not None and owner != process_id


async def _gone(town: Town, upload_id: str) -> bool:
    return not await town.rows("SELECT id FROM upload WHERE id = :id", id=upload_id)


async def _waits_for_a_lock(town: Town, pid: int) -> bool:
    """Whether a statement of that process waits."""
    ports = [connection.laddr.port for connection in psutil.Process(pid).net_connections("tcp")]
    waiting = await town.rows("SELECT client_port FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return any(row["client_port"] in ports for row in waiting)


def _duties(said: str) -> int:
    """How often a scheduler told of having done something."""
    return said.count('"event": "duty"')


async def _everything_of(town: Town, job_id: str) -> dict[str, Any]:
    """Whatever is written of a job, and all objects."""
    owner = "SELECT account_id FROM generation WHERE id = :id"
    queries = {
        "job": "SELECT * FROM generation WHERE id = :id",
        "attempts": "SELECT * FROM attempt WHERE generation_id = :id ORDER BY number",
        "figurines": "SELECT * FROM figurine WHERE generation_id = :id ORDER BY id",
        "events": "SELECT * FROM generation_event WHERE generation_id = :id ORDER BY seq",
        "wallet": f"SELECT * FROM wallet WHERE account_id = ({owner})",
        "transfers": f"SELECT * FROM ledger_transfer WHERE account_id = ({owner}) ORDER BY id",
        "costs": "SELECT * FROM cost_day WHERE brand_id = (SELECT brand_id FROM generation WHERE id = :id)",
    }
    found: dict[str, Any] = {name: await town.rows(sql, id=job_id) for name, sql in queries.items()}
    return found | {"objects": await asyncio.to_thread(town.cluster.objects)}


async def _events(person: Person, url: str, job_id: str, *, after: int) -> AsyncIterator[dict[str, Any]]:
    headers = {**person.http.headers, "Host": HOST} | ({"Last-Event-ID": str(after)} if after else {})
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as http,
        http.stream("GET", f"/v1/generations/{job_id}/events") as stream,
    ):
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))

"""The servers fail: Redis is lost, PostgreSQL stopped, cut and failed over, the store slow, refusing and interrupted."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import httpx
import pytest

from statuette.testing.pictures import is_picture, photo_jpeg
from tests.chaos.person import Person
from tests.chaos.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNTS = {"api": 1, "worker": 1, "scheduler": 1}
_PROVIDER_SECONDS = 0.3


@pytest.fixture(autouse=True)
def quick_model(town: Town) -> None:
    town.gemini.latency_seconds = _PROVIDER_SECONDS


@pytest.mark.parametrize("loss", ["stopped", "hanging", "full", "read only"])
async def test_work_goes_on_without_redis_and_after_it_came_back_empty(town: Town, loss: str) -> None:
    # Given somebody with jobs under way
    person, redis = await town.person(), town.cluster.redis
    lose, regain = {
        "stopped": (redis.stop, redis.start),
        "hanging": (redis.pause, redis.resume),
        "full": (partial(redis.full, True), partial(redis.full, False)),
        "read only": (partial(redis.read_only, True), partial(redis.read_only, False)),
    }[loss]
    jobs = [await person.order() for _ in range(4)]

    # When Redis is lost, or answers and takes nothing, and more is ordered meanwhile
    await asyncio.to_thread(lose)
    jobs += [await person.order() for _ in range(4)]

    # Then all of it is done without it
    assert {(await person.finished(job_id))["state"] for job_id in jobs} == {"succeeded"}

    # And when it is back, without anything in it, things are as before
    await asyncio.to_thread(regain)
    await asyncio.to_thread(redis.empty)
    assert (await person.finished(await person.order()))["state"] == "succeeded"
    assert await town.value("SELECT MAX(number) AS n FROM attempt") == 1


async def test_redis_emptied_again_and_again_costs_nothing_but_time(town: Town) -> None:
    # Given jobs, ordered all the time
    person = await town.person()
    jobs = []

    # When everything that Redis has is lost after each
    for _ in range(10):
        jobs.append(await person.order())
        await asyncio.to_thread(town.cluster.redis.empty)

    # Then all of them are done, and what Redis holds goes by itself, however much it was
    assert {(await person.finished(job_id))["state"] for job_id in jobs} == {"succeeded"}
    assert len(town.eavesdropper.keys) > 5
    assert town.eavesdropper.lasting == set()


async def test_the_database_may_restart_in_the_middle_of_everything(town: Town) -> None:
    # Given jobs in the middle of their calls
    person, postgres = await town.person(), town.cluster.postgres
    town.gemini.latency_seconds = 1.0
    jobs = [await person.order() for _ in range(4)]
    await town.gemini.wait_for_in_flight(4)

    # When the database stops, for longer than the calls take, and starts
    await asyncio.to_thread(postgres.stop)
    await town.gemini.wait_for_in_flight(0)
    await asyncio.to_thread(postgres.start)

    # Then what came of the calls was kept for it
    assert {(await person.finished(job_id))["state"] for job_id in jobs} == {"succeeded"}
    for job_id in jobs:
        assert [attempt["outcome"] for attempt in await town.attempts(job_id)] == ["succeeded"]


async def test_an_order_whose_transaction_is_cut_in_the_middle_is_placed_once(town: Town) -> None:
    # Given an order in the middle of its transaction, since somebody else holds the wallet
    person = await town.person()
    async with town.holding("SELECT * FROM wallet WHERE account_id = $1 FOR UPDATE", person.account_id):
        ordering = asyncio.create_task(person.order())
        await town.until(lambda: _waiting_for_a_lock(town))

        # When every connection to the database is cut
        await asyncio.to_thread(town.cluster.postgres.cut_connections)

    # Then the person hears of nothing but a job
    job_id = await ordering
    assert person.promises.unanswered == 0
    assert (await person.finished(job_id))["state"] == "succeeded"
    assert await town.rows("SELECT id FROM generation WHERE account_id = :id", id=person.account_id) == [{"id": job_id}]


async def test_a_picture_whose_transaction_is_cut_in_the_middle_is_delivered_and_paid_once(town: Town) -> None:
    # Given a worker in the middle of the transaction that ends a job, since somebody else holds the wallet
    person = await town.person()
    job_id = await person.order()
    async with town.holding("SELECT * FROM wallet WHERE account_id = $1 FOR UPDATE", person.account_id):
        await town.until(lambda: _waiting_for_a_lock(town))

        # When every connection to the database is cut
        await asyncio.to_thread(town.cluster.postgres.cut_connections)

    # Then the model was not asked again
    job = await person.finished(job_id)
    assert (job["state"], len(job["figurines"])) == ("succeeded", 1)
    assert [attempt["outcome"] for attempt in await town.attempts(job_id)] == ["succeeded"]


async def test_after_a_failover_to_a_server_that_takes_no_writes_people_read_and_work_waits(town: Town) -> None:
    # Given a job in its call, and one that is done
    person, postgres = await town.person(), town.cluster.postgres
    done = await person.order()
    await person.finished(done)
    town.gemini.latency_seconds = 1.0
    job_id = await person.order()
    await town.gemini.wait_for_in_flight(1)

    # When the database is read only
    await asyncio.to_thread(postgres.read_only, True)

    # Then people can look, are told to come back when they order, and what the model made is kept
    assert (await _once(person, "GET", f"/v1/generations/{done}")).status_code == 200
    refused = await _once(person, "POST", "/v1/generations", json={"parent": done})
    assert (refused.status_code, refused.json()["retryable"]) == (503, True)
    await town.gemini.wait_for_in_flight(0)

    # And when it takes writes again, everything goes on
    await asyncio.to_thread(postgres.read_only, False)
    assert (await person.finished(job_id))["state"] == "succeeded"
    assert [attempt["outcome"] for attempt in await town.attempts(job_id)] == ["succeeded"]
    assert (await person.finished(await person.order(parent=done)))["state"] == "succeeded"


async def test_processes_that_are_told_to_stop_while_the_database_is_away_leave_in_order(town: Town) -> None:
    # Given a database that is away
    await asyncio.to_thread(town.cluster.postgres.stop)

    # When every process is told to stop
    codes = await asyncio.gather(*(program.stop() for program in town.cluster.programs))

    # Then each does
    assert set(codes) == {0}


async def test_a_slow_store_makes_nothing_but_slow(town: Town) -> None:
    # Given a store that takes its time over every piece
    person = await town.person()
    town.cluster.s3_proxy.slow(0.2)

    # When a photo is sent and a figurine ordered
    await person.upload(seed=77)
    job = await person.finished(await person.order())

    # Then all is well
    town.cluster.s3_proxy.heal()
    assert job["state"] == "succeeded"
    assert [attempt["outcome"] for attempt in await town.attempts(job["id"])] == ["succeeded"]


async def test_a_store_that_refuses_is_told_to_people_and_outlasted_by_jobs(town: Town) -> None:
    # Given a job in its call
    person = await town.person()
    town.gemini.latency_seconds = 1.0
    job_id = await person.order()
    await town.gemini.wait_for_in_flight(1)

    # When nobody answers at the store's address
    await town.cluster.s3_proxy.refuse()

    # Then a photo is not taken in, while the job keeps its picture and tries to store it
    photo = {"photo": ("p.jpg", photo_jpeg())}
    refused = await _once(person, "POST", "/v1/uploads", files=photo, data={"statement": "true"})
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    await town.until(lambda: town.rows("SELECT 1 AS n FROM figurine WHERE generation_id = :id", id=job_id))
    await town.cluster.s3_proxy.welcome()

    # And when the store is back, it is there, and was paid for once
    job = await person.finished(job_id)
    assert (job["state"], len(job["figurines"]), job["credits"]["captured"]) == ("succeeded", 1, 1)
    assert len(await town.attempts(job_id)) == 1


@pytest.mark.parametrize("times", [1, 6], ids=["once", "again and again"])
async def test_a_picture_half_of_which_is_written_is_written_anew(town: Town, times: int) -> None:
    # Given a store to which connections break after some of a picture has arrived
    person = await town.person()
    town.cluster.s3_proxy.cut(after_sent=4_000, times=times)

    # When a figurine is ordered
    job = await person.finished(await person.order())

    # Then it is whole in the end, in every size
    assert town.cluster.s3_proxy.cuts >= times
    town.cluster.s3_proxy.heal()
    assert job["state"] == "succeeded"
    for size, address in job["figurines"][0]["images"].items():
        picture = await person.http.get(address)
        assert (picture.status_code, is_picture(picture.content)) == (200, True), size


async def _waiting_for_a_lock(town: Town) -> bool:
    return bool(
        await town.value(
            "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'statuette'"
        )
    )


async def _once(person: Person, method: str, path: str, **request: Any) -> httpx.Response:
    """The first answer, whatever it is."""
    headers = {"Idempotency-Key": person.next_key()} if method == "POST" else {}
    return await person.http.request(method, path, headers=headers, **request)

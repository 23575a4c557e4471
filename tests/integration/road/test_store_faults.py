"""The object store stumbles, loses answers and stops; intake children are killed. Nothing is charged, seen or left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from statuette.testing.pictures import photo_jpeg
from tests.integration.road.faults import MINUTE, costs, ended, has_finding, until, uploads_in
from tests.profiles import Profile
from tests.site import Site, serving


@pytest.fixture
def storage(clock: FrozenClock) -> MemoryStorage:
    return MemoryStorage(clock=clock)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock, storage: MemoryStorage) -> AsyncIterator[Site]:
    """On a store that fails as told and a clock that stands still."""
    async with serving(tmp_path, profile, clock=clock, storage=storage) as site:
        await site.apply_brand()
        yield site


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
async def test_a_store_that_fails_while_a_photo_is_stored_leaves_nothing(
    site: Site, storage: MemoryStorage, clock: FrozenClock, after_effect: bool
) -> None:
    # Given a store whose next put fails, before or after it wrote
    person = await site.person()
    storage.fail_next("put", after_effect=after_effect)

    # When a photo is uploaded
    refused = await person.try_upload(headers={"Idempotency-Key": "photo-1"})

    # Then the answer says that it may be tried again, no object outlives it, and trying again works with the same key
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    assert refused.json()["retryable"]
    await until(lambda: _empty(storage, "uploads/"), clock)
    assert (await person.http.get("/v1/uploads")).json()["items"] == []
    assert (await person.try_upload(headers={"Idempotency-Key": "photo-1"})).status_code == 201


async def test_a_store_that_stumbles_while_a_figurine_is_stored_costs_no_second_call(
    site: Site, storage: MemoryStorage, clock: FrozenClock
) -> None:
    # Given a photo, and a store that fails twice
    person = await site.person(credits=5)
    upload = await person.upload()
    storage.fail_next("put", times=2)

    # When a figurine is ordered
    job = await ended(person, (await person.order(upload["id"]))["id"], clock)

    # Then it is made by one call
    assert job["state"] == "succeeded"
    assert len(site.scripted.calls) == 1
    assert (await person.credits())["available"] == 4


async def test_a_store_that_stays_down_ends_the_job_unpaid_and_without_objects(
    site: Site, storage: MemoryStorage, clock: FrozenClock
) -> None:
    # Given a photo, and a store that takes one of three sizes and then no picture any more
    person = await site.person(credits=5)
    upload = await person.upload()
    puts = storage.put

    async def first_only(key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> object:
        if not key.endswith("original.png") and not key.startswith("journal/"):
            storage.fail_next("put")
        return await puts(key, data, media_type=media_type, if_absent=if_absent)

    storage.put = first_only  # type: ignore[method-assign, assignment]

    # When a figurine is ordered, and time passes from retry to retry
    order = await person.order(upload["id"])
    job = await ended(person, order["id"], clock)

    # Then the job has failed after a second call, the credits are back, the real price is on record, and no object is left
    assert (job["state"], job["reason"]) == ("failed", "paid_in_vain")
    assert len(site.scripted.calls) == 2
    assert (await person.credits())["available"] == 5
    await until(lambda: _empty(storage, "figurines/"), clock)
    spent, reserved = await costs(site)
    assert (spent, reserved) == (2 * site.scripted.price.micros, 0)


async def test_a_photo_that_cannot_be_read_for_a_moment_delays_the_job_and_costs_nothing(
    site: Site, storage: MemoryStorage, clock: FrozenClock
) -> None:
    # Given a store that fails to read once
    person = await site.person(credits=5)
    upload = await person.upload()
    storage.fail_next("read")

    # When a figurine is ordered
    job = await ended(person, (await person.order(upload["id"]))["id"], clock)

    # Then it comes after a retry, and only the call that left is paid
    assert job["state"] == "succeeded"
    assert len(site.scripted.calls) == 1
    assert await costs(site) == (site.scripted.price.micros, 0)


async def test_a_picture_that_cannot_be_read_is_a_problem_and_not_a_crash(site: Site, storage: MemoryStorage) -> None:
    person = await site.person()
    upload = await person.upload()
    storage.fail_next("head")

    broken = await person.http.get(upload["image_url"])
    whole = await person.http.get(upload["image_url"])

    assert (broken.status_code, broken.json()["code"]) == (503, "storage_unavailable")
    assert whole.status_code == 200


@pytest.mark.parametrize("operation", ["list", "delete", "purge"])
async def test_a_deletion_that_the_store_refuses_is_repeated_and_reported_and_hidden_meanwhile(
    site: Site, storage: MemoryStorage, clock: FrozenClock, operation: str
) -> None:
    # Given a store that fails once on the way of a deletion
    person = await site.person()
    upload = await person.upload()
    storage.fail_next(operation, about=upload["id"])  # type: ignore[arg-type]

    # When the owner deletes the photo
    await person.http.delete(f"/v1/uploads/{upload['id']}")
    clock.advance(timedelta(seconds=2))
    await until(lambda: has_finding(site, "enforcement_delayed"))

    # Then it is out of sight although the row is there, and gone after the next try
    assert (await person.http.get(f"/v1/uploads/{upload['id']}")).status_code == 404
    assert (await person.http.get(upload["image_url"])).status_code == 404
    assert await uploads_in(site) == 1
    clock.advance(MINUTE)
    await until(lambda: _empty(storage, "uploads/"), clock)
    await until(lambda: _uploads(site, 0))


async def test_a_photo_whose_deadline_passes_while_the_store_is_slow_leaves_no_object(
    site: Site, storage: MemoryStorage, clock: FrozenClock
) -> None:
    # Given a store so slow that a photo's last deadline passes before its bytes are there
    person = await site.person()
    storage.latency = timedelta(days=3)
    uploading = asyncio.create_task(person.try_upload())
    await until(lambda: _uploads(site, 1))
    storage.latency = timedelta(0)
    clock.advance(timedelta(days=2))
    await until(lambda: _uploads(site, 0))

    # When the store answers at last
    clock.advance(timedelta(days=2))
    answer = await uploading

    # Then there is neither a row nor an object
    assert answer.status_code == 404
    assert await _empty(storage, "uploads/")


async def test_a_killed_intake_child_is_replaced_and_the_upload_tells_or_works(site: Site) -> None:
    # Given the child that will take large photos in
    person = await site.person()
    photo = photo_jpeg(4000, 3000)
    (child,) = site.platform.pixels.pids()

    # When it is killed while photos arrive
    uploading = [asyncio.create_task(person.try_upload(photo)) for _ in range(3)]
    await asyncio.sleep(0.15)
    os.kill(child, signal.SIGKILL)
    answers = await asyncio.gather(*uploading)

    # Then every answer is a photo or says that it may be tried again, another child works, and photos without a row: none
    for answer in answers:
        assert answer.status_code == 201 or (answer.status_code == 503 and answer.json()["retryable"]), answer.text
    assert (await person.try_upload()).status_code == 201
    assert child not in site.platform.pixels.pids()
    assert site.platform.pixels.restarts >= 1
    stored = len((await person.http.get("/v1/uploads")).json()["items"])
    assert stored == sum(answer.status_code == 201 for answer in answers) + 1


async def _empty(storage: MemoryStorage, prefix: str) -> bool:
    return not [found.key async for found in storage.list(prefix)]


async def _uploads(site: Site, wanted: int) -> bool:
    return await uploads_in(site) == wanted

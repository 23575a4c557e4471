"""Transactions of PostgreSQL that meet on one account: none waits for one that waits for it, and none misses what another did."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from statuette.kernel.db.database import Transaction
from statuette.kernel.domain.credits.verify import verify
from statuette.kernel.domain.generations import repository
from statuette.kernel.domain.generations.outcomes import State
from statuette.kernel.domain.uploads import service as uploads
from statuette.testing.scripted_image import Answer, Hang, ScriptedImageProvider
from tests.integration.road.faults import until
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

ON_POSTGRESQL = pytest.mark.parametrize("profile_name", ["cluster"], indirect=True)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    # Jobs that hang are not worth waiting for at the end.
    async with serving(tmp_path, profile, scripted=ScriptedImageProvider(default=Hang()), stop_seconds=1) as site:
        await site.apply_brand(limits_in_flight=3)
        yield site


async def somebody_waits(site: Site) -> bool:
    async with site.platform.database.read() as reader:
        return bool(
            await reader.value(
                "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )


async def armed(site: Site, upload_id: str) -> list[str]:
    async with site.platform.database.read() as reader:
        rows = await reader.rows(
            "SELECT rule FROM deadline WHERE record_id = :id AND due_at IS NOT NULL ORDER BY rule", id=upload_id
        )
    return [row["rule"] for row in rows]


@ON_POSTGRESQL
async def test_a_photo_that_is_saved_while_its_job_ends_stays(site: Site) -> None:
    # Given a job that is under way
    person = await site.person()
    photo = await person.upload()
    job = await person.order(photo["id"])
    brand = await site.platform.brands.by_host("127.0.0.1")
    assert brand is not None

    async def end(tx: Transaction) -> None:
        locked = await repository.lock_unfinished(tx, job["id"])
        assert locked is not None
        await site.platform.generations.end(tx, locked, state=State.failed, reason="no_image", delivered=0)

    # When the photo is being saved at the moment at which the job ends
    async with site.platform.database.transaction() as saving:
        await uploads.save(
            saving, brand_id=brand.id, account_id=person.account_id, upload_id=photo["id"], policy=brand.policy
        )
        ending = asyncio.create_task(site.platform.database.run(end))
        await until(lambda: somebody_waits(site))
    await ending

    # Then it is saved, and nothing is about to delete it
    assert (await person.http.get(f"/v1/uploads/{photo['id']}")).json()["saved"] is True
    assert await armed(site, photo["id"]) == []


@ON_POSTGRESQL
async def test_of_many_orders_at_once_no_more_are_accepted_than_may_be_under_way(site: Site) -> None:
    # Given somebody who may have three jobs under way
    person = await site.person()
    photo = await person.upload()

    # When twelve orders arrive at once
    answers = await asyncio.gather(*(person.try_order(photo["id"]) for _ in range(12)))

    # Then three are accepted, and the others are told why not
    assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 9
    assert {answer.json()["code"] for answer in answers if answer.status_code == 429} == {"too_many_in_flight"}


@ON_POSTGRESQL
async def test_people_who_do_everything_at_once_never_wait_in_a_circle(tmp_path: Path, profile: Profile) -> None:
    # Given a person with some photos, and a provider that is neither quick nor slow
    provider = ScriptedImageProvider(default=Answer(delay=timedelta(milliseconds=30)))
    async with serving(tmp_path, profile, scripted=provider) as site:
        await site.apply_brand(limits_in_flight=50)
        person = await site.person(credits=500)
        photos = [(await person.upload())["id"] for _ in range(3)]
        chance, hands = random.Random(7), asyncio.Semaphore(8)

        async def do(number: int) -> httpx.Response:
            async with hands:
                return await deed(person, photos, chance.random(), number)

        # When they order, cancel, save, unsave and take their consent back and give it again, with eight hands
        answers = await asyncio.gather(*(do(number) for number in range(250)))
        await person.agree()
        await site.settled(30)

        # Then nothing had to be ended by the database, nobody was told to try again
        assert {answer.status_code for answer in answers} <= {200, 202, 403, 404, 409, 429}, [
            answer.text for answer in answers if answer.status_code >= 500
        ]
        async with site.platform.database.read() as reader:
            deadlocks = await reader.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            assert deadlocks == 0
            unfinished = await reader.rows("SELECT id FROM generation WHERE finished_at IS NULL")
            assert unfinished == []
            assert await verify(reader) == []
        # And a photo that is saved has no end, while any other has one
        for photo in photos:
            saved = (await person.http.get(f"/v1/uploads/{photo}")).json()["saved"]
            assert (await armed(site, photo) == []) is saved


async def deed(person: Visitor, photos: list[str], chance: float, number: int) -> httpx.Response:
    photo = photos[number % len(photos)]
    if chance < 0.6:
        return await person.try_order(inputs=[{"upload_id": each} for each in {photo, photos[0]}], style="chibi")
    if chance < 0.75:
        listed = (await person.http.get("/v1/generations?limit=20")).json()["items"]
        job = next((each for each in listed if not each["final"]), None)
        return await person.http.post(f"/v1/generations/{job['id'] if job else 'gen_none'}/cancel")
    if chance < 0.85:
        return await person.http.put(f"/v1/uploads/{photo}/saved")
    if chance < 0.95:
        return await person.http.delete(f"/v1/uploads/{photo}/saved")
    answer = await person.http.put("/v1/account/consents/generation", json={"granted": False})
    await person.http.put("/v1/account/consents/generation", json={"granted": True})
    return answer

"""The database's disk is full: nothing is half done, what is under way waits, and all goes on when there is room again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from statuette.testing import FrozenClock
from statuette.testing.scripted_image import Answer, Hang, ScriptedImageProvider
from tests.integration.road.faults import costs, count, until
from tests.site import Site, Visitor, serving

PLENTY_OF_PAGES = 1_000_000


@pytest.fixture
async def site(tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Site]:
    scripted = ScriptedImageProvider(clock=clock)
    async with serving(tmp_path, f"sqlite:///{tmp_path}/statuette.db", clock=clock, scripted=scripted) as site:
        await site.apply_brand(limits_in_flight=200)
        yield site


async def test_orders_on_a_full_disk_are_refused_whole_and_accepted_when_there_is_room(site: Site) -> None:
    # Given a photo, and a database that may not grow by a page
    person = await site.person(credits=200)
    upload = await person.upload()
    site.scripted.default = Hang()

    # When jobs are ordered until the room of its last pages is used up
    accepted, refused = await _fill(site, person, upload["id"])

    # Then the next is refused as something to be tried again
    assert (refused.status_code, refused.json()["retryable"]) == (503, True)

    # When there is room again, then what was accepted is there, what was refused is not, and the same request goes through
    await _limit_pages(site, PLENTY_OF_PAGES)
    assert (await person.credits())["held"] == await count(site, "SELECT COUNT(*) AS n FROM generation") == accepted
    again = await person.try_order(upload["id"], headers={"Idempotency-Key": f"order-{accepted}"})
    assert again.status_code == 202
    await person.agree(granted=False)  # ends them all


async def test_a_picture_that_comes_while_the_disk_is_full_is_made_again_and_paid_once(
    site: Site, clock: FrozenClock
) -> None:
    # Given a call that is answered while the database is full
    person = await site.person(credits=200)
    upload = await person.upload()
    site.scripted.script(Answer(delay=timedelta(seconds=10)))
    order = await person.order(upload["id"])
    await site.scripted.wait_for_calls(1)
    site.scripted.default = Hang()
    await _fill(site, person, upload["id"])
    clock.advance(timedelta(seconds=10))
    await asyncio.sleep(0.3)
    assert not (await person.http.get(f"/v1/generations/{order['id']}")).json()["final"]

    # When there is room again
    await _limit_pages(site, PLENTY_OF_PAGES)
    site.scripted.default = Answer()
    clock.advance(timedelta(seconds=11))
    job = await person.finished(order["id"])

    # Then the job succeeds, by one figurine for one credit, and both calls are on the books
    assert (job["state"], job["credits"]) == ("succeeded", {"held": 0, "captured": 1})
    assert len(job["figurines"]) == 1
    attempts = await count(site, "SELECT COUNT(*) AS n FROM attempt WHERE generation_id = :id", id=order["id"])
    assert attempts == 2
    await person.agree(granted=False)
    await until(lambda: _nothing_open(site), clock)
    assert (await costs(site))[1] == 0


async def _fill(site: Site, person: Visitor, upload_id: str) -> tuple[int, httpx.Response]:
    """Order until the database has no room: how many were accepted, and the first refusal."""
    await _limit_pages(site, 1)
    for number in range(190):
        answer = await person.try_order(upload_id, headers={"Idempotency-Key": f"order-{number}"})
        if answer.status_code != 202:
            return number, answer
    raise AssertionError("the database was never full")


async def _nothing_open(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM attempt WHERE finished_at IS NULL") == 0


async def _limit_pages(site: Site, pages: int) -> None:
    """The most that the database may have; SQLite takes less than it has for what it has."""
    async with site.platform.database.transaction() as tx:
        await tx.rows(f"PRAGMA max_page_count = {pages}")

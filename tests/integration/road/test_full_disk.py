"""The database's disk is full: nothing is half done, what is under way waits, and all goes on when there is room again.

On the embedded profile alone: PostgreSQL's disk is that of its server, and who has it fills it.
"""

from __future__ import annotations

import logging
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from statuette.testing import FrozenClock
from statuette.testing.scripted_image import Answer, Hang, ScriptedImageProvider
from tests.integration.road.faults import costs, count, until
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

pytestmark = pytest.mark.parametrize("profile_name", ["embedded"], indirect=True)
ROOM_BYTES = 400_000  # for some orders


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    scripted = ScriptedImageProvider(clock=clock)
    async with serving(tmp_path, profile, clock=clock, scripted=scripted) as site:
        await site.apply_brand(limits_in_flight=200)
        yield site


async def test_orders_on_a_full_disk_are_refused_whole_and_accepted_when_there_is_room(site: Site) -> None:
    # Given a photo, and a disk with room for some orders
    person = await site.person(credits=200)
    upload = await person.upload()
    site.scripted.default = Hang()
    with _little_room(site):
        # When jobs are ordered until it is used up
        accepted, refused = await _fill(person, upload["id"])

        # Then the next is refused as something to be tried again
        assert accepted > 0
        assert (refused.status_code, refused.json()["retryable"]) == (503, True)

    # When there is room again, then what was accepted is there, what was refused is not, and the same request goes through
    assert (await person.credits())["held"] == await count(site, "SELECT COUNT(*) AS n FROM generation") == accepted
    again = await person.try_order(upload["id"], headers={"Idempotency-Key": f"order-{accepted}"})
    assert again.status_code == 202
    await person.agree(granted=False)  # ends them all


async def test_a_picture_that_comes_while_the_disk_is_full_is_kept_until_there_is_room(
    site: Site, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a call that is under way when the disk fills
    caplog.set_level(logging.INFO, "statuette.kernel.db.database")
    person = await site.person(credits=200)
    upload = await person.upload()
    site.scripted.script(Answer(delay=timedelta(seconds=10)))
    order = await person.order(upload["id"])
    await site.scripted.wait_for_calls(1)
    site.scripted.default = Hang()
    with _little_room(site):
        await _fill(person, upload["id"])

        # When it is answered, and its worker has tried in vain to write that down
        clock.advance(timedelta(seconds=10))
        await until(lambda: _tried_again(caplog))

        # Then the job has not ended
        assert not (await person.http.get(f"/v1/generations/{order['id']}")).json()["final"]

    # When there is room again
    site.scripted.default = Answer()
    clock.advance(timedelta(seconds=11))
    job = await person.finished(order["id"])

    # Then the job succeeds, by one call and one figurine for one credit
    assert (job["state"], job["credits"]) == ("succeeded", {"held": 0, "captured": 1})
    assert len(job["figurines"]) == 1
    assert await count(site, "SELECT COUNT(*) AS n FROM attempt WHERE generation_id = :id", id=order["id"]) == 1
    await person.agree(granted=False)
    await until(lambda: _nothing_open(site), clock)
    assert (await costs(site))[1] == 0


async def _fill(person: Visitor, upload_id: str) -> tuple[int, httpx.Response]:
    """Order until the disk has no room: how many were accepted, and the first refusal."""
    for number in range(190):
        answer = await person.try_order(upload_id, headers={"Idempotency-Key": f"order-{number}"})
        if answer.status_code != 202:
            return number, answer
    raise AssertionError("the disk was never full")


@contextmanager
def _little_room(site: Site) -> Iterator[None]:
    """No file of this process grows beyond what the database's log has now, and `ROOM_BYTES` more."""
    log = Path(f"{site.profile.database_url.removeprefix('sqlite:///')}-wal")
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + ROOM_BYTES, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


async def _tried_again(caplog: pytest.LogCaptureFixture) -> bool:
    return any(record.getMessage() == "transaction_again" for record in caplog.records)


async def _nothing_open(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM attempt WHERE finished_at IS NULL") == 0

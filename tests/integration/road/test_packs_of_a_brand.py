"""Packs that a brand names change what happens to its photos, and to no other brand's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from statuette.testing import FrozenClock
from tests.integration.road.faults import until, uploads_in
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        yield site


async def saved_photo(person: Visitor) -> tuple[str, datetime | None]:
    """A photo that its owner asked to keep, and when it goes."""
    upload = await person.upload()
    assert (await person.http.put(f"/v1/uploads/{upload['id']}/saved")).status_code == 200
    expires_at = (await person.http.get(f"/v1/uploads/{upload['id']}")).json()["expires_at"]
    return upload["id"], None if expires_at is None else datetime.fromisoformat(expires_at)


@pytest.mark.rule("upload.longest")
async def test_with_bipa_a_saved_photo_goes_three_years_after_it_was_uploaded(site: Site, clock: FrozenClock) -> None:
    await site.apply_brand(more='policy_packs = ["bipa"]')
    await site.apply_brand("beta", host="beta.example")
    ada, ben = await site.person(), await site.person(brand="beta", host="beta.example")
    began = clock.now()

    (upload, expires_at), (_, never) = await saved_photo(ada), await saved_photo(ben)

    assert expires_at is not None and never is None
    assert expires_at - (began + 3 * 365 * DAY) <= DAY + HOUR
    assert (expires_at.year, expires_at.month, expires_at.day) == (began.year + 3, began.month, began.day)
    clock.advance(expires_at - clock.now())
    assert (await ada.http.get(f"/v1/uploads/{upload}")).status_code in (401, 404)
    await until(lambda: _left(site, 1), clock)


async def test_with_bipa_no_job_begins_that_could_outlast_the_three_years(site: Site, clock: FrozenClock) -> None:
    await site.apply_brand(more='policy_packs = ["bipa"]')
    ada = await site.person()
    upload, expires_at = await saved_photo(ada)
    assert expires_at is not None
    async with site.platform.database.transaction() as tx:
        # As if it had been uploaded three years ago, and was due in ten minutes.
        await tx.execute("UPDATE upload SET created_at = :then", then=clock.now() - 3 * 365 * DAY - DAY)

    refused = await ada.try_order(upload)

    assert (refused.status_code, refused.json()["code"]) == (409, "upload_expires_too_soon")


async def test_where_minors_are_a_photo_goes_whether_saved_or_not(site: Site, clock: FrozenClock) -> None:
    await site.apply_brand(more='policy_packs = ["minors"]')
    ada = await site.person()

    upload, expires_at = await saved_photo(ada)
    assert expires_at is not None and expires_at - clock.now() <= DAY
    await ada.finished((await ada.order(upload))["id"])
    used = (await ada.http.get(f"/v1/uploads/{upload}")).json()["expires_at"]

    assert datetime.fromisoformat(used) - clock.now() <= HOUR
    clock.advance(HOUR)
    await until(lambda: _left(site, 0), clock)


async def _left(site: Site, count: int) -> bool:
    return await uploads_in(site) == count

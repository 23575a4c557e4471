"""A store that is away for a day: what fell due meanwhile was forecast, so all of it goes when the store is back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from tests.integration.road.faults import count, has_finding, hurry, until
from tests.profiles import Profile
from tests.recorded import Recorded
from tests.site import Site, serving

HOUR = timedelta(hours=1)
_PHOTOS = 40
_FOR_EVER = 1_000_000


async def test_the_backlog_of_a_day_drains_and_no_guard_trips(
    tmp_path: Path, profile: Profile, clock: FrozenClock, recorded: Recorded
) -> None:
    storage = MemoryStorage(clock=clock)
    async with serving(tmp_path, profile, clock=clock, storage=storage) as site:
        hurry(site)
        await site.apply_brand()
        person = await site.person()

        # Given photos that fall due one after the other, and a store that is gone by then
        for _ in range(_PHOTOS):
            await person.upload()
            clock.advance(timedelta(minutes=20))
        kept = (await person.upload())["id"]
        assert (await person.http.put(f"/v1/uploads/{kept}/saved")).status_code == 200
        storage.fail_next("list", times=_FOR_EVER)
        for _ in range(24):
            clock.advance(HOUR)
            await site.platform.scheduler.tick()
        await until(lambda: has_finding(site, "enforcement_delayed"), clock)

        # Then nothing is lost of it, and nobody sees a photo whose time is over
        assert await count(site, "SELECT COUNT(*) AS n FROM upload") == _PHOTOS + 1
        seen = (await person.http.get("/v1/uploads")).json()["items"]
        assert [each["id"] for each in seen] == [kept]

        # When it is back
        storage.fail_next("list", times=0)

        # Then all that is due goes, with a receipt each, and only what is due
        await until(lambda: _drained(site), clock, seconds=40)
        await until(lambda: _receipted(site), clock)
        assert {key.split("/")[2] for key in [found.key async for found in storage.list("uploads/")]} == {kept}
        assert not await has_finding(site, "enforcement_stopped")
        assert (recorded.value("statuette.enforcement.lag", rule="upload.unused") or 0) > 0


async def _receipted(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM receipt") == _PHOTOS


async def _drained(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM upload") == 1

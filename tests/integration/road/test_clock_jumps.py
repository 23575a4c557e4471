"""A clock that jumps deletes nothing early, and is found; a machine that slept catches up."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from statuette.kernel.clock import SteadyClock
from statuette.testing import FrozenClock
from tests.integration.road.faults import count, until, uploads_in
from tests.profiles import Profile
from tests.site import Site, serving

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Jumping(FrozenClock):
    """A clock whose wall time can be set beside what passes."""

    off = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.off


@pytest.mark.parametrize("jump", [3 * DAY, -HOUR], ids=["forward", "backward"])
async def test_a_clock_that_jumps_deletes_nothing_early_and_nothing_late(
    tmp_path: Path, profile: Profile, jump: timedelta
) -> None:
    # Given a photo that is deleted in a day
    machine = Jumping()
    async with serving(tmp_path, profile, clock=SteadyClock(machine)) as site:
        await site.apply_brand()
        person = await site.person()
        await person.upload()
        machine.advance(HOUR)
        assert site.platform.clock.now() == machine.now()

        # When the clock is set wrong, and hours pass
        machine.off = jump
        await until(lambda: _found(site, "clock_jumped"), machine)
        machine.advance(20 * HOUR)
        for _ in range(5):
            await site.platform.scheduler.tick()

        # Then the photo is there until its day is over, by what passed
        assert await uploads_in(site) == 1
        machine.advance(4 * HOUR)
        await until(lambda: _gone(site), machine)


async def test_after_a_night_asleep_what_became_due_is_deleted(tmp_path: Path, profile: Profile) -> None:
    machine = Jumping()
    async with serving(tmp_path, profile, clock=SteadyClock(machine)) as site:
        await site.apply_brand()
        await (await site.person()).upload()

        machine.advance(30 * HOUR)

        await until(lambda: _gone(site), machine)
        assert not await _found(site, "clock_jumped")


async def test_a_start_with_a_clock_that_was_set_back_is_found(tmp_path: Path, profile: Profile) -> None:
    # Given a site that ran until now
    machine = Jumping()
    async with serving(tmp_path, profile, clock=SteadyClock(machine)) as site:
        await site.apply_brand()
        await until(lambda: _marked(site), machine)

    # When it starts again an hour earlier
    machine.off = -HOUR
    async with serving(tmp_path, profile, clock=SteadyClock(machine)) as site:
        await until(lambda: _found(site, "clock_went_back"), machine)


async def _found(site: Site, code: str) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM finding WHERE code = :code", code=code) > 0


async def _marked(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM time_mark WHERE name = 'clock'") > 0


async def _gone(site: Site) -> bool:
    return await uploads_in(site) == 0

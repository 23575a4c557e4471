"""An enforcer that silently does nothing is found: while it lasts, and afterwards."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from statuette.kernel.doctor import examine
from statuette.kernel.enforcement.due import DueDeadlines
from statuette.testing import FrozenClock
from tests.integration.road.faults import count, has_finding, until, uploads_in
from tests.profiles import Profile
from tests.site import Site, serving

HOUR = timedelta(hours=1)


async def test_a_scheduler_that_ticks_and_comes_to_no_deadline_is_found(
    tmp_path: Path, profile: Profile, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        await until(lambda: _has_beaten(site), clock)
        assert await _doctor_on_the_scheduler(site) == (True, "ticks")

        # When whoever looks for deadlines fails, and everything else goes on
        async def failing(*_: object) -> list[str]:
            raise RuntimeError("out of order")

        monkeypatch.setattr(DueDeadlines, "claim", failing)
        clock.advance(2 * HOUR)

        # Then it is found while it lasts
        await until(lambda: has_finding(site, "enforcement_silent"), clock)
        assert await _doctor_on_the_scheduler(site) == (False, "ticks, and looks for no deadlines")


async def test_a_day_on_which_nothing_ran_is_found_once_it_is_over(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given a photo that is deleted in a day, and a site that stops for longer
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        await (await site.person()).upload()
        await until(lambda: _has_beaten(site), clock)
    clock.advance(30 * HOUR)

    # When it runs again
    async with serving(tmp_path, profile, clock=clock) as site:
        await until(lambda: has_finding(site, "enforcement_silent"), clock)

        # Then what is late is done
        await until(lambda: _is_empty(site), clock)


async def _has_beaten(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM time_mark WHERE name = 'enforcement'") == 1


async def _is_empty(site: Site) -> bool:
    return await uploads_in(site) == 0


async def _doctor_on_the_scheduler(site: Site) -> tuple[bool, str]:
    [found] = [each for each in await examine(site.platform) if each.name == "scheduler"]
    return found.ok, found.detail

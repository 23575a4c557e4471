"""A site with a clock that stands still, and people who have something of everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from statuette.testing import FrozenClock
from tests.integration.road.faults import hurry
from tests.profiles import Profile
from tests.site import Site, serving


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand(more="signup_credits = 3")
        hurry(site)
        yield site

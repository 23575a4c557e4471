"""A site on each profile, with one brand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.profiles import Profile
from tests.recorded import Recorded, recorder
from tests.site import Site, serving


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        yield site


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """Spans of this test, and metrics. Asked for before the site, so that nothing is missed."""
    with recorder() as recorded:
        yield recorded

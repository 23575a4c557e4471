"""A town of each module, and after each of its tests a look at every invariant."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.town import Town
from tests.chaos.town import town as built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The town that the tests of a module share, with what the module sets in `SETTINGS`, `COUNTS` and `SKEWS`."""
    settings, counts, skews = (getattr(request.module, name, {}) for name in ("SETTINGS", "COUNTS", "SKEWS"))
    async with built(tmp_path_factory.mktemp("town"), settings, counts, skews) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(shared_town: Town) -> AsyncIterator[Town]:
    """After the test, whatever it did is undone, and every invariant holds: I1 to I4, I6, I12 to I14, nothing overdue."""
    yield shared_town
    assert await shared_town.cluster.heal() == []
    assert await shared_town.broken() == []

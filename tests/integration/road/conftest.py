"""A site on each engine, with one brand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.site import Site, serving


@pytest.fixture
async def site(tmp_path: Path, database_url: str) -> AsyncIterator[Site]:
    async with serving(tmp_path, database_url) as site:
        await site.apply_brand()
        yield site

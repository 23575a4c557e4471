"""What people decided about their questions outlives a restore of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from statuette.testing import FrozenClock
from tests.integration.journal.restoring import Backup
from tests.integration.road.faults import count, until
from tests.integration.support.asking import ask, attach, own
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

Serve = Callable[[], Any]


@pytest.fixture
def serve(tmp_path: Path, profile: Profile, clock: FrozenClock) -> Serve:
    """Start the same deployment, again and again."""

    @asynccontextmanager
    async def started() -> AsyncIterator[Site]:
        async with serving(tmp_path, profile, clock=clock) as site:
            await site.apply_brand()
            yield site

    return started


@pytest.fixture
async def backup(profile: Profile, tmp_path: Path) -> AsyncIterator[Backup]:
    backup = Backup(profile.database_url, tmp_path)
    yield backup
    await backup.drop()


async def step(person: Visitor, question: str, what: str, **body: Any) -> dict[str, Any]:
    answer = await person.http.post(f"/v1/account/support/{question}/{what}", json=body)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def test_deleting_closing_and_opening_again_outlive_a_restore(
    serve: Serve, backup: Backup, clock: FrozenClock
) -> None:
    # Given a backup, and after it one question deleted, one closed, and a closed one in which somebody wrote again
    async with serve() as site:
        ada = await site.person()
        token = ada.http.headers["Authorization"]
        deleted = (await attach(ada, (b"What I did: nothing.", "text/plain")))["id"]
        closed, reopened = (await ask(ada))["id"], (await ask(ada))["id"]
        await step(ada, reopened, "close")
    await backup.make()
    async with serve() as site:
        ada = _again(site, token)
        assert (await ada.http.delete(f"/v1/account/support/{deleted}")).status_code == 204
        expires_at = (await step(ada, closed, "close"))["expires_at"]
        clock.advance(timedelta(seconds=1))
        await step(ada, reopened, "messages", message="One more thing.")
        await until(lambda: _gone(site, deleted), clock)

    # When the database is restored
    await backup.restore()
    async with serve() as site:
        # Then the one is gone, the other goes when it was promised, and the third stays
        ada = _again(site, token)
        assert await _gone(site, deleted)
        assert (await ada.http.get(f"/v1/account/support/{deleted}")).status_code == 404
        shown = await own(ada, closed)
        assert (shown["state"], shown["expires_at"], shown["closes_at"]) == ("closed", expires_at, None)
        shown = await own(ada, reopened)
        assert (shown["state"], shown["expires_at"]) == ("open", None) and shown["closes_at"] is not None
        assert (await step(ada, closed, "messages", message="And this."))["expires_at"] is None


def _again(site: Site, token: str) -> Visitor:
    visitor = site.visitor()
    visitor.http.headers["Authorization"] = token
    return visitor


async def _gone(site: Site, question: str) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM support_question WHERE id = :id", id=question) == 0

"""Who watches keeps a connection, so there is an end to how many may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from statuette.kernel.events.hub import CrowdedProcess, Hub, TooManyWatchers
from statuette.testing.scripted_image import Hang, ScriptedImageProvider
from tests.profiles import Profile
from tests.site import Site, serving


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    """Where an account may watch two jobs, and a job hangs."""
    scripted = ScriptedImageProvider(default=Hang())
    async with serving(tmp_path, profile, scripted=scripted, watched_jobs_per_account=2) as site:
        await site.apply_brand()
        yield site


async def test_who_watches_too_much_is_told_so_and_a_wait_ends_at_once(site: Site) -> None:
    # Given somebody who watches as many jobs as they may
    person, other = await site.person(), await site.person()
    job = await person.order((await person.upload())["id"])
    theirs = await other.order((await other.upload())["id"])
    hub, path = site.platform.hub, f"/v1/generations/{job['id']}"
    with ExitStack() as watching:
        for _ in range(2):
            watching.enter_context(hub.watching(job["id"], person.account_id))

        # When they open another stream, and when they ask to be told of the end
        refused = await person.http.get(f"{path}/events")
        waited = await person.http.get(path, headers={"Prefer": "wait=30"})

        # Then the stream is refused, with when to come back, and the question is answered as it can be
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_watchers")
        assert int(refused.headers["retry-after"]) > 0
        assert waited.json()["final"] is False

        # And it is nobody else's trouble
        hub.admit(other.account_id)
        assert (await other.http.get(f"/v1/generations/{theirs['id']}")).status_code == 200

    # And once they have closed them, they may again
    hub.admit(person.account_id)
    assert len(hub) == 0
    for owner, each in ((person, job), (other, theirs)):
        await owner.http.post(f"/v1/generations/{each['id']}/cancel")


def test_a_process_takes_no_more_watchers_than_leave_room_for_others() -> None:
    # Given a process with room for three watchers
    hub = Hub(most=3, most_each=2)
    with hub.watching("gen_1", "acc_1"), hub.watching("gen_1", "acc_1"), hub.watching("gen_2", "acc_2"):
        # When one more comes, then there is no room for them, whoever they are
        with pytest.raises(CrowdedProcess):
            hub.admit("acc_3")
        with pytest.raises(TooManyWatchers):
            hub.admit("acc_1")

    # And when these have gone, nothing is kept of them
    hub.admit("acc_3")
    assert len(hub) == 0

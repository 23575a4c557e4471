"""What the scheduler tells of the whole deployment: work that waits, processes that live, promises that are late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from statuette.kernel.enforcement.overdue import measure_overdue
from statuette.kernel.work.measuring import measure_work
from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from statuette.testing.scripted_image import Hang, ScriptedImageProvider
from tests.integration.road.faults import count, until
from tests.profiles import Profile
from tests.recorded import Recorded
from tests.site import Site, serving


@pytest.fixture
def storage(clock: FrozenClock) -> MemoryStorage:
    return MemoryStorage(clock=clock)


@pytest.fixture
async def site(
    tmp_path: Path, profile: Profile, recorded: Recorded, clock: FrozenClock, storage: MemoryStorage
) -> AsyncIterator[Site]:
    scripted = ScriptedImageProvider(clock=clock)
    settings = {"worker_concurrency": 1, "stop_seconds": 1}  # a job that hangs is not worth waiting for at the end
    async with serving(tmp_path, profile, clock=clock, scripted=scripted, storage=storage, **settings) as site:
        await site.apply_brand()
        yield site


async def test_gauges_tell_how_much_work_waits_for_how_long_and_who_is_there_to_do_it(
    site: Site, recorded: Recorded, clock: FrozenClock
) -> None:
    # Given three orders, and a worker that is busy for ever with one of them
    site.scripted.default = Hang()
    person = await site.person()
    upload = await person.upload()
    for _ in range(3):
        await person.order(upload["id"])
    await site.scripted.wait_for_calls(1)

    # When a minute has passed
    clock.advance(timedelta(minutes=1))
    await site.platform.presence.beat()
    await measure_work(site.platform.database)

    # Then two wait, for a minute, one is in hand, and nothing waits elsewhere
    due = {point["attributes"]["queue"]: point["value"] for point in recorded.points()["statuette.work.due"]}
    assert due == {"interactive": 2, "background": 0, "enforcement": 0, "mail": 0}
    assert recorded.value("statuette.work.oldest_due_age", queue="interactive") == 60
    assert recorded.value("statuette.work.oldest_due_age", queue="enforcement") == 0
    assert recorded.value("statuette.work.in_hand", queue="interactive") == 1
    # And there is a process for every role, which is this one
    assert {role: recorded.value("statuette.processes", role=role) for role in ("api", "worker", "scheduler")} == {
        "api": 1,
        "worker": 1,
        "scheduler": 1,
    }


async def test_gauges_tell_which_promises_are_late(
    site: Site, recorded: Recorded, clock: FrozenClock, storage: MemoryStorage
) -> None:
    # Given a photo whose owner deleted it while no scheduler ran
    person = await site.person()
    upload = await person.upload()
    await site.platform.scheduler.stop()
    assert (await person.http.delete(f"/v1/uploads/{upload['id']}")).status_code == 204

    # When a minute and a half has passed
    clock.advance(timedelta(seconds=90))
    await measure_overdue(site.platform.database)

    # Then a deadline is late by that much
    assert recorded.value("statuette.enforcement.overdue") == 1
    assert recorded.value("statuette.enforcement.oldest_overdue_age") == 90

    # And it still is while a worker has it and the store is away
    beats = recorded.value("statuette.enforcement.heartbeat") or 0
    storage.fail_next("list")
    await site.platform.enforcer.hand_out()
    await until(lambda: _postponed(site))
    clock.advance(timedelta(seconds=1))
    await measure_overdue(site.platform.database)
    assert recorded.value("statuette.enforcement.overdue") == 1
    assert recorded.value("statuette.enforcement.oldest_overdue_age") == 91
    assert recorded.value("statuette.enforcement.heartbeat") == beats + 1

    # And no longer once it is gone
    await site.platform.scheduler.start()
    await until(lambda: _gone(site), clock)
    await measure_overdue(site.platform.database)
    assert recorded.value("statuette.enforcement.overdue") == 0
    assert recorded.value("statuette.enforcement.oldest_overdue_age") == 0
    assert recorded.value("statuette.enforcement.lag", rule="upload.asked")


async def test_a_scheduler_that_has_stopped_tells_nothing_for_all_any_more(
    site: Site, recorded: Recorded, clock: FrozenClock
) -> None:
    # Given a scheduler that ticks, and has measured
    for metric in ("scheduler.leading", "work.due", "enforcement.overdue"):
        await until(lambda metric=metric: _tells(recorded, f"statuette.{metric}"))
    assert recorded.value("statuette.scheduler.leading") == 1
    assert recorded.value("statuette.scheduler.tick")

    # When it stops
    await site.platform.scheduler.stop()

    # Then its last values are not repeated for ever
    told = recorded.points()
    for metric in ("scheduler.leading", "work.due", "work.oldest_due_age", "processes", "enforcement.overdue"):
        assert f"statuette.{metric}" not in told, metric


async def _tells(recorded: Recorded, metric: str) -> bool:
    return metric in recorded.points()


async def _postponed(site: Site) -> bool:
    return (
        await count(site, "SELECT COUNT(*) AS n FROM work_item WHERE actor = 'enforce' AND lease IS NULL") == 1
        and await count(site, "SELECT COUNT(*) AS n FROM finding WHERE code = 'enforcement_delayed'") == 1
    )


async def _gone(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM deadline WHERE state = 'executing'") == 0

"""A worker that was away for longer than it is believed to be alive finds its work taken over, and leaves no trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from statuette.testing.scripted_image import Answer, ScriptedImageProvider
from tests.integration.road.faults import costs, count, take_for_dead, until, uploads_in
from tests.profiles import Profile
from tests.site import Site, serving

AWAY = timedelta(seconds=17)


async def test_an_answer_that_comes_after_the_lease_changes_nothing(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given a job whose call takes longer than its worker is believed to be alive
    scripted = ScriptedImageProvider(clock=clock)
    scripted.script(Answer(delay=AWAY + timedelta(seconds=10)))
    async with serving(tmp_path, profile, clock=clock, scripted=scripted) as site:
        await site.apply_brand()
        person = await site.person(credits=5)
        upload = await person.upload()
        order = await person.order(upload["id"])
        await scripted.wait_for_calls(1)

        # When the worker is taken for dead, another does the job, and then the first call is answered
        await take_for_dead(site)
        clock.advance(AWAY)
        job = await person.finished(order["id"])
        clock.advance(timedelta(seconds=10))
        await until(lambda: _idle(site))

        # Then there is one figurine for one credit, and both calls are on the books
        assert job["state"] == "succeeded"
        assert len(scripted.calls) == 2
        assert await count(site, "SELECT COUNT(*) AS n FROM figurine") == 1
        assert (await person.credits())["available"] == 4
        assert await costs(site) == (2 * scripted.price.micros, 0)
        assert (await person.http.get(f"/v1/generations/{order['id']}")).json() == job


async def test_pictures_stored_after_the_lease_are_taken_away_again(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given a worker that is stuck in the store with its first picture
    storage = MemoryStorage(clock=clock)
    async with serving(tmp_path, profile, clock=clock, storage=storage) as site:
        await site.apply_brand()
        person = await site.person(credits=5)
        upload = await person.upload()
        storage.latency = AWAY + timedelta(seconds=30)
        reading = storage.read
        storage.read = lambda key: _at_once(storage, reading, key)  # type: ignore[method-assign]
        order = await person.order(upload["id"])
        await until(lambda: _storing(site))
        storage.latency = timedelta(0)

        # When another worker does the job, what the first had begun is deleted, and then the store answers the first
        await take_for_dead(site)
        clock.advance(AWAY)
        job = await person.finished(order["id"])
        clock.advance(timedelta(seconds=2))
        await until(lambda: _only_ready(site))
        clock.advance(timedelta(seconds=30))
        await until(lambda: _idle(site))

        # Then only the delivered picture is stored
        (figurine,) = job["figurines"]
        stored = [found.key async for found in storage.list("figurines/")]
        assert len(stored) == 3
        assert all(figurine["id"] in key for key in stored)
        assert await uploads_in(site) == 1
        assert (await person.credits())["available"] == 4


async def _at_once(storage: MemoryStorage, reading: Callable[[str], Awaitable[bytes]], key: str) -> bytes:
    latency, storage.latency = storage.latency, timedelta(0)
    try:
        return await reading(key)
    finally:
        storage.latency = latency


async def _idle(site: Site) -> bool:
    return site.platform.runner.in_flight == 0


async def _storing(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM figurine WHERE state = 'storing'") == 1


async def _only_ready(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM figurine WHERE state <> 'ready'") == 0

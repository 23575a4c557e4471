"""What the photos of all calls may take in memory is bounded, and who waits for room loses nothing by it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from statuette.kernel import permit
from statuette.testing import FrozenClock
from statuette.testing.scripted_image import Answer, ScriptedImageProvider
from tests.integration.road.faults import count, until
from tests.profiles import Profile
from tests.site import Site, serving

_CALL = permit.LIFETIME + timedelta(seconds=5)


async def test_jobs_wait_for_room_one_by_one_without_losing_permits_or_tries(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given room for the photo of one call, and calls that take longer than a permit lives
    scripted = ScriptedImageProvider(clock=clock, default=Answer(delay=_CALL))
    async with serving(tmp_path, profile, clock=clock, scripted=scripted, worker_photo_bytes=1_048_576) as site:
        await site.apply_brand()
        person = await site.person(credits=9)
        photo = await person.upload()
        async with site.platform.database.transaction() as tx:  # as large as all the room
            await tx.execute("UPDATE upload SET size_bytes = 1048576")

        # When three are ordered at once
        jobs = [await person.order(photo["id"]) for _ in range(3)]
        for number in range(1, 4):
            await scripted.wait_for_calls(number)

            # Then one is under way at a time, and nothing is on record of those that wait
            assert scripted.peak_in_flight == 1
            assert await count(site, "SELECT COUNT(*) AS n FROM attempt") == number
            clock.advance(_CALL)
            await until(lambda number=number: _ended(site, number))  # type: ignore[misc]

        # And each was made by one call, at its first try
        assert [(await person.finished(job["id"]))["state"] for job in jobs] == ["succeeded"] * 3
        assert await count(site, "SELECT COUNT(*) AS n FROM generation WHERE retries > 0") == 0


async def _ended(site: Site, number: int) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM generation WHERE finished_at IS NOT NULL") == number

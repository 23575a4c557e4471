"""A kill at every step between intent and receipt: nothing due stays, nothing undue goes, and there is one receipt each."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime, timedelta
from pathlib import Path

from statuette.testing import FrozenClock
from tests.forked import FORKED
from tests.integration.road import dying
from tests.profiles import Profile
from tests.site import Site, serving

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
_MOST_STEPS = 45


async def test_whoever_enforces_may_be_killed_at_every_step(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given photos that fall due one after the other, and one that is saved
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        person = await site.person()
        kept = (await person.upload())["id"]
        assert (await person.http.put(f"/v1/uploads/{kept}/saved")).status_code == 200
        photos: list[tuple[str, datetime]] = []
        for _ in range(_MOST_STEPS):
            clock.advance(MINUTE)
            photos.append(((await person.upload())["id"], clock.now() + DAY))
        settings = site.platform.settings

    # When the process that deletes each is killed at a step, every time one later, until one lives to the end
    killed: list[str] = []
    for step, (photo, due_at) in enumerate(photos):
        process = FORKED.Process(target=dying.enforce, args=(settings, due_at, step))
        process.start()
        await asyncio.to_thread(process.join, 60)
        assert process.exitcode in (0, -signal.SIGKILL)
        if process.exitcode == 0:
            break
        killed.append(photo)
    assert process.exitcode == 0, "there are more steps than photos"
    assert len(killed) > 15

    # Then nothing that is not due yet is gone
    waiting = {photo for photo, _ in photos[len(killed) + 1 :]}
    assert waiting | {kept} <= _stored(site)

    # And once the day is over, a site that starts brings all of it to its end: every photo, with one receipt each
    clock.advance(DAY)
    async with serving(tmp_path, profile, clock=clock, port=settings.port) as site:
        for tenths in range(600):
            if await _sealed(site) >= len(photos):
                break
            # At the pace of real time until the dead are known to be: a process that misses its own beats calls nobody dead.
            clock.advance(timedelta(seconds=0.1 if tenths < 90 else 1))
            await asyncio.sleep(0.1)
        assert _stored(site) == {kept}
        async with site.platform.database.read() as reader:
            rows = await reader.rows("SELECT id FROM upload")
            receipts = await reader.rows("SELECT record_id FROM receipt")
            entries = await reader.rows("SELECT sequence FROM evidence_entry ORDER BY sequence")
        assert [row["id"] for row in rows] == [kept]
        assert sorted(row["record_id"] for row in receipts) == sorted(photo for photo, _ in photos)
        assert [row["sequence"] for row in entries] == list(range(len(photos)))


def _stored(site: Site) -> set[str]:
    return {key.split("/")[2] for key in site.objects() if key.startswith("uploads/")}


async def _sealed(site: Site) -> int:
    async with site.platform.database.read() as reader:
        return int(await reader.value("SELECT COUNT(*) AS n FROM evidence_entry"))

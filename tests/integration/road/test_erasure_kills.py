"""A kill at any step of an account's erasure: all of it goes all the same, its key too, and nothing of anybody else's."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from statuette.evidence import read_entry
from statuette.kernel.enforcement import deadlines
from statuette.ports.keys import KeyDestroyed
from statuette.testing import FrozenClock
from tests.forked import FORKED
from tests.integration.road import dying
from tests.integration.road.faults import count
from tests.profiles import Profile
from tests.site import Site, serving
from tests.soak import effort

DAY = timedelta(days=1)
_STEPS = range(0, 151, effort(25, soaking=1))
"""More than an erasure has: the last of them is not reached, and the process lives."""


async def test_whoever_erases_an_account_may_be_killed_at_every_step(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given accounts with a photo and a figurine each, that are to be erased, and one that is not
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        kept, *going = [await _settled(site) for _ in range(len(_STEPS) + 1)]
        settings = site.platform.settings
        await site.platform.scheduler.stop()
        clock.advance(DAY / 2)
        async with site.platform.database.transaction() as tx:
            for account in going:
                assert await deadlines.arm(tx, account, "account.erase", clock.now())

    # When the process that erases each is killed at another step
    ends = []
    for account, step in zip(going, _STEPS, strict=True):
        process = FORKED.Process(target=dying.erase, args=(settings, clock.now(), account, step))
        process.start()
        await asyncio.to_thread(process.join, 60)
        ends.append(process.exitcode)
    assert set(ends) == {-signal.SIGKILL, 0}
    assert ends[-1] == 0, "there are more steps than that"

    # Then a site that starts brings each to its end: no row, no object, no key, and one receipt
    async with serving(tmp_path, profile, clock=clock, port=settings.port) as site:
        for tenths in range(600):
            left = await count(site, "SELECT COUNT(*) AS n FROM account")
            if left == 1 and await count(site, "SELECT COUNT(*) AS n FROM receipt WHERE entry IS NULL") == 0:
                break
            clock.advance(timedelta(seconds=0.1 if tenths < 90 else 1))  # see test_enforcement_kills
            await asyncio.sleep(0.1)
        key_store = site.platform.plugins.key_store
        for account in going:
            with pytest.raises(KeyDestroyed):
                await key_store.use(account)
        assert len(await key_store.use(kept)) == 32
        async with site.platform.database.read() as reader:
            for table in ("upload", "figurine", "generation", "session", "consent_record"):
                rows = await reader.rows(f"SELECT DISTINCT account_id FROM {table}")
                assert not {row["account_id"] for row in rows} & set(going), table
            photos = {row["id"] for row in await reader.rows("SELECT id FROM upload")}
            figurines = {row["id"] for row in await reader.rows("SELECT id FROM figurine")}
            entries = await reader.rows("SELECT body FROM evidence_entry")
        assert {key.split("/")[2] for key in site.objects()} == photos | figurines
        rules = [read_entry(entry["body"].encode()).rule for entry in entries]
        assert rules.count("account.erase") == len(going)


async def _settled(site: Site) -> str:
    """Somebody with a saved photo and a figurine: the account's id."""
    person = await site.person()
    upload = await person.upload()
    await person.http.put(f"/v1/uploads/{upload['id']}/saved")
    await person.finished((await person.order(upload["id"]))["id"])
    return person.account_id

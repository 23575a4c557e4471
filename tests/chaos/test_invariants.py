"""The checks after a storm find what they are there to find."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from statuette.kernel.db.database import Database
from tests.chaos.invariants import broken
from tests.chaos.promises import Promises
from tests.profiles import Profile
from tests.site import serving


async def test_every_kind_of_damage_is_named(tmp_path: Path, profile: Profile) -> None:
    # Given a site on which everything is in order after a job
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        before_all = datetime.now(UTC)
        person = await site.person()
        upload = await person.upload()
        job = await person.finished((await person.order(upload["id"]))["id"])
        await site.platform.scheduler.stop()
        database, objects = site.platform.database, site.objects()
        promised = Promises(jobs={job["id"]}, photos={upload["id"]})
        assert await _broken(database, objects, promised) == []

        # When promises are not kept, then each is named
        lost = Promises(jobs={job["id"], "gen_lost"}, photos={"upl_lost"}, broken=["POST /: 500"])
        assert sorted(await _broken(database, [*objects, "uploads/brd_x/upl_x/photo.jpg"], lost, calls=2)) == [
            "I12: the accepted job gen_lost is gone",
            "I12: the accepted photo upl_lost is gone",
            "I1: the object uploads/brd_x/upl_x/photo.jpg has no row",
            "POST /: 500",
            "cost: scripted was called 2 times, 1 attempts are on record",
        ]
        assert await _broken(database, objects, replace(promised, jobs=set())) == [
            f"I12: nobody was told of the job {job['id']}"
        ]
        kept = replace(promised, deleted={upload["id"]})
        assert await _broken(database, objects, kept) == [f"I2: {upload['id']} is still there"]
        withdrawn = replace(promised, withdrawn=[(person.account_id, before_all, None)])
        assert [line[:4] for line in await _broken(database, objects, withdrawn)] == ["I6: "]
        later = replace(promised, withdrawn=[(person.account_id, datetime.now(UTC) + timedelta(hours=1), None)])
        assert await _broken(database, objects, later) == []

        # And when rows are damaged one by one, then each damage is named
        for sql, code in [
            ("UPDATE cost_day SET reserved_micros = 5", "cost: "),
            ("UPDATE cost_day SET spent_micros = spent_micros + 1", "cost: "),
            ("UPDATE wallet SET held = 1", "I4: "),
            ("UPDATE generation SET credits_captured = 2", "I4: "),
            ("UPDATE generation SET state = 'running'", "I3: "),
            ("DELETE FROM generation_event WHERE seq = 2", "I3: "),
            ("DELETE FROM deadline WHERE rule = 'upload.cap'", "I1: "),
            ("DELETE FROM consent_record", "I6: "),
            ("UPDATE deadline SET due_at = '2026-01-01 00:00:00+00:00' WHERE rule = 'upload.used'", "I2: "),
        ]:
            before = await _broken(database, objects, promised)
            async with database.transaction() as tx:
                await tx.execute(sql)
            after = await _broken(database, objects, promised)
            assert any(line.startswith(code) for line in set(after) - set(before)), (sql, after)


async def _broken(database: Database, objects: list[str], promises: Promises, calls: int = 1) -> list[str]:
    async with database.read() as reader:
        return await broken(reader, objects=objects, promises=promises, calls={"scripted": calls})

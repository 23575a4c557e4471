"""The checks after a storm find what they are there to find."""

from __future__ import annotations

from pathlib import Path

from statuette.kernel.db.database import Database
from tests.chaos.invariants import broken
from tests.site import serving


async def test_every_kind_of_damage_is_named(tmp_path: Path) -> None:
    # Given a site on which everything is in order after a job
    async with serving(tmp_path, f"sqlite:///{tmp_path}/statuette.db") as site:
        await site.apply_brand()
        person = await site.person()
        upload = await person.upload()
        job = await person.finished((await person.order(upload["id"]))["id"])
        await site.platform.scheduler.stop()
        database, objects = site.platform.database, site.objects()
        promised = {"accepted": {job["id"]}, "uploaded": {upload["id"]}, "deleted": set[str](), "calls": 1}
        assert await _broken(database, objects, **promised) == []

        # When things are damaged one by one, then each is named
        lost = {**promised, "accepted": {job["id"], "gen_lost"}, "uploaded": {"upl_lost"}, "calls": 2}
        assert sorted(await _broken(database, [*objects, "uploads/brd_x/upl_x/photo.jpg"], **lost)) == [
            "I12: the accepted job gen_lost is gone",
            "I12: the accepted photo upl_lost is gone",
            "I1: the object uploads/brd_x/upl_x/photo.jpg has no row",
            "cost: the provider was called 2 times, 1 attempts are on record",
        ]
        kept = {**promised, "deleted": {upload["id"]}}
        assert sorted(await _broken(database, objects, **kept)) == [f"I2: {upload['id']} is still there"]
        for sql, code in [
            ("UPDATE cost_day SET reserved_micros = 5", "cost: "),
            ("UPDATE cost_day SET spent_micros = spent_micros + 1", "cost: "),
            ("UPDATE wallet SET held = 1", "I4: "),
            ("UPDATE generation SET credits_captured = 2", "I4: "),
            ("UPDATE generation SET state = 'running'", "I3: "),
            ("DELETE FROM generation_event WHERE seq = 2", "I3: "),
            ("DELETE FROM deadline WHERE rule = 'upload.cap'", "I1: "),
            ("UPDATE deadline SET due_at = '2026-01-01 00:00:00+00:00' WHERE rule = 'upload.used'", "I2: "),
        ]:
            before = await _broken(database, objects, **promised)
            async with database.transaction() as tx:
                await tx.execute(sql)
            after = await _broken(database, objects, **promised)
            assert any(line.startswith(code) for line in set(after) - set(before)), (sql, after)


async def _broken(database: Database, objects: list[str], **promised: object) -> list[str]:
    async with database.read() as reader:
        return await broken(reader, objects=objects, **promised)  # type: ignore[arg-type]

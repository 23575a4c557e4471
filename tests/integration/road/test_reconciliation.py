"""The object store and the database are compared, both ways: what belongs to nobody goes, and what is lost is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from statuette.kernel.enforcement.reconciliation import EVERY, GRACE
from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from tests.integration.road.faults import count, until
from tests.profiles import Profile
from tests.site import Site, serving

_ORPHANS = ("upl_01kf0rdqg0g2ws8pydy3yevfrn", "upl_01zzzzzzzzzzzzzzzzzzzzzzzz")


@pytest.fixture
def storage(clock: FrozenClock) -> MemoryStorage:
    return MemoryStorage(clock=clock)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock, storage: MemoryStorage) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock, storage=storage) as site:
        await site.apply_brand()
        await until(lambda: _round_ended(site, clock), clock)  # the first one is counted from the start
        yield site


async def test_objects_without_a_record_are_removed_and_found(
    site: Site, clock: FrozenClock, storage: MemoryStorage
) -> None:
    # Given photos and figurines, and objects of nobody before, between and after them and of a brand that is gone
    person = await site.person()
    kept = [await person.upload() for _ in range(3)]
    await person.finished((await person.order(kept[0]["id"]))["id"])
    for upload in kept:
        assert (await person.http.put(f"/v1/uploads/{upload['id']}/saved")).status_code == 200
    before = await _keys(storage)
    brand_id = before[0].split("/")[1]
    for orphan in _ORPHANS:
        await storage.put(f"uploads/{brand_id}/{orphan}/photo.jpg", b"whose?", media_type="image/jpeg")
    await storage.put("uploads/brd_gone/upl_gone/photo.jpg", b"whose?", media_type="image/jpeg")

    # When the store is compared with the database
    clock.advance(EVERY)
    await until(lambda: _round_ended(site, clock), clock)
    await until(lambda: _same(storage, before), clock)

    # Then they are gone, all else is there, and each is told of
    assert await _found(site, "orphan_object") == sorted((*_ORPHANS, "upl_gone"))
    assert await _found(site, "object_missing") == []


async def test_a_record_whose_object_is_lost_is_found(site: Site, clock: FrozenClock, storage: MemoryStorage) -> None:
    # Given saved photos, the objects of some of which somebody deletes past us, the last one among them
    person = await site.person()
    photos = [(await person.upload())["id"] for _ in range(5)]
    for photo in photos:
        assert (await person.http.put(f"/v1/uploads/{photo}/saved")).status_code == 200
    lost = sorted(photos)[1::3] + sorted(photos)[-1:]
    await storage.delete_many([key for key in await _keys(storage) if any(photo in key for photo in lost)])

    # When they are compared
    clock.advance(EVERY)
    await until(lambda: _round_ended(site, clock), clock)

    # Then exactly those are told of, and stay as they are
    assert await _found(site, "object_missing") == sorted(set(lost))
    assert await _found(site, "orphan_object") == []


async def test_nothing_young_and_nothing_that_is_being_deleted_is_judged(
    site: Site, clock: FrozenClock, storage: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an object that was stored just now, whose row has not been written, and a photo that is half deleted
    person = await site.person()
    half = await person.upload()
    brand_id = (await _keys(storage))[0].split("/")[1]
    purge, answers = storage.purge_versions, asyncio.Event()

    async def hanging(prefix: str) -> int:
        await answers.wait()
        return await purge(prefix)

    monkeypatch.setattr(storage, "purge_versions", hanging)
    await person.http.delete(f"/v1/uploads/{half['id']}")
    await until(lambda: _same(storage, []), clock)
    clock.advance(EVERY - GRACE)
    await storage.put(f"uploads/{brand_id}/{_ORPHANS[0]}/photo.jpg", b"a moment", media_type="image/jpeg")

    # When they are compared
    await _run_a_round(site)

    # Then nothing is said of either
    assert await _found(site, "orphan_object") == [] == await _found(site, "object_missing")
    assert len(await _keys(storage)) == 1
    answers.set()


async def test_what_is_stored_under_a_name_that_is_none_of_ours_is_told_and_left_alone(
    site: Site, clock: FrozenClock, storage: MemoryStorage
) -> None:
    await storage.put("uploads/notes.txt", b"to do", media_type="text/plain")
    clock.advance(EVERY)
    await until(lambda: _round_ended(site, clock), clock)
    assert await _found(site, "unknown_object") == ["uploads/notes.txt"]
    assert await _keys(storage) == ["uploads/notes.txt"]


async def test_a_round_that_a_store_cut_off_begins_anew(site: Site, clock: FrozenClock, storage: MemoryStorage) -> None:
    brand_id = await _brand_id(site)
    for orphan in _ORPHANS:
        await storage.put(f"uploads/{brand_id}/{orphan}/photo.jpg", b"whose?", media_type="image/jpeg")
    clock.advance(EVERY)
    storage.fail_next("list", times=1)
    await until(lambda: _round_ended(site, clock), clock)
    assert await _found(site, "orphan_object") == sorted(_ORPHANS)


async def _run_a_round(site: Site) -> None:
    duty = next(duty for duty in site.platform.scheduler._duties if duty.name == "reconcile")
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE time_mark SET at = :at WHERE name = 'reconciliation'", at=tx.now - 2 * EVERY)
    while await duty.run():
        pass


async def _round_ended(site: Site, clock: FrozenClock) -> bool:
    """Whether a round has ended within the last hour of the clock."""
    sql = "SELECT COUNT(*) AS n FROM time_mark WHERE name = 'reconciliation' AND at > :since"
    return await count(site, sql, since=clock.now() - timedelta(hours=1)) == 1


async def _found(site: Site, code: str) -> list[str]:
    async with site.platform.database.read() as reader:
        rows = await reader.rows("SELECT subject FROM finding WHERE code = :code", code=code)
    return sorted(row["subject"] for row in rows)


async def _keys(storage: MemoryStorage) -> list[str]:
    return [found.key for root in ("figurines/", "uploads/") async for found in storage.list(root)]


async def _same(storage: MemoryStorage, keys: list[str]) -> bool:
    return await _keys(storage) == keys


async def _brand_id(site: Site) -> str:
    async with site.platform.database.read() as reader:
        return str((await reader.rows("SELECT id FROM brand"))[0]["id"])

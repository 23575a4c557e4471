"""What is stored although its record has ended goes as well, every version of it, whoever stored it and however late."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from statuette.kernel.domain.statements.words import Wording
from statuette.kernel.domain.uploads import service as uploads
from statuette.kernel.enforcement.leftovers import ACTOR, WRITERS_ARE_GONE_AFTER, Leftovers
from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from tests.integration.road.faults import MINUTE, count, until, uploads_in
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

_REMOVALS = f"SELECT COUNT(*) AS n FROM work_item WHERE actor = '{ACTOR}'"


async def test_a_photo_that_is_stored_after_its_record_was_deleted_goes_too(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given a photo whose record was deleted before the process that takes it in had stored it
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        person = await site.person()
        prefix = await _begun_and_deleted(site, person, clock)

        # When that process, which was paused, stores it after all, twice, and is killed before it can look back
        for _ in range(2):
            await site.platform.plugins.storage.put(f"{prefix}photo.jpg", b"late", media_type="image/jpeg")
        assert _below(site, prefix) != []

        # Then it is removed, with every earlier version, when no writer can be at it any more
        clock.advance(WRITERS_ARE_GONE_AFTER - MINUTE)
        assert await count(site, _REMOVALS) == 1
        clock.advance(MINUTE)
        await until(lambda: _none_to_remove(site), clock)
        assert _below(site, prefix) == []


async def test_a_photo_that_was_stored_whole_needs_no_second_look(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given a photo as most are
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        person = await site.person()
        photo = await person.upload()

        # When it is deleted
        assert (await person.http.delete(f"/v1/uploads/{photo['id']}")).status_code == 204
        await until(lambda: _no_upload(site), clock)

        # Then nobody has to come back for it
        assert await count(site, _REMOVALS) == 0


async def test_what_a_store_that_is_down_keeps_is_removed_when_it_is_back(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given a store that holds pictures of a job that somebody else has done
    storage = MemoryStorage(clock=clock)
    async with serving(tmp_path, profile, clock=clock, storage=storage) as site:
        await site.apply_brand()
        leftovers = Leftovers(site.platform.database, site.platform.outbox, storage)
        await storage.put("figurines/brd_a/fig_a/256.webp", b"late", media_type="image/webp")

        # When they are to be taken away, and the store fails, also when it is asked again
        storage.fail_next("list", times=2)
        await leftovers.remove(["figurines/brd_a/fig_a/"])
        assert await count(site, _REMOVALS) == 1
        clock.advance(WRITERS_ARE_GONE_AFTER)

        # Then they are gone as soon as it answers
        await until(lambda: _none_to_remove(site), clock)
        assert [found async for found in storage.list("figurines/")] == []


async def _begun_and_deleted(site: Site, person: Visitor, clock: FrozenClock) -> str:
    """The prefix of a photo that was never stored and whose row is gone."""
    brand = await site.platform.brands.by_host("127.0.0.1")
    assert brand is not None
    async with site.platform.database.transaction() as tx:
        upload_id = await uploads.begin(
            tx,
            brand_id=brand.id,
            account_id=person.account_id,
            stated=Wording("depicted", "I may use it.", "sha256:0", "en", None),
            policy=brand.policy,
            longest_job=timedelta(minutes=30),
        )
    async with site.platform.database.transaction() as tx:
        await uploads.ask_deletion(tx, brand_id=brand.id, account_id=person.account_id, upload_id=upload_id)
    await until(lambda: _no_upload(site), clock)
    return uploads.object_prefix(brand.id, upload_id)


def _below(site: Site, prefix: str) -> list[str]:
    return [key for key in site.objects() if key.startswith(prefix)]


async def _no_upload(site: Site) -> bool:
    return await uploads_in(site) == 0


async def _none_to_remove(site: Site) -> bool:
    return await count(site, _REMOVALS) == 0

"""A database from before an erasure brings nothing back: what the journal says is done again before anybody is served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from statuette.evidence import read_entry
from statuette.kernel.app import compose
from statuette.kernel.enforcement.enforcer import Enforcer
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.running import running
from statuette.ports.keys import KeyDestroyed
from statuette.testing import FrozenClock
from statuette.testing.pictures import photo_jpeg
from tests.integration.journal.restoring import Backup, KeysCopy
from tests.integration.road.faults import count, has_finding, until
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

DAY = timedelta(days=1)
Serve = Callable[[], Any]


@pytest.fixture
def serve(tmp_path: Path, profile: Profile, clock: FrozenClock) -> Serve:
    """Start the same deployment, again and again."""

    @asynccontextmanager
    async def started() -> AsyncIterator[Site]:
        async with serving(tmp_path, profile, clock=clock) as site:
            await site.apply_brand()
            yield site

    return started


@pytest.fixture
async def backup(profile: Profile, tmp_path: Path) -> AsyncIterator[Backup]:
    backup = Backup(profile.database_url, tmp_path)
    yield backup
    await backup.drop()


@pytest.mark.rule("backup.erase")
async def test_what_was_erased_stays_erased_after_a_restore(serve: Serve, backup: Backup, clock: FrozenClock) -> None:
    # Given a backup, and after it a deleted photo, a deleted figurine, and one photo more that lives
    async with serve() as site:
        person = await site.person()
        gone, kept = await person.upload(), await person.upload(photo_jpeg(seed=2))
        job = await person.finished((await person.order(kept["id"]))["id"])
        figurine = job["figurines"][0]["id"]
        token = person.http.headers["Authorization"]
    await backup.make()
    async with serve() as site:
        person = _again(site, token)
        assert (await person.http.delete(f"/v1/uploads/{gone['id']}")).status_code == 204
        assert (await person.http.delete(f"/v1/figurines/{figurine}")).status_code == 204
        await until(lambda: _gone(site, "upload", gone["id"]), clock)
        await until(lambda: _gone(site, "figurine", figurine), clock)

    # When the database is restored and the deployment starts
    await backup.restore()
    async with serve() as site:
        # Then, the moment that it serves, they are gone, rows and all, and the rest is there
        assert await _gone(site, "upload", gone["id"]) and await _gone(site, "figurine", figurine)
        person = _again(site, token)
        assert (await person.http.get(f"/v1/uploads/{gone['id']}")).status_code == 404
        assert (await person.http.get(f"/v1/figurines/{figurine}")).status_code == 404
        assert (await person.http.get(f"/v1/uploads/{kept['id']}")).status_code == 200
        assert (await person.http.get("/v1/figurines")).json()["items"] == []
        # And it is told, and receipted under the rule that did it
        assert await has_finding(site, "database_restored")
        assert await _rules(site) == {"upload": "backup.erase", "figurine": "backup.erase"}

    # And the next start has nothing to do
    async with serve() as site:
        assert await site.platform.replay.missing() == []
        assert await count(site, "SELECT occurrences AS n FROM finding WHERE code = 'database_restored'") == 1


async def test_an_erased_account_is_not_brought_back(serve: Serve, backup: Backup, clock: FrozenClock) -> None:
    async with serve() as site:
        person = await site.person()
        account, token = person.account_id, person.http.headers["Authorization"]
    await backup.make()
    async with serve() as site:
        await _erase_account(site, account)
        await until(lambda: _gone(site, "account", account), clock)

    await backup.restore()
    async with serve() as site:
        assert await _gone(site, "account", account)
        assert (await _again(site, token).http.get("/v1/account")).status_code == 401
        with pytest.raises(KeyDestroyed):
            await site.platform.plugins.key_store.use(account)
        assert await count(site, "SELECT COUNT(*) AS n FROM consent_record WHERE account_id = :id", id=account) == 0


async def test_a_withdrawal_and_an_unsave_outlive_a_restore(serve: Serve, backup: Backup, clock: FrozenClock) -> None:
    # Given somebody who agreed, with a saved photo; and after the backup both are taken back
    async with serve() as site:
        person = await site.person()
        saved, saved_again = await person.upload(), await person.upload(photo_jpeg(seed=2))
        for each in (saved, saved_again):
            await person.http.put(f"/v1/uploads/{each['id']}/saved")
        token = person.http.headers["Authorization"]
    await backup.make()
    async with serve() as site:
        person = _again(site, token)
        await person.agree(granted=False)
        for each in (saved, saved_again):
            assert (await person.http.delete(f"/v1/uploads/{each['id']}/saved")).status_code == 200
        unsaved = (await person.http.get(f"/v1/uploads/{saved['id']}")).json()
        assert (await person.http.put(f"/v1/uploads/{saved_again['id']}/saved")).status_code == 200

    await backup.restore()
    async with serve() as site:
        # Then neither counts any more, and the photo goes when it was to go; the one that was saved once more stays
        person = _again(site, token)
        consents = (await person.http.get("/v1/account/consents")).json()["items"]
        assert [each["granted"] for each in consents if each["purpose"] == "generation"] == [False]
        assert (await person.try_order(saved["id"])).json()["code"] == "consent_required"
        found = (await person.http.get(f"/v1/uploads/{saved['id']}")).json()
        assert (found["saved"], found["expires_at"]) == (False, unsaved["expires_at"])
        clock.advance(timedelta(hours=2))
        await until(lambda: _gone(site, "upload", saved["id"]), clock)
        assert not await _gone(site, "upload", saved_again["id"])


async def test_a_deletion_that_was_asked_for_and_not_yet_done_outlives_a_restore(
    serve: Serve, backup: Backup, clock: FrozenClock
) -> None:
    async with serve() as site:
        person = await site.person()
        upload, token = await person.upload(), person.http.headers["Authorization"]
    await backup.make()
    async with serve() as site:
        await site.platform.scheduler.stop()
        assert (await _again(site, token).http.delete(f"/v1/uploads/{upload['id']}")).status_code == 204

    await backup.restore()
    async with serve() as site:
        assert (await _again(site, token).http.get(f"/v1/uploads/{upload['id']}")).status_code == 404
        await until(lambda: _gone(site, "upload", upload["id"]), clock)


async def test_legal_holds_placed_and_lifted_since_outlive_a_restore(
    serve: Serve, backup: Backup, clock: FrozenClock
) -> None:
    # Given two photos, one of them held; and after the backup that hold is lifted, and one placed on the other
    async with serve() as site:
        person = await site.person()
        held, free = await person.upload(), await person.upload(photo_jpeg(seed=2))
        placed = await _to_operators(site, "holds", subject=free["id"], reason="legal_claim")
    await backup.make()
    async with serve() as site:
        await _to_operators(site, "holds", subject=held["id"], reason="legal_claim", reference="case 7")
        await _to_operators(site, f"holds/{placed['hold']['id']}/lift")

    # When the database is restored, and their day is over
    await backup.restore()
    async with serve() as site:
        clock.advance(DAY)
        await until(lambda: _gone(site, "upload", free["id"]), clock)

        # Then the one that is held is out of sight and still there
        await until(lambda: _held(site, held["id"]), clock)
        assert not await _gone(site, "upload", held["id"])
        async with site.platform.database.read() as reader:
            rows = await reader.rows("SELECT subject, placed_by, reference, lifted_by FROM legal_hold ORDER BY id")
        by = "the erasure journal"
        # Both were placed at one moment of the clock, so their ids are in no order.
        assert {row["subject"]: row["lifted_by"] for row in rows} == {free["id"]: by, held["id"]: None}
        (again,) = [row for row in rows if row["subject"] == held["id"]]
        assert (again["placed_by"], again["reference"]) == (by, "")


async def test_a_key_that_returns_with_a_restored_store_of_keys_is_destroyed_again(
    serve: Serve, profile: Profile, clock: FrozenClock
) -> None:
    # Given a backup of the keys, and after it two erased accounts, one of them newer than the backup
    async with serve() as site:
        old, kept = await site.person(), await site.person()
        copy = KeysCopy(site, profile)
        new = await site.person()
        for person in (old, new):
            await _erase_account(site, person.account_id)
            await until(lambda person=person: _gone(site, "account", person.account_id), clock)
        assert await site.platform.key_replay.catch_up() == 0

    # When it is restored
    copy.restore()
    async with serve() as site:
        # Then the keys that were destroyed since are gone again, the others are not, and it is told
        store = site.platform.plugins.key_store
        for person in (old, new):
            with pytest.raises(KeyDestroyed):
                await store.create(person.account_id)
        assert len(await store.use(kept.account_id)) == 32
        assert await has_finding(site, "key_store_restored")
        assert await site.platform.key_replay.catch_up() == 0


@pytest.mark.parametrize("step", ["_begin", "_destroy_objects", "_destroy_keys", "_conclude", "marks"])
async def test_a_replay_that_is_killed_is_begun_again(
    serve: Serve, backup: Backup, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    # Given a restored database
    async with serve() as site:
        person = await site.person()
        uploads = [await person.upload(photo_jpeg(seed=seed)) for seed in range(3)]
        token = person.http.headers["Authorization"]
    await backup.make()
    async with serve() as site:
        for each in uploads:
            await _again(site, token).http.delete(f"/v1/uploads/{each['id']}")
        await until(lambda: _all_gone(site, uploads), clock)
    await backup.restore()

    # When the replay dies at each of its steps, after it has begun
    with monkeypatch.context() as broken:
        if step == "marks":
            broken.setattr("statuette.kernel.journal.marks.caught_up", _dies)
        else:
            broken.setattr(Enforcer, step, _dies)
        with pytest.raises(Killed):
            async with running(_another(site)):
                raise AssertionError("nobody is served")

    # Then the next start does all of it, once
    clock.advance(timedelta(seconds=30))
    async with serve() as site:
        assert await _all_gone(site, uploads)
        assert await site.platform.replay.missing() == []
        await until(lambda: _receipts(site, 3), clock)


async def test_of_processes_that_start_together_one_replays_and_the_others_wait(
    serve: Serve, backup: Backup, clock: FrozenClock
) -> None:
    async with serve() as site:
        person = await site.person()
        upload, token = await person.upload(), person.http.headers["Authorization"]
    await backup.make()
    async with serve() as site:
        await _again(site, token).http.delete(f"/v1/uploads/{upload['id']}")
        await until(lambda: _gone(site, "upload", upload["id"]), clock)
    await backup.restore()

    async with serve() as site:
        # Given the same state once more, seen by three that start
        others = [_another(site) for _ in range(3)]
        for other in others:
            await other.database.open()
        async with site.platform.database.transaction() as tx:
            await tx.execute("DELETE FROM journal_mark")
        done = await asyncio.gather(*(other.replay.catch_up() for other in others))
        for other in others:
            await other.database.close()
            await other.plugins.aclose()

    assert [each.segments > 0 for each in sorted(done, key=lambda each: each.segments)] == [False, False, True]


async def test_a_database_that_goes_back_under_a_process_is_noticed_by_its_next_word(
    serve: Serve, clock: FrozenClock
) -> None:
    # Given a process that has told the journal something, which the database then no longer knows
    async with serve() as site:
        person = await site.person()
        first, second, third = [await person.upload(photo_jpeg(seed=seed)) for seed in range(3)]
        for each in (first, second):
            await person.http.delete(f"/v1/uploads/{each['id']}")
        await until(lambda: _all_gone(site, [first, second]), clock)
        async with site.platform.database.transaction() as tx:
            await tx.execute("UPDATE journal_mark SET upto = 1")

        # When it tells of something more
        await person.http.delete(f"/v1/uploads/{third['id']}")

        # Then it is found out, and what is missing is done again
        await until(lambda: _resolved(site, "database_went_back"), clock)
        assert await has_finding(site, "database_restored")
        assert await site.platform.replay.missing() == []


class Killed(Exception):
    pass


async def _dies(*_: Any, **__: Any) -> Any:
    raise Killed


async def _erase_account(site: Site, account_id: str | None) -> None:
    async with site.platform.database.transaction() as tx:
        await tx.execute(
            "UPDATE deadline SET due_at = :now WHERE record_id = :id AND rule = 'account.erase'",
            id=account_id,
            now=tx.now,
        )


def _another(site: Site) -> Platform:
    """One more process of the same deployment, not started yet."""
    settings = site.platform.settings
    plugins = PluginRegistry.survey(settings, site.platform.clock, environment={})
    plugins.mailers["recording"] = site.mailer
    plugins.image_providers[site.scripted.name] = site.scripted
    return compose(settings, site.platform.clock, plugins)


def _again(site: Site, token: str) -> Visitor:
    visitor = site.visitor()
    visitor.http.headers["Authorization"] = token
    return visitor


async def _gone(site: Site, table: str, record_id: str) -> bool:
    rows = await count(site, f"SELECT COUNT(*) AS n FROM {table} WHERE id = :id", id=record_id)
    return rows == 0 and not any(record_id in key for key in site.objects())


async def _held(site: Site, record_id: str) -> bool:
    sql = "SELECT COUNT(*) AS n FROM deadline WHERE record_id = :id AND state = 'held'"
    return await count(site, sql, id=record_id) >= 1


async def _to_operators(site: Site, route: str, **body: str) -> Any:
    """What an operator is answered."""
    (key,) = site.secret_keys.values()
    headers = {"Authorization": f"Bearer {key}"}
    answer = await site.visitor().http.post(f"/admin/v1/{route}", json=body or None, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def _all_gone(site: Site, uploads: list[dict[str, Any]]) -> bool:
    return all([await _gone(site, "upload", each["id"]) for each in uploads])


async def _receipts(site: Site, wanted: int) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM receipt") == wanted


async def _resolved(site: Site, code: str) -> bool:
    sql = "SELECT COUNT(*) AS n FROM finding WHERE code = :code AND resolved_at IS NOT NULL"
    return await count(site, sql, code=code) == 1


async def _rules(site: Site) -> dict[str, str]:
    """The rule that ended what, by the receipts."""
    async with site.platform.database.read() as reader:
        rows = await reader.rows("SELECT body FROM receipt")
    receipts = [read_entry(row["body"].encode()) for row in rows]
    return {receipt.dataset.removesuffix("s"): receipt.rule for receipt in receipts}

"""A legal hold keeps what it names, out of sight; a deadline that nobody forecast deletes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from statuette.testing import FrozenClock
from tests.integration.road.faults import count, until, uploads_in
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        yield site


@pytest.fixture
async def operator(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    (key,) = site.secret_keys.values()
    async with httpx.AsyncClient(base_url=site.url, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


@pytest.mark.parametrize("named", ["photo", "account", "job"])
async def test_what_is_held_past_its_deadline_is_out_of_sight_and_not_deleted(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient, named: str
) -> None:
    # Given a photo that is held, by whichever name
    person = await site.person()
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])
    subject = {"photo": upload["id"], "account": person.account_id, "job": job["id"]}[named]
    placed = await _place(operator, subject)
    assert placed["too_late"] == []

    # When its deadline has come and the enforcer has looked at it
    clock.advance(DAY)
    await until(lambda: _in_state(site, upload["id"], "held", 1), clock)

    # Then nobody sees it, and it is all there
    assert (await person.http.get(f"/v1/uploads/{upload['id']}")).status_code == 404
    assert (await person.http.get("/v1/uploads")).json()["items"] == []
    assert await uploads_in(site) == 1
    assert _stored(site, upload["id"])

    # When the hold is lifted, then the deadline is due as it was
    lifted = await operator.post(f"/admin/v1/holds/{placed['hold']['id']}/lift")
    assert lifted.json()["lifted_by"].startswith("key_")
    await until(lambda: _gone(site), clock)
    await until(lambda: _has_receipt(person, upload["id"]))


async def test_two_holds_keep_what_either_names(site: Site, clock: FrozenClock, operator: httpx.AsyncClient) -> None:
    person = await site.person()
    upload = await person.upload()
    first, second = await _place(operator, upload["id"]), await _place(operator, person.account_id)
    await person.http.delete(f"/v1/uploads/{upload['id']}")
    await until(lambda: _in_state(site, upload["id"], "held", 1), clock)

    await operator.post(f"/admin/v1/holds/{first['hold']['id']}/lift")
    await until(lambda: _held_by(site, upload["id"], second["hold"]["id"]), clock)
    assert await uploads_in(site) == 1

    await operator.post(f"/admin/v1/holds/{second['hold']['id']}/lift")
    await until(lambda: _gone(site), clock)


async def test_a_hold_of_somebody_else_keeps_nothing(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient
) -> None:
    person, other = await site.person(), await site.person()
    upload = await person.upload()
    await _place(operator, other.account_id)

    await person.http.delete(f"/v1/uploads/{upload['id']}")

    await until(lambda: _gone(site), clock)


async def test_a_hold_that_comes_after_the_decision_to_delete_is_told_that_it_is_too_late(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a deletion that has been decided, and hangs in the store
    storage = site.platform.plugins.storage
    reached, go_on = asyncio.Event(), asyncio.Event()
    purge = storage.purge_versions

    async def hanging(prefix: str) -> int:
        reached.set()
        await go_on.wait()
        return await purge(prefix)

    monkeypatch.setattr(storage, "purge_versions", hanging)
    person = await site.person()
    upload = await person.upload()
    await person.http.delete(f"/v1/uploads/{upload['id']}")
    await until(lambda: _reached(reached), clock)

    # When a hold is placed
    placed = await _place(operator, person.account_id)

    # Then it does not pretend to have kept the photo
    assert placed["too_late"] == [upload["id"]]
    go_on.set()
    await until(lambda: _gone(site), clock)


async def test_holds_and_deletions_that_meet_agree_on_who_was_first(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient
) -> None:
    # Given many photos whose deletion is asked for while each is put under a hold
    person = await site.person()
    photos = [(await person.upload())["id"] for _ in range(12)]

    async def meet(photo: str, early: bool) -> tuple[str, list[str]]:
        if early:
            await person.http.delete(f"/v1/uploads/{photo}")
            placed = await _place(operator, photo)
        else:
            placed, _ = await asyncio.gather(_place(operator, photo), person.http.delete(f"/v1/uploads/{photo}"))
        return photo, placed["too_late"]

    answers = dict(await asyncio.gather(*[meet(photo, bool(n % 2)) for n, photo in enumerate(photos)]))
    await until(lambda: _all_decided(site, len(photos)), clock)

    # Then each that was answered for is there, and each that was too late, or gone before, is not
    there = {photo for photo in photos if _stored(site, photo)}
    assert not [photo for photo, too_late in answers.items() if too_late and photo in there]
    async with site.platform.database.read() as reader:
        held = {row["record_id"] for row in await reader.rows("SELECT record_id FROM deadline WHERE state = 'held'")}
    assert held == there


async def test_holds_are_listed_and_those_of_another_brand_are_not_there(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient
) -> None:
    person = await site.person()
    placed = []
    for number in range(3):
        placed.append(await _place(operator, person.account_id, reference=f"Az {number}"))
        clock.advance(HOUR)  # within a moment, ids have no order
    await operator.post(f"/admin/v1/holds/{placed[1]['hold']['id']}/lift")

    page = (await operator.get("/admin/v1/holds?limit=1")).json()
    rest = (await operator.get(f"/admin/v1/holds?cursor={page['next_cursor']}")).json()
    all_of_them = (await operator.get("/admin/v1/holds?lifted=true")).json()["items"]

    assert [hold["reference"] for hold in (*page["items"], *rest["items"])] == ["Az 2", "Az 0"]
    assert [hold["lifted_at"] is not None for hold in all_of_them] == [False, True, False]
    assert (await operator.post("/admin/v1/holds/hld_00000000000000000000000000/lift")).status_code == 404


async def test_a_hold_needs_something_that_can_be_held(operator: httpx.AsyncClient) -> None:
    for body, code in (
        ({"subject": "somebody@example.org", "reason": "dispute"}, "unknown_hold_subject"),
        ({"subject": "acc_00000000000000000000000000", "reason": "because"}, "invalid_request"),
    ):
        answer = await operator.post("/admin/v1/holds", json=body)
        assert answer.status_code in (400, 422), answer.text
        assert answer.json()["code"] == code


async def test_a_deadline_that_was_moved_forward_by_nobody_who_may_deletes_nothing(
    site: Site, clock: FrozenClock
) -> None:
    # Given deadlines that a stray statement makes due
    person = await site.person()
    upload, other = await person.upload(), await person.upload()
    async with site.platform.database.transaction() as tx:
        await tx.execute(
            "UPDATE deadline SET due_at = :now WHERE record_id = :id AND rule = 'upload.unused'",
            id=upload["id"],
            now=clock.now(),
        )

    # When the enforcer comes to them
    await until(lambda: _in_state(site, upload["id"], "stopped", 1), clock)

    # Then nothing is deleted, and a finding names the promise
    assert await uploads_in(site) == 2
    finding = await _finding(site)
    assert (finding["subject"], finding["detail"]) == ("upload.unused", "moved_without_plan")

    # And what was forecast is enforced: the photo's other deadlines, and other photos'
    clock.advance(DAY + HOUR)
    await until(lambda: _gone(site), clock)
    assert other["id"] != upload["id"]


async def _place(operator: httpx.AsyncClient, subject: str, reference: str = "") -> Any:
    answer = await operator.post(
        "/admin/v1/holds", json={"subject": subject, "reason": "legal_claim", "reference": reference}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _in_state(site: Site, record_id: str, state: str, least: int) -> bool:
    sql = "SELECT COUNT(*) AS n FROM deadline WHERE record_id = :id AND state = :state"
    return await count(site, sql, id=record_id, state=state) >= least


async def _held_by(site: Site, record_id: str, hold_id: str) -> bool:
    sql = "SELECT COUNT(*) AS n FROM deadline WHERE record_id = :id AND hold_id = :hold"
    return await count(site, sql, id=record_id, hold=hold_id) > 0


async def _reached(event: asyncio.Event) -> bool:
    return event.is_set()


async def _all_decided(site: Site, photos: int) -> bool:
    """Each photo whose deletion was asked for is held or gone."""
    sql = (
        "SELECT COUNT(*) AS n FROM deadline WHERE rule = 'upload.asked' AND state IN ('held', 'verified', 'receipted')"
    )
    return await count(site, sql) == photos


async def _gone(site: Site) -> bool:
    return await uploads_in(site) == 0


def _stored(site: Site, record_id: str) -> bool:
    return any(record_id in key for key in site.objects())


async def _receipts(person: Visitor) -> Any:
    return (await person.http.get("/v1/account/receipts")).json()["items"]


async def _has_receipt(person: Visitor, record_id: str) -> bool:
    return any(receipt["record_id"] == record_id for receipt in await _receipts(person))


async def _finding(site: Site) -> Any:
    async with site.platform.database.read() as reader:
        (row,) = await reader.rows("SELECT subject, detail FROM finding WHERE code = 'enforcement_stopped'")
    return row

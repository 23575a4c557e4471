"""What is past its deadline is out of sight at once, and gone as soon as the enforcer runs: once, whoever runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from statuette.kernel.work.outbox import LeaseLost
from statuette.kernel.work.queues import ENFORCEMENT
from statuette.testing import FrozenClock
from statuette.testing.scripted_image import Hang
from tests.integration.road.faults import count, until, uploads_in
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        yield site


async def test_a_photo_past_its_deadline_is_out_of_sight_while_the_enforcer_stands_still(
    site: Site, clock: FrozenClock
) -> None:
    # Given a photo that was used, and an enforcer that has stopped
    person = await site.person()
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])
    due_at = datetime.fromisoformat((await person.http.get(f"/v1/uploads/{upload['id']}")).json()["expires_at"])
    await site.platform.scheduler.stop()

    # When its deadline has come
    clock.advance(due_at - clock.now())

    # Then no read, no address and no use of it finds it, although it is all still there
    for method, path, body in [
        ("GET", f"/v1/uploads/{upload['id']}", None),
        ("GET", _address(site, "uploads", upload["id"], "photo"), None),
        ("PUT", f"/v1/uploads/{upload['id']}/saved", None),
        ("DELETE", f"/v1/uploads/{upload['id']}/saved", None),
        ("DELETE", f"/v1/uploads/{upload['id']}", None),
        ("POST", "/v1/generations", {"inputs": [{"upload_id": upload["id"]}], "style": "chibi"}),
        ("POST", "/v1/generations", {"parent": job["id"]}),
    ]:
        answer = await person.http.request(method, path, json=body)
        assert answer.status_code == 404, (method, path, answer.text)
    assert (await person.http.get("/v1/uploads")).json()["items"] == []
    assert await uploads_in(site) == 1
    assert len(_objects(site, "uploads/")) == 1

    # When the enforcer runs again
    await site.platform.scheduler.start()

    # Then object and row are gone
    await until(lambda: _erased(site, upload["id"]))


async def test_a_deleted_figurine_is_out_of_sight_while_the_enforcer_stands_still(
    site: Site, clock: FrozenClock
) -> None:
    # Given a figurine whose owner asks for its deletion while the enforcer has stopped
    person = await site.person()
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])
    figurine = job["figurines"][0]
    await site.platform.scheduler.stop()
    assert (await person.http.delete(f"/v1/figurines/{figurine['id']}")).status_code == 204

    # When it is looked for everywhere
    answers = [await person.http.get(f"/v1/figurines/{figurine['id']}")]
    for address in figurine["images"].values():
        answers.extend(
            [
                await person.http.get(address),
                await person.http.get(address, headers={"If-None-Match": '"anything", *'}),
            ]
        )
    answers.append(await person.try_order(inputs=[{"figurine_id": figurine["id"]}], style="chibi"))
    answers.append(await person.http.delete(f"/v1/figurines/{figurine['id']}"))

    # Then it is nowhere
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert (await person.http.get("/v1/figurines")).json()["items"] == []
    assert (await person.http.get(f"/v1/generations/{job['id']}")).json()["figurines"] == []
    assert len(_objects(site, "figurines/")) == 3

    # And gone as soon as the enforcer runs
    await site.platform.scheduler.start()
    await until(lambda: _nothing_below(site, "figurines/"), clock)


async def test_a_job_does_not_read_a_photo_past_its_deadline(site: Site, clock: FrozenClock) -> None:
    # Given a job that was not begun before its photo's last deadline passed
    person = await site.person(credits=5)
    upload = await person.upload()
    hints: list[str] = []
    workers = _collect_hints(site, hints)
    await site.platform.scheduler.stop()
    order = await person.order(upload["id"])
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE generation SET expires_at = :later", later=tx.now + 3 * DAY)
    clock.advance(DAY + HOUR)

    # When a worker comes to it
    site.platform.outbox.connect(workers)
    await workers.send("interactive", [hints[0]])
    job = await person.finished(order["id"])

    # Then nothing left the house
    assert (job["state"], job["reason"]) == ("canceled", "input_deleted")
    assert site.scripted.calls == []
    assert (await person.credits())["available"] == 5


async def test_an_unused_photo_goes_after_a_day_and_a_used_one_after_an_hour(site: Site, clock: FrozenClock) -> None:
    # Given a photo that was used, one that was not, and one that is saved
    person = await site.person()
    used, unused, saved = [await person.upload() for _ in range(3)]
    await person.http.put(f"/v1/uploads/{saved['id']}/saved")
    await person.finished((await person.order(used["id"]))["id"])

    # When an hour passes, and then a day
    clock.advance(HOUR - SECOND)
    before_the_hour = await _visible(person)
    clock.advance(SECOND)
    await until(lambda: _erased(site, used["id"]), clock)
    after_the_hour = await _visible(person)
    clock.advance(DAY - HOUR)
    await until(lambda: _erased(site, unused["id"]), clock)

    # Then each goes by its own rule, and the saved one stays
    assert before_the_hour == {used["id"], unused["id"], saved["id"]}
    assert after_the_hour == {unused["id"], saved["id"]}
    assert await _visible(person) == {saved["id"]}
    assert await _rule_of(site, used["id"]) == "upload.used"
    assert await _rule_of(site, unused["id"]) == "upload.unused"


@pytest.mark.rule("upload.cap")
async def test_the_cap_ends_what_still_uses_the_photo_before_it_goes(site: Site, clock: FrozenClock) -> None:
    # Given a running job whose call hangs, on a photo at its cap
    person = await site.person(credits=5)
    upload = await person.upload()
    clock.advance(DAY - SECOND)
    site.scripted.script(Hang())
    order = await person.order(upload["id"])
    await site.scripted.wait_for_calls(1)
    await site.platform.scheduler.stop()
    clock.advance(timedelta(minutes=15) + SECOND)

    # When the enforcer runs
    assert await site.platform.enforcer.hand_out() == 1

    # Then the job is cancelled, unpaid, its call let go, and the photo is gone
    job = await person.finished(order["id"])
    assert (job["state"], job["reason"]) == ("canceled", "input_deleted")
    await until(lambda: _erased(site, upload["id"]))
    assert site.scripted.cancelled == 1
    assert (await person.credits())["available"] == 5
    assert await _rule_of(site, upload["id"]) == "upload.cap"


async def test_enforcing_twice_and_at_once_is_enforcing_once(site: Site, clock: FrozenClock) -> None:
    # Given a deadline that is handed out, and nobody at work on it yet
    person = await site.person()
    upload = await person.upload()
    await site.platform.scheduler.stop()
    hints: list[str] = []
    _collect_hints(site, hints)
    clock.advance(DAY)
    assert await site.platform.enforcer.hand_out() == 1
    assert await site.platform.enforcer.hand_out() == 0
    claimed = await site.platform.outbox.claim(hints[0])
    assert claimed is not None
    assert claimed.queue == ENFORCEMENT
    assert await site.platform.outbox.claim(hints[0]) is None

    # When three workers believe it to be theirs at the same time, and one more later
    results = await asyncio.gather(*(site.platform.enforcer.run(claimed) for _ in range(3)), return_exceptions=True)
    with pytest.raises(LeaseLost):
        await site.platform.enforcer.run(claimed)

    # Then one of them did it, and it was done
    assert all(isinstance(result, LeaseLost) for result in results if result is not None)
    assert results.count(None) == 1
    assert await _erased(site, upload["id"])
    assert await _rule_of(site, upload["id"]) == "upload.unused"


async def test_two_deadlines_of_one_photo_due_together_are_one_deletion(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    upload = await person.upload()
    await site.platform.scheduler.stop()
    clock.advance(2 * DAY)

    await site.platform.scheduler.start()

    await until(lambda: _erased(site, upload["id"]))
    await until(lambda: _no_work(site))
    states = await _states(site, upload["id"])
    assert set(states) == {"upload.unused", "upload.cap"}
    assert {"verified", "receipted"} & set(states.values())


async def test_saving_at_the_moment_of_a_deletion_does_not_bring_the_photo_back(site: Site, clock: FrozenClock) -> None:
    # Given photos
    person = await site.person()
    uploads = [await person.upload() for _ in range(6)]

    # When each is saved and deleted at the same moment
    answers = await asyncio.gather(
        *(
            request
            for upload in uploads
            for request in (
                person.http.put(f"/v1/uploads/{upload['id']}/saved"),
                person.http.delete(f"/v1/uploads/{upload['id']}"),
                person.http.put(f"/v1/uploads/{upload['id']}/saved"),
            )
        )
    )

    # Then every deletion was accepted, every save came before it or found nothing, and all are gone
    assert {answer.status_code for answer in answers[1::3]} == {204}
    assert {answer.status_code for answer in [*answers[::3], *answers[2::3]]} <= {200, 404}
    assert await _visible(person) == set()
    await until(lambda: _nothing_below(site, "uploads/"), clock)


def _address(site: Site, kind: str, record_id: str, size: str) -> str:
    """A signed address that would still be good for an hour."""
    brand_id = next(key.split("/")[1] for key in site.objects() if record_id in key)
    return site.platform.images.url(brand_id, kind, record_id, size, site.platform.clock.now() + HOUR)


def _objects(site: Site, prefix: str) -> list[str]:
    return [key for key in site.objects() if key.startswith(prefix)]


def _collect_hints(site: Site, hints: list[str]) -> Any:
    """Keep hints from the workers; returns the way to them."""
    workers = site.platform.outbox._hints
    site.platform.outbox.connect(_Collected(hints))
    return workers


class _Collected:
    """Where hints go when workers are not to hear of them."""

    def __init__(self, hints: list[str]) -> None:
        self._hints = hints

    async def send(self, queue: str, item_ids: Sequence[str]) -> None:
        self._hints.extend(item_ids)

    async def backlog(self, queue: str) -> int:
        return 0


async def _nothing_below(site: Site, prefix: str) -> bool:
    return not _objects(site, prefix)


async def _erased(site: Site, upload_id: str) -> bool:
    return not any(upload_id in key for key in site.objects()) and await uploads_in(site, upload_id) == 0


async def _visible(person: Visitor) -> set[str]:
    return {item["id"] for item in (await person.http.get("/v1/uploads")).json()["items"]}


async def _states(site: Site, record_id: str) -> dict[str, str]:
    """Of the record's deadlines that had come, by rule."""
    async with site.platform.database.read() as reader:
        rows = await reader.rows(
            "SELECT rule, state FROM deadline WHERE record_id = :id AND due_at <= :now", id=record_id, now=reader.now
        )
    return {row["rule"]: row["state"] for row in rows}


async def _rule_of(site: Site, record_id: str) -> str:
    """The rule by which the record went, which is told a moment after it has gone."""

    async def told() -> bool:
        return bool(await _ended_by(site, record_id))

    await until(told)
    (rule,) = await _ended_by(site, record_id)
    return rule


async def _ended_by(site: Site, record_id: str) -> list[str]:
    return [rule for rule, state in (await _states(site, record_id)).items() if state in ("verified", "receipted")]


async def _no_work(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM work_item") == 0

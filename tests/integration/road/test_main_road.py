"""The whole road, over real HTTP, on each engine."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta

from PIL import Image

from statuette.kernel.pixels.mark import read_mark
from tests.site import Site


async def test_a_photo_becomes_a_figurine_and_is_paid_for_once(site: Site) -> None:
    # Given somebody with credits and a photo
    person = await site.person(credits=20)
    upload = await person.upload()

    # When a figurine is ordered and waited for
    ordered = await person.order(upload["id"])
    job = await person.finished(ordered["id"])

    # Then there is one picture, in every size, marked as made by a machine, and one credit is gone
    assert job["state"] == "succeeded"
    assert job["credits"] == {"held": 0, "captured": 1}
    assert (await person.credits())["available"] == 19
    for size, address in job["figurines"][0]["images"].items():
        picture = await person.http.get(address, headers={"Authorization": ""})
        assert picture.status_code == 200, (size, picture.text)
        Image.open(io.BytesIO(picture.content)).verify()
        assert read_mark(picture.content)


async def test_a_redo_needs_nothing_but_its_parent(site: Site) -> None:
    # Given a finished job
    person = await site.person()
    upload = await person.upload()
    first = await person.finished((await person.order(upload["id"]))["id"])

    # When it is ordered again by its id alone
    redo = await person.finished((await person.order(parent=first["id"]))["id"])

    # Then it is another job of the same kind
    assert redo["state"] == "succeeded"
    assert redo["parent"] == first["id"]
    assert (redo["style"], redo["inputs"]) == (first["style"], first["inputs"])


async def test_several_pictures_cost_what_is_delivered(site: Site) -> None:
    person = await site.person(credits=20)
    upload = await person.upload()

    job = await person.finished((await person.order(upload["id"], count=3))["id"])

    assert len(job["figurines"]) == 3
    assert (await person.credits())["available"] == 17


async def test_events_stream_to_the_end_and_can_be_resumed(site: Site) -> None:
    # Given a finished job
    person = await site.person()
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])

    # When its events are read from the start, and again after the second
    whole = await _events(person.http, job["id"])
    rest = await _events(person.http, job["id"], {"Last-Event-ID": str(whole[1]["seq"])})

    # Then they tell the story without a gap, and the rest is the rest
    assert [event["seq"] for event in whole] == list(range(1, len(whole) + 1))
    assert whole[0]["type"] == "generation.queued"
    assert whole[-1]["type"] == "generation.succeeded"
    assert rest == whole[2:]


async def test_a_stream_ticket_opens_one_stream_once(site: Site) -> None:
    person = await site.person()
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])
    ticket = (await person.http.post(f"/v1/generations/{job['id']}/stream-tickets")).json()
    anonymous = site.visitor()

    first = await anonymous.http.get(ticket["url"])
    second = await anonymous.http.get(ticket["url"])

    assert first.status_code == 200
    assert "generation.succeeded" in first.text
    assert second.status_code == 401


async def test_a_used_photo_is_deleted_an_hour_after_the_job(site: Site) -> None:
    # Given a photo that a finished job used
    person = await site.person()
    upload = await person.upload()
    before = (await person.http.get(f"/v1/uploads/{upload['id']}")).json()
    await person.finished((await person.order(upload["id"]))["id"])

    # When its state is asked for
    after = (await person.http.get(f"/v1/uploads/{upload['id']}")).json()

    # Then the clock of the rule for used photos runs, no longer that for unused ones
    assert "upload.unused" in before["retention"]
    assert "upload.used" in after["retention"]
    left = datetime.fromisoformat(after["expires_at"]) - site.platform.clock.now()
    assert timedelta(minutes=58) < left <= timedelta(hours=1)


async def test_deleting_a_photo_hides_it_at_once_and_removes_every_byte(site: Site) -> None:
    # Given a photo in the store
    person = await site.person()
    upload = await person.upload()
    assert any(upload["id"] in key for key in site.objects())

    # When its owner deletes it
    deleted = await person.http.delete(f"/v1/uploads/{upload['id']}")

    # Then it is not to be seen, by nobody, and soon there is nothing to see
    assert deleted.status_code == 204
    assert (await person.http.get(f"/v1/uploads/{upload['id']}")).status_code == 404
    assert (await person.http.get(upload["image_url"])).status_code == 404
    assert (await person.try_order(upload["id"])).status_code == 404
    await _gone(site, upload["id"])


async def test_a_figurine_is_kept_until_its_deletion_is_asked_for(site: Site) -> None:
    person = await site.person()
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])
    figurine = job["figurines"][0]
    assert figurine["expires_at"] is None

    deleted = await person.http.delete(f"/v1/figurines/{figurine['id']}")

    assert deleted.status_code == 204
    assert (await person.http.get(figurine["images"]["1024"])).status_code == 404
    assert (await person.http.get(f"/v1/generations/{job['id']}")).json()["figurines"] == []
    await _gone(site, figurine["id"])


async def test_a_saved_photo_has_no_end_and_an_unsaved_one_has_again(site: Site) -> None:
    person = await site.person()
    upload = await person.upload()

    saved = (await person.http.put(f"/v1/uploads/{upload['id']}/saved")).json()
    await person.finished((await person.order(upload["id"]))["id"])
    still = (await person.http.get(f"/v1/uploads/{upload['id']}")).json()
    unsaved = (await person.http.delete(f"/v1/uploads/{upload['id']}/saved")).json()

    assert saved["expires_at"] is None
    assert still["expires_at"] is None
    assert "upload.saved" in unsaved["retention"]


async def _events(http: object, generation_id: str, headers: dict[str, str] | None = None) -> list[dict[str, object]]:
    response = await http.get(f"/v1/generations/{generation_id}/events", headers=headers or {})  # type: ignore[attr-defined]
    return [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]


async def _gone(site: Site, record_id: str) -> None:
    await site.platform.scheduler.tick()
    import asyncio

    for _ in range(100):
        if not any(record_id in key for key in site.objects()):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{record_id} is still stored: {site.objects()}")

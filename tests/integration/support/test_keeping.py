"""Questions go a year after they were closed, sooner if their owner or a brand says so, and never without a trace of it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from statuette.ports.keys import KeyDestroyed
from statuette.testing import FrozenClock
from statuette.testing.pictures import photo_jpeg
from tests.integration.rights.people import ask as ask_right
from tests.integration.rights.people import come_back, confirm
from tests.integration.road.faults import count, hurry, until
from tests.integration.support.asking import EVE, ask, at_the_desk, attach, decide, operator, own, reply, try_attach
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

DAY = timedelta(days=1)
NOTE = b"What I did: nothing."


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        hurry(site)
        yield site


def objects(site: Site) -> list[str]:
    return [key for key in site.objects() if key.startswith("support/")]


async def rows(site: Site) -> int:
    tables = ("support_question", "support_entry", "support_attachment")
    return sum([await count(site, f"SELECT COUNT(*) AS n FROM {table}") for table in tables])


async def gone(site: Site, clock: FrozenClock) -> None:
    async def nothing_left() -> bool:
        return objects(site) == [] and await rows(site) == 0

    await until(nothing_left, clock)


async def attached(person: Visitor, **fields: str) -> str:
    """A question with a picture and a text."""
    asked = await attach(person, (photo_jpeg(), "image/jpeg"), (NOTE, "text/plain"), **fields)
    return str(asked["id"])


@pytest.mark.rule("support.keep")
async def test_a_closed_question_goes_after_a_year_with_everything_attached_and_a_receipt(
    site: Site, clock: FrozenClock
) -> None:
    ada = await site.person()
    question = await attached(ada)
    assert (await reply(site, question)).status_code == 201
    assert len(objects(site)) == 2
    assert (await decide(site, question, "close")).status_code == 200

    # Until a year is over everything is there
    shown = await own(ada, question)
    closed_at, expires_at = (datetime.fromisoformat(shown[each]) for each in ("closed_at", "expires_at"))
    assert (expires_at.year, expires_at.month, expires_at.day) == (closed_at.year + 1, closed_at.month, closed_at.day)
    clock.advance(expires_at - clock.now() - timedelta(hours=1))
    await come_back(ada)
    assert (await own(ada, question))["state"] == "closed" and len(objects(site)) == 2

    clock.advance(timedelta(hours=1))

    assert (await ada.http.get(f"/v1/account/support/{question}")).status_code == 404
    await gone(site, clock)

    async def receipted() -> bool:
        items = (await ada.http.get("/v1/account/receipts")).json()["items"]
        return [each for each in items if each["rule"] == "support.keep" and each["sealed"]] != []

    await until(receipted, clock)


@pytest.mark.rule("support.keep")
async def test_a_question_in_which_nobody_writes_is_closed_after_ninety_days(site: Site, clock: FrozenClock) -> None:
    ada = await site.person()
    question = (await ask(ada))["id"]
    clock.advance(60 * DAY)
    await come_back(ada)
    said = await ada.http.post(f"/v1/account/support/{question}/messages", json={"message": "Hello?"})
    assert said.status_code == 201, said.text
    clock.advance(89 * DAY)
    await site.platform.support.look()
    await come_back(ada)
    assert (await own(ada, question))["state"] == "open"

    clock.advance(DAY)
    await site.platform.support.look()

    shown = await own(ada, question)
    assert (shown["state"], shown["entries"][-1]["by"]) == ("closed", "itself")
    assert shown["retention"] == "deleted by the rule support.keep" and shown["closes_at"] is None
    await site.settled()
    assert "has been closed" in site.mailer.sent_to(ada.email)[-1].text


async def test_opening_again_stops_the_clock_whoever_does_it(site: Site, clock: FrozenClock) -> None:
    ada = await site.person()
    by_operator, by_owner = await attached(ada), await attached(ada)
    for question in (by_operator, by_owner):
        assert (await decide(site, question, "close")).json()["expires_at"] is not None

    assert (await decide(site, by_operator, "reopen")).json()["expires_at"] is None
    again = await ada.http.post(f"/v1/account/support/{by_owner}/messages", json={"message": "One more thing."})
    assert (again.json()["state"], again.json()["expires_at"]) == ("open", None)

    async with site.platform.database.transaction() as tx:  # nobody is to close them meanwhile
        await tx.execute("UPDATE support_question SET closes_at = NULL")
    clock.advance(400 * DAY)
    await come_back(ada)
    for _ in range(20):
        clock.advance(timedelta(seconds=1))
    assert {(await own(ada, question))["state"] for question in (by_operator, by_owner)} == {"open"}
    assert len(objects(site)) == 4


@pytest.mark.rule("support.asked")
async def test_a_question_goes_at_once_when_its_owner_asks_closed_or_not(site: Site, clock: FrozenClock) -> None:
    ada, eve = await site.person(), site.visitor()
    mine = await attached(ada)
    hers = (await attach(eve, (NOTE, "text/plain"), email=EVE)) | {}
    token = {"Support-Token": hers["token"]}

    assert (await ada.http.delete(f"/v1/account/support/{mine}")).status_code == 204
    assert (await eve.http.delete(f"/v1/support/{hers['id']}", headers=token)).status_code == 204

    assert (await ada.http.get(f"/v1/account/support/{mine}")).status_code == 404
    assert (await eve.http.get(f"/v1/support/{hers['id']}", headers=token)).status_code == 404
    await gone(site, clock)
    # What was sealed with a key of its own is unreadable in every copy, too
    with pytest.raises(KeyDestroyed):
        await site.platform.cipher.seal(hers["id"], "text", "again")


async def test_questions_go_with_their_account_and_stay_when_its_erasure_is_taken_back(
    site: Site, clock: FrozenClock
) -> None:
    ada = await site.person()
    opened, closed = await attached(ada), await attached(ada)
    expires_at = (await decide(site, closed, "close")).json()["expires_at"]
    await confirm(ada)
    erasure = await ask_right(ada, "erasure")
    await come_back(ada)
    assert (await own(ada, opened))["expires_at"] is not None
    assert (await ada.http.post(f"/v1/account/requests/{erasure['id']}/cancel")).status_code == 200
    assert (await own(ada, opened))["expires_at"] is None
    assert (await own(ada, closed))["expires_at"] == expires_at

    await confirm(ada)
    await ask_right(ada, "erasure", at_once=True)

    await gone(site, clock)


async def test_a_legal_hold_keeps_a_question_out_of_sight(site: Site, clock: FrozenClock) -> None:
    ada = await site.person()
    question = await attached(ada)
    held = await site.visitor().http.post(
        "/admin/v1/holds", json={"subject": question, "reason": "dispute"}, headers=operator(site)
    )
    assert held.status_code == 201, held.text

    assert (await ada.http.delete(f"/v1/account/support/{question}")).status_code == 204

    async def is_held() -> bool:
        sql = "SELECT COUNT(*) AS n FROM deadline WHERE record_id = :id AND state = 'held'"
        return await count(site, sql, id=question) == 1

    await until(is_held, clock)
    assert (await ada.http.get(f"/v1/account/support/{question}")).status_code == 404
    assert len(objects(site)) == 2
    lifted = await site.visitor().http.post(f"/admin/v1/holds/{held.json()['hold']['id']}/lift", headers=operator(site))
    assert lifted.status_code == 200
    await gone(site, clock)


async def test_a_brand_may_keep_questions_for_less_and_not_for_more(site: Site, clock: FrozenClock) -> None:
    await site.apply_brand(more='policy = { "support.keep" = "P30D" }')
    ada = await site.person()
    question = (await ask(ada))["id"]

    closed = (await decide(site, question, "close")).json()

    lasts = datetime.fromisoformat(closed["expires_at"]) - datetime.fromisoformat(closed["closed_at"])
    assert lasts == 30 * DAY
    with pytest.raises(Exception, match=r"support\.keep"):
        await site.apply_brand(more='policy = { "support.keep" = "P13M" }')


async def test_a_copy_of_ones_data_has_questions_answers_and_what_was_attached(site: Site) -> None:
    from tests.integration.rights.test_copy import copy_of

    ada, ben = await site.person(), await site.person()
    question = await attached(ada)
    assert (await reply(site, question)).status_code == 201
    await ask(ben, subject="Of another")

    copy = await copy_of(ada)

    records = json.loads(copy.read("data/support.json"))
    assert {each["record"] for each in records} == {"question", "entry", "attachment"}
    texts = [each["text"] for each in records if each["record"] == "entry"]
    assert texts == ["My figurine has three arms.\nWhat now?", "Two of them are wings."]
    assert "Of another" not in json.dumps(records)
    files = [name for name in copy.namelist() if name.startswith("support/")]
    assert sorted(name.rpartition(".")[2] for name in files) == ["jpg", "txt"]
    assert NOTE in [copy.read(name) for name in files]


async def test_pictures_are_encoded_anew_and_shown_to_their_owner_and_operators_alone(site: Site) -> None:
    await site.apply_brand("beta", host="beta.test")
    ada, ben = await site.person(), await site.person()
    photo = _with_metadata()
    question = (await attach(ada, (photo, "image/jpeg"), (NOTE, "text/plain; charset=utf-8")))["id"]

    kept = (await own(ada, question))["attachments"]
    assert [each["media_type"] for each in kept] == ["image/jpeg", "text/plain; charset=utf-8"]
    paths = [f"/support/{question}/attachments/{each['id']}" for each in kept]
    for path, expected in zip(paths, (None, NOTE), strict=True):
        mine = await ada.http.get(f"/v1/account{path}")
        desk = await site.visitor().http.get(f"/admin/v1{path}", headers=operator(site))
        assert mine.status_code == desk.status_code == 200
        assert mine.content == desk.content and (expected is None or mine.content == expected)
        assert mine.headers["cache-control"] == "no-store"
        assert mine.headers["content-disposition"].startswith("attachment;")
        assert (await ben.http.get(f"/v1/account{path}")).status_code == 404
        elsewhere = await site.visitor().http.get(f"/admin/v1{path}", headers=operator(site, "beta"))
        assert elsewhere.status_code == 404
        token = {"Support-Token": "spt_wrong"}
        assert (await ben.http.get(f"/v1{path}", headers=token)).status_code == 404
    picture = (await ada.http.get(f"/v1/account{paths[0]}")).content
    assert b"a secret place" in photo and b"a secret place" not in picture
    assert (await at_the_desk(site, question))["attachments"] == kept
    assert all("Ada" not in key for key in site.objects())
    # Whoever looked for the operator is on record, one look a file
    looks = (await site.visitor().http.get("/admin/v1/reveals", headers=operator(site))).json()["items"]
    assert [(each["subject"], each["record_id"], each["reason"]) for each in looks] == [
        ("support_attachment", question, "to_answer")
    ] * 2


def _with_metadata() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    written = io.BytesIO()
    Image.new("RGB", (200, 200), "red").save(written, "JPEG", exif=exif)
    return written.getvalue()


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        ([(NOTE, "text/plain")] * 4, 400, "too_many_attachments"),
        ([(b"%PDF-1.7", "application/pdf")], 415, "unsupported_image_format"),
        ([(b"<svg/>", "image/svg+xml")], 415, "unsupported_image_format"),
        ([(b"\xff\xfe", "text/plain")], 400, "attached_text_unreadable"),
        ([(b"", "text/plain")], 400, "attached_text_unreadable"),
        ([(b"x" * (256 * 1024 + 1), "text/plain")], 400, "attached_text_too_large"),
        ([(b"x" * (5 * 1024 * 1024 + 1), "image/jpeg")], 413, "image_too_large"),
    ],
)
async def test_what_may_not_be_attached_is_refused_and_nothing_is_left_of_it(
    site: Site, files: list[tuple[bytes, str]], status: int, code: str
) -> None:
    ada = await site.person()

    for _ in range(2):  # the key can be used again
        answer = await try_attach(ada, *files, headers={"Idempotency-Key": "attached"})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text

    assert await rows(site) == 0 and objects(site) == []
    assert (await try_attach(ada, (NOTE, "text/plain"), headers={"Idempotency-Key": "attached"})).status_code == 201


async def test_a_repeated_form_counts_once(site: Site) -> None:
    ada = await site.person()
    key: dict[str, Any] = {"headers": {"Idempotency-Key": "form"}}

    first, second = [await try_attach(ada, (NOTE, "text/plain"), **key) for _ in range(2)]
    other = await try_attach(ada, (NOTE + b" Or not.", "text/plain"), **key)

    assert first.status_code == second.status_code == 201 and first.json() == second.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(objects(site)) == 1


async def test_whatever_happens_at_the_same_moment_a_question_is_closed_with_a_clock_or_open_without(
    site: Site, clock: FrozenClock
) -> None:
    ada = await site.person()
    question = (await ask(ada))["id"]

    for _ in range(6):
        await asyncio.gather(
            ada.http.post(f"/v1/account/support/{question}/close"),
            ada.http.post(f"/v1/account/support/{question}/messages", json={"message": "And this."}),
            decide(site, question, "reopen"),
            reply(site, question),
            decide(site, question, "close"),
        )
        shown = await own(ada, question)
        assert (shown["state"] == "closed") == (shown["expires_at"] is not None) == (shown["closed_at"] is not None)
        assert (shown["closes_at"] is None) == (shown["state"] == "closed")

    async with site.platform.database.read() as reader:
        found = await reader.rows(
            "SELECT number FROM support_entry WHERE question_id = :id ORDER BY number", id=question
        )
    assert [row["number"] for row in found] == list(range(len(found))) and len(found) > 6

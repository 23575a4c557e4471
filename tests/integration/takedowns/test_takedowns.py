"""Somebody finds themselves in a picture: it is out of sight at once, decided on in time, and its owner has a say."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.road.faults import until
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

EVE = "eve@example.org"


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        yield site


def operator(site: Site, brand: str = "alpha") -> dict[str, str]:
    return {"Authorization": f"Bearer {site.secret_keys[brand]}"}


async def ask(site: Site, host: str | None = None, **body: Any) -> httpx.Response:
    return await site.visitor(host).http.post("/v1/takedowns", json={"email": EVE, **body})


async def asked(site: Site, **body: Any) -> dict[str, Any]:
    answer = await ask(site, **body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def decide(site: Site, case: str, decision: str) -> httpx.Response:
    return await site.visitor().http.post(
        f"/admin/v1/takedowns/{case}/decision", json={"decision": decision}, headers=operator(site)
    )


async def case_of(site: Site, case: str) -> dict[str, Any]:
    answer = await site.visitor().http.get(f"/admin/v1/takedowns/{case}", headers=operator(site))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def reveal(site: Site, case: str) -> dict[str, Any]:
    answer = await site.visitor().http.post(
        f"/admin/v1/takedowns/{case}/reveal", json={"reason": "to_decide"}, headers=operator(site)
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def figurine_of(person: Visitor) -> dict[str, Any]:
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])
    return dict(job["figurines"][0])


async def seen(person: Visitor, figurine: dict[str, Any]) -> list[int]:
    """Status of the record, and of its addresses."""
    addresses = [address.removeprefix(person.site.url) for address in figurine["images"].values()]
    paths = [f"/v1/figurines/{figurine['id']}", *addresses]
    return [(await person.http.get(path)).status_code for path in paths]


async def move(site: Site, case: str) -> None:
    """Let the moment of a case come."""
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE takedown_case SET next_at = :now WHERE id = :id", id=case, now=tx.now)
    await site.platform.takedowns.look()


async def findings(site: Site) -> list[tuple[str, str]]:
    listed = (await site.visitor().http.get("/admin/v1/findings", headers=operator(site))).json()["items"]
    return [(each["code"], each["subject"]) for each in listed]


@pytest.mark.rule("depicted.takedown")
async def test_a_picture_is_out_of_sight_at_once_for_everybody_and_stays_stored(site: Site) -> None:
    ada = await site.person()
    figurine = await figurine_of(ada)
    stored = site.objects()
    assert set(await seen(ada, figurine)) == {200}

    case = await asked(site, picture=figurine["images"]["1024"], message="That is me.")

    assert set(await seen(ada, figurine)) == {404}
    assert (await ada.http.get("/v1/figurines")).json()["items"] == []
    assert site.objects() == stored
    opened = await case_of(site, case["id"])
    assert (opened["contact"], opened["has_message"]) == ("e***@e***.org", True)
    written = await reveal(site, case["id"])
    assert (written["contact"], written["message"], written["appeals"]) == (EVE, "That is me.", [])
    within = datetime.fromisoformat(case["decide_by"]) - datetime.fromisoformat(opened["created_at"])
    assert within == timedelta(hours=48)
    assert [each["record_id"] for each in opened["pictures"]] == [figurine["id"]]
    shown = await site.visitor().http.get(
        f"/admin/v1/takedowns/{case['id']}/pictures/{figurine['id']}", headers=operator(site)
    )
    assert shown.status_code == 200 and shown.content
    async with site.platform.database.read() as reader:
        row = (await reader.rows("SELECT contact, message FROM takedown_case"))[0]
    assert EVE.encode() not in bytes(row["contact"]) and b"That is me" not in bytes(row["message"])


async def test_identical_copies_of_others_go_out_of_sight_too_and_those_of_another_brand_do_not(site: Site) -> None:
    await site.apply_brand("beta", host="beta.test")
    ada, ben = await site.person(), await site.person()
    other = await site.person(brand="beta", host="beta.test")
    mine, copy, elsewhere = await ada.upload(), await ben.upload(), await other.upload()
    data = (await ada.http.get(mine["image_url"].removeprefix(site.url))).content

    case = await asked(site, sha256=hashlib.sha256(data).hexdigest())

    statuses = [
        (await person.http.get(f"/v1/uploads/{photo['id']}")).status_code
        for person, photo in ((ada, mine), (ben, copy), (other, elsewhere))
    ]
    assert statuses == [404, 404, 200]
    assert {each["record_id"] for each in (await case_of(site, case["id"]))["pictures"]} == {mine["id"], copy["id"]}


async def test_a_kept_picture_is_there_again_and_is_not_hidden_by_the_next_request(site: Site) -> None:
    ada = await site.person()
    figurine = await figurine_of(ada)
    case = await asked(site, picture=figurine["id"])

    decided = await decide(site, case["id"], "keep")

    assert decided.status_code == 200 and decided.json()["state"] == "kept"
    assert set(await seen(ada, figurine)) == {200}
    state = await site.visitor().http.get(f"/v1/takedowns/{case['id']}", headers={"Takedown-Token": case["token"]})
    assert state.json()["state"] == "kept"
    again = await asked(site, picture=figurine["id"])
    assert set(await seen(ada, figurine)) == {200}
    assert (await case_of(site, again["id"]))["pictures"][0]["outcome"] == "listed"
    assert (await decide(site, case["id"], "delete")).json()["code"] == "takedown_closed"
    # A second case that is decided otherwise hides it after all.
    assert (await decide(site, again["id"], "delete")).json()["state"] == "deleting"
    assert set(await seen(ada, figurine)) == {404}


async def test_two_undecided_cases_hide_until_both_let_it_stay(site: Site) -> None:
    ada = await site.person()
    figurine = await figurine_of(ada)
    first, second = await asked(site, picture=figurine["id"]), await asked(site, picture=figurine["id"])

    await decide(site, first["id"], "keep")
    assert set(await seen(ada, figurine)) == {404}
    await decide(site, second["id"], "keep")
    assert set(await seen(ada, figurine)) == {200}


async def test_a_picture_that_is_to_go_goes_when_the_time_to_appeal_is_over(site: Site) -> None:
    ada = await site.person()
    figurine = await figurine_of(ada)
    case = await asked(site, picture=figurine["id"])
    assert (await decide(site, case["id"], "delete")).json()["state"] == "deleting"
    await site.platform.takedowns.look()
    assert any(figurine["id"] in key for key in site.objects())

    await move(site, case["id"])

    assert (await case_of(site, case["id"]))["state"] == "deleted"
    await until(lambda: _gone(site, figurine["id"]))
    own = (await ada.http.get("/v1/account/takedowns")).json()["items"]
    assert [(each["record_id"], each["outcome"], each["state"]) for each in own] == [
        (figurine["id"], "deleted", "deleted")
    ]


async def _gone(site: Site, record_id: str) -> bool:
    return not any(record_id in key for key in site.objects())


async def test_an_appeal_is_heard_and_decided_once_more(site: Site) -> None:
    ada, ben = await site.person(), await site.person()
    figurine = await figurine_of(ada)
    case = await asked(site, picture=figurine["id"])
    await decide(site, case["id"], "delete")

    stranger = await ben.http.post(f"/v1/account/takedowns/{case['id']}/appeal", json={"message": "Mine!"})
    appealed = await ada.http.post(f"/v1/account/takedowns/{case['id']}/appeal", json={"message": "It is me."})

    assert (stranger.status_code, appealed.status_code) == (404, 204)
    opened = await case_of(site, case["id"])
    assert opened["state"] == "appealed" and opened["pictures"][0]["appealed_at"] is not None
    assert (await reveal(site, case["id"]))["appeals"] == [{"record_id": figurine["id"], "appeal": "It is me."}]
    assert (await decide(site, case["id"], "keep")).json()["state"] == "kept"
    assert set(await seen(ada, figurine)) == {200}
    late = await ada.http.post(f"/v1/account/takedowns/{case['id']}/appeal", json={"message": "Again."})
    assert (late.status_code, late.json()["code"]) == (409, "takedown_closed")


async def test_a_case_that_nobody_decides_in_time_is_a_finding_once_and_stays_hidden(site: Site) -> None:
    ada = await site.person()
    figurine = await figurine_of(ada)
    case = await asked(site, picture=figurine["id"])

    await move(site, case["id"])
    await site.platform.takedowns.look()

    assert await findings(site) == [("takedown_overdue", case["id"])]
    assert set(await seen(ada, figurine)) == {404}
    assert (await decide(site, case["id"], "keep")).status_code == 200


async def test_whoever_uploads_such_pictures_again_is_flagged(site: Site) -> None:
    ada = await site.person()
    for _ in range(2):
        figurine = await figurine_of(ada)
        case = await asked(site, picture=figurine["id"])
        await decide(site, case["id"], "delete")
        await move(site, case["id"])

    assert ("repeat_uploader", ada.account_id) in await findings(site)


async def test_what_a_legal_hold_names_stays_out_of_sight_and_is_not_deleted(site: Site) -> None:
    ada = await site.person()
    figurine = await figurine_of(ada)
    held = await site.visitor().http.post(
        "/admin/v1/holds", json={"subject": figurine["id"], "reason": "dispute"}, headers=operator(site)
    )
    assert held.status_code == 201, held.text
    case = await asked(site, picture=figurine["id"])
    await decide(site, case["id"], "delete")
    await move(site, case["id"])

    async def is_held() -> bool:
        async with site.platform.database.read() as reader:
            return bool(
                await reader.value(
                    "SELECT COUNT(*) AS n FROM deadline WHERE record_id = :id AND state = 'held'", id=figurine["id"]
                )
            )

    await until(is_held)
    assert set(await seen(ada, figurine)) == {404} and not await _gone(site, figurine["id"])


async def test_the_answer_does_not_tell_whether_there_is_such_a_picture(site: Site) -> None:
    nothing = await asked(site, picture="fig_00000000000000000000000000")
    unnamed = await ask(site, picture="https://alpha.example/somewhere")

    assert set(nothing) == {"id", "token", "decide_by"}
    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "no_picture_named")
    assert (await ask(site, picture="fig_00000000000000000000000000", email="no address")).status_code == 400
    for headers in ({"Takedown-Token": "tkt_wrong"}, {}):
        answer = await site.visitor().http.get(f"/v1/takedowns/{nothing['id']}", headers=headers)
        assert answer.status_code in (400, 404)


async def test_one_address_cannot_hide_pictures_by_the_hundred(site: Site) -> None:
    statuses = [(await ask(site, picture="fig_00000000000000000000000000")).status_code for _ in range(21)]

    assert statuses == [202] * 20 + [429]


async def test_letters_tell_both_sides_and_name_neither(site: Site) -> None:
    ada = await site.person()
    figurine = await figurine_of(ada)
    case = await asked(site, picture=figurine["id"], locale="de")
    await site.settled()
    await decide(site, case["id"], "delete")
    await site.settled()
    await move(site, case["id"])
    await site.settled()

    def letters(address: str) -> list[str]:
        return [each.text for each in site.mailer.sent_to(address) if each.idempotency_key.startswith(f"{case['id']}.")]

    assert [text.split(" ", 2)[:2] for text in letters(EVE)] == [["Wir", "haben"], ["Das", "Bild,"]]
    hidden, deleting, deleted = letters(ada.email)
    assert "out of sight" in hidden and "in seven days" in deleting and "has been deleted" in deleted
    assert all(case["id"] in text for text in (*letters(EVE), hidden, deleting, deleted))
    assert not any(EVE in text or figurine["id"] in text for text in (hidden, deleting, deleted))

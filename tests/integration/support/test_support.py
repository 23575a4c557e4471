"""People ask, operators answer, and each sees what is theirs to see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.support.asking import (
    EVE,
    QUESTION,
    ask,
    at_the_desk,
    decide,
    operator,
    own,
    reply,
    revealed,
    try_ask,
)
from tests.profiles import Profile
from tests.site import Site, serving


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        yield site


async def test_a_question_with_an_account_is_answered_in_the_api_and_by_mail(site: Site) -> None:
    ada = await site.person()

    asked = await ask(ada)

    assert asked["token"] is None
    question = await own(ada, asked["id"])
    assert (question["state"], question["subject"], question["category"]) == ("open", "Three arms", "pictures")
    assert [(each["action"], each["by"], each["text"]) for each in question["entries"]] == [
        ("asked", "you", QUESTION["message"])
    ]
    assert question["expires_at"] is None and question["closes_at"] is not None

    # When an operator reads it, and answers
    seen, said = await at_the_desk(site, asked["id"]), await revealed(site, asked["id"])
    assert (seen["contact"], seen["account_id"]) == ("p***@e***.org", ada.account_id)
    assert "arms" not in str(seen) and said["subject"] == "Three arms"
    assert [each["text"] for each in said["entries"]] == [QUESTION["message"]]
    looks = (await site.visitor().http.get("/admin/v1/reveals", headers=operator(site))).json()["items"]
    assert [(each["subject"], each["record_id"], each["account_id"], each["reason"]) for each in looks] == [
        ("support_question", asked["id"], ada.account_id, "to_answer")
    ]
    answered = await reply(site, asked["id"])
    assert answered.status_code == 201, answered.text
    await site.settled()

    # Then the answer is there, who gave it is on record, and a letter brings it without a word of the question in its subject
    question = await own(ada, asked["id"])
    assert question["state"] == "answered"
    assert [(each["action"], each["by"]) for each in question["entries"]] == [("asked", "you"), ("answered", "us")]
    (_, entry) = (await at_the_desk(site, asked["id"]))["entries"]
    assert entry["actor"].startswith("key_") and entry["created_at"]
    (letter,) = [each for each in site.mailer.sent_to(ada.email) if "question" in each.subject]
    assert letter.subject == "Alpha: your question"
    assert "Two of them are wings." in letter.text and "three arms" not in letter.text.lower()

    # And she writes again
    more = await ada.http.post(f"/v1/account/support/{asked['id']}/messages", json={"message": "Thank you."})
    assert more.status_code == 201 and more.json()["state"] == "open", more.text
    assert [each["text"] for each in more.json()["entries"]][-1] == "Thank you."
    listed = (await ada.http.get("/v1/account/support")).json()["items"]
    assert [(each["id"], each["subject"]) for each in listed] == [(asked["id"], "Three arms")]


async def test_without_an_account_a_token_opens_the_question_and_nothing_else_does(site: Site) -> None:
    eve = site.visitor()

    asked = await ask(eve, email=EVE, locale="de")

    path, token = f"/v1/support/{asked['id']}", {"Support-Token": asked["token"]}
    assert (await eve.http.get(path, headers=token)).json()["entries"][0]["text"] == QUESTION["message"]
    for wrong in ({"Support-Token": "spt_wrong"}, {}):
        assert (await eve.http.get(path, headers=wrong)).status_code in (400, 404)
    assert (await reply(site, asked["id"])).status_code == 201
    await site.settled()
    (letter,) = site.mailer.sent_to(EVE)
    assert letter.subject == "Alpha: deine Frage" and "Two of them are wings." in letter.text
    assert (await at_the_desk(site, asked["id"]))["contact"] == "e***@e***.org"
    more = await eve.http.post(f"{path}/messages", json={"message": "Thank you."}, headers=token)
    assert more.status_code == 201 and more.json()["state"] == "open"
    closed = await eve.http.post(f"{path}/close", headers=token)
    assert closed.status_code == 200 and closed.json()["state"] == "closed"


async def test_what_is_written_is_encrypted_with_a_key_of_its_owners(site: Site) -> None:
    ada, eve = await site.person(), site.visitor()
    questions = [(await ask(ada))["id"], (await ask(eve, email=EVE))["id"]]
    for question in questions:
        assert (await reply(site, question, "A private answer.")).status_code == 201

    async with site.platform.database.read() as reader:
        rows = await reader.rows("SELECT contact, subject FROM support_question")
        texts = await reader.rows("SELECT text FROM support_entry")

    sealed = [bytes(value) for row in (*rows, *texts) for value in row.values() if value is not None]
    assert len(sealed) == 3 + 4
    for word in (b"arms", b"example", b"private"):
        assert not any(word in value for value in sealed)
    cipher = site.platform.cipher
    assert await cipher.open(ada.account_id, "subject", bytes(rows[0]["subject"])) == "Three arms"
    assert await cipher.open(questions[1], "contact", bytes(rows[1]["contact"])) == EVE


async def test_operators_list_by_state_in_pages(site: Site) -> None:
    ada = await site.person()
    ids = [(await ask(ada))["id"] for _ in range(3)]
    assert (await reply(site, ids[1])).status_code == 201
    assert (await decide(site, ids[2], "close")).status_code == 200
    desk = site.visitor().http

    async def listed(query: str) -> tuple[list[str], str | None]:
        answer = await desk.get(f"/admin/v1/support{query}", headers=operator(site))
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]], answer.json()["next_cursor"]

    for state, expected in (("open", ids[:1]), ("answered", ids[1:2]), ("closed", ids[2:])):
        assert (await listed(f"?state={state}"))[0] == expected
    first, cursor = await listed("?limit=2")
    rest, end = await listed(f"?limit=2&cursor={cursor}")
    assert sorted([*first, *rest]) == sorted(ids) and end is None


async def test_only_open_questions_are_answered_and_only_closed_ones_opened_again(site: Site) -> None:
    ada = await site.person()
    question = (await ask(ada))["id"]

    assert (await decide(site, question, "reopen")).json()["code"] == "question_not_closed"
    assert (await decide(site, question, "close")).json()["state"] == "closed"
    assert (await decide(site, question, "close")).json()["state"] == "closed"
    late = await reply(site, question)
    assert (late.status_code, late.json()["code"]) == (409, "question_closed")
    assert (await decide(site, question, "reopen")).json()["state"] == "open"
    assert (await reply(site, question)).status_code == 201
    await site.settled()
    steps = [each["action"] for each in (await own(ada, question))["entries"]]
    assert steps == ["asked", "closed", "reopened", "answered"]
    letters = [each.text for each in site.mailer.sent_to(ada.email) if "question" in each.subject]
    assert ["has been closed" in text for text in letters] == [True, False]


async def test_nobody_else_reaches_a_question(site: Site) -> None:
    await site.apply_brand("beta", host="beta.test")
    ada, ben = await site.person(), await site.person()
    other = await site.person(brand="beta", host="beta.test")
    question = (await ask(ada))["id"]
    anonymous = await ask(site.visitor(), email=EVE)

    for person in (ben, other):
        for method, path, body in (
            ("GET", "", None),
            ("POST", "/messages", {"message": "Mine!"}),
            ("POST", "/close", None),
            ("DELETE", "", None),
        ):
            for asked in (question, anonymous["id"]):
                answer = await person.http.request(method, f"/v1/account/support/{asked}{path}", json=body)
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (method, path)
        assert (await person.http.get("/v1/account/support")).json()["items"] == []
    # A token opens neither what is an account's, nor anything of another brand
    for host, asked in ((None, question), ("beta.test", anonymous["id"])):
        answer = await site.visitor(host).http.get(
            f"/v1/support/{asked}", headers={"Support-Token": anonymous["token"]}
        )
        assert answer.status_code == 404
    for method, path in (
        ("GET", ""),
        ("POST", "/reveal"),
        ("POST", "/answers"),
        ("POST", "/close"),
        ("POST", "/reopen"),
    ):
        answer = await site.visitor().http.request(
            method,
            f"/admin/v1/support/{question}{path}",
            json={"/answers": {"message": "Who is this?"}, "/reveal": {"reason": "to_answer"}}.get(path),
            headers=operator(site, "beta"),
        )
        assert answer.status_code == 404, (method, path)
    assert (await own(ada, question))["state"] == "open"


async def test_a_repeated_request_asks_and_answers_once(site: Site) -> None:
    ada = await site.person()
    key = {"Idempotency-Key": "once"}

    for who, more in ((ada, {}), (site.visitor(), {"email": EVE})):
        first, second = await try_ask(who, headers=key, **more), await try_ask(who, headers=key, **more)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json()["id"] == second.json()["id"] and second.json()["token"] is None
        reused = await try_ask(who, headers=key, **more, subject="Another")
        assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    question = (await ada.http.get("/v1/account/support")).json()["items"][0]["id"]
    for _ in range(2):
        said = await ada.http.post(
            f"/v1/account/support/{question}/messages", json={"message": "Also:"}, headers={"Idempotency-Key": "also"}
        )
        assert said.status_code == 201
        answered = await site.visitor().http.post(
            f"/admin/v1/support/{question}/answers",
            json={"message": "Wings."},
            headers={**operator(site), "Idempotency-Key": "wings"},
        )
        assert answered.status_code == 201
    assert [each["action"] for each in (await own(ada, question))["entries"]] == ["asked", "added", "answered"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": None}, "contact_missing"),
        ({"email": "no address"}, "invalid_email"),
        ({"subject": " "}, "invalid_input"),
        ({"subject": "two\nlines"}, "invalid_input"),
        ({"message": "\u0007"}, "invalid_input"),
        ({"message": "x" * 4001}, "invalid_request"),
        ({"category": "gossip"}, "invalid_request"),
        ({"unknown": 1}, "invalid_request"),
    ],
)
async def test_what_is_no_question_is_refused(site: Site, body: dict[str, object], code: str) -> None:
    answer = await try_ask(site.visitor(), **{"email": EVE, **body})

    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text
    assert (await site.visitor().http.post("/v1/support", content=b"{")).json()["code"] == "invalid_request"


async def test_an_account_is_answered_at_its_own_address_and_questions_are_limited(site: Site) -> None:
    ada = await site.person()

    elsewhere = await try_ask(ada, email=EVE)

    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "contact_not_needed")
    answers = [await try_ask(ada) for _ in range(20)]
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many_requests")
    eve = site.visitor()
    statuses = [(await try_ask(eve, email=EVE)).status_code for _ in range(21)]
    assert statuses == [201] * 20 + [429]


async def test_a_browsers_session_counts_and_wants_its_csrf_token(site: Site) -> None:
    browser = site.visitor()
    assert (await browser.http.post("/v1/signin/codes", json={"email": "bea@example.org"})).status_code == 202
    code = next(word for word in site.mailer.sent_to("bea@example.org")[-1].text.split() if word.strip(".").isdigit())
    signed_in = await browser.http.post(
        "/v1/signin", json={"email": "bea@example.org", "code": code.strip("."), "session": "cookie"}
    )
    assert signed_in.status_code == 201, signed_in.text

    without = await try_ask(browser)
    asked = await try_ask(browser, headers={"X-CSRF-Token": signed_in.json()["csrf_token"]})

    assert (without.status_code, without.json()["code"]) == (403, "csrf_token_missing")
    assert asked.status_code == 201 and asked.json()["token"] is None
    assert len((await browser.http.get("/v1/account/support")).json()["items"]) == 1

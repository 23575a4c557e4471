"""What people ask for by right beside erasure, and how an operator answers."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from statuette.testing import FrozenClock
from statuette.testing.scripted_image import Hang
from tests.commands import statuette
from tests.integration.rights.people import ask, change_address, confirm, try_ask
from tests.integration.road.faults import count, until
from tests.profiles import Profile
from tests.site import Site, Visitor, serving


async def operator(site: Site, method: str, path: str = "", **body: Any) -> httpx.Response:
    key = {"Authorization": f"Bearer {site.secret_keys['alpha']}"}
    async with httpx.AsyncClient(base_url=site.url, headers=key) as http:
        return await http.request(
            method, f"/admin/v1/privacy-requests{path}", **({"json": body} if method == "POST" else {})
        )


@pytest.mark.rule("right.restriction")
async def test_a_restriction_stops_every_use_and_keeps_everything_until_it_is_taken_back(site: Site) -> None:
    # Given a job under way, and a saved photo
    person = await site.person()
    photo = await person.upload()
    await person.http.put(f"/v1/uploads/{photo['id']}/saved")
    site.scripted.script(Hang())
    job = await person.order(photo["id"])
    await site.scripted.wait_for_calls(1)

    # When its owner has all use restricted
    request = await ask(person, "restriction")

    # Then it ends, nothing new begins, and what is there is still theirs to see
    assert request["state"] == "in_force"
    assert (await person.finished(job["id"]))["state"] == "canceled"
    refused = await person.try_order(photo["id"])
    assert (refused.status_code, refused.json()["code"]) == (403, "processing_stopped")
    assert refused.json()["attributes"] == {"purpose": "generation", "reason": "restriction"}
    assert (await person.http.get(f"/v1/uploads/{photo['id']}")).status_code == 200

    # Until they say otherwise
    taken_back = await person.http.post(f"/v1/account/requests/{request['id']}/cancel")
    assert taken_back.json()["state"] == "canceled"
    assert (await person.finished((await person.order(photo["id"]))["id"]))["state"] == "succeeded"


@pytest.mark.rule("right.objection")
async def test_an_objection_stops_one_use_at_once_and_the_operator_decides(site: Site) -> None:
    person = await site.person()
    photo = await person.upload()
    request = await ask(person, "objection", purpose="generation", statement="I would rather not.")
    assert request["state"] == "open"
    assert (await person.try_order(photo["id"])).json()["code"] == "processing_stopped"

    # A refusal has a reason, which the person sees, and lets the use go on
    answer = await operator(site, "POST", f"/{request['id']}/refuse", reason="needed_for_contract")
    assert (answer.status_code, answer.json()["state"]) == (200, "refused")
    seen = (await person.http.get(f"/v1/account/requests/{request['id']}")).json()
    assert (seen["state"], seen["reason"]) == ("refused", "needed_for_contract")
    assert [step["action"] for step in seen["steps"]] == ["asked", "refused"]
    assert (await person.try_order(photo["id"])).status_code == 202

    # One that is met stays in force
    second = await ask(person, "objection", purpose="generation")
    assert (await operator(site, "POST", f"/{second['id']}/complete")).json()["state"] == "in_force"
    assert (await person.try_order(photo["id"])).json()["code"] == "processing_stopped"


async def test_a_withdrawal_is_a_decision_like_any_other(site: Site) -> None:
    person = await site.person()

    request = await ask(person, "withdrawal", purpose="generation")

    assert request["state"] == "completed"
    consents = (await person.http.get("/v1/account/consents")).json()["items"]
    assert [each["granted"] for each in consents if each["purpose"] == "generation"] == [False]
    for body, code in (({}, "purpose_missing"), ({"purpose": "nothing_of_ours"}, "not_found")):
        assert (await try_ask(person, "withdrawal", **body)).json()["code"] == code
    assert (await try_ask(person, "withdrawal", purpose="billing")).json()["code"] == "purpose_not_optional"


async def test_what_a_person_wrote_is_read_with_a_reason_which_they_see(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    request = await ask(person, "correction", statement="My name is spelt Ada.")
    shown = (await operator(site, "GET", f"/{request['id']}")).json()
    assert (shown["has_statement"], "spelt Ada" in json.dumps(shown)) == (True, False)

    clock.advance(timedelta(minutes=1))
    unexplained = await operator(site, "POST", f"/{request['id']}/reveal")
    revealed = await operator(site, "POST", f"/{request['id']}/reveal", reason="to_correct_it")

    assert unexplained.status_code == 400
    assert revealed.json() == {"statement": "My name is spelt Ada."}
    seen = (await person.http.get(f"/v1/account/requests/{request['id']}")).json()
    assert [(step["action"], step["reason"]) for step in seen["steps"]] == [
        ("asked", None),
        ("revealed", "to_correct_it"),
    ]
    async with site.platform.database.read() as reader:
        stored = await reader.value("SELECT statement FROM privacy_request WHERE id = :id", id=request["id"])
    assert b"spelt" not in bytes(stored)


async def test_more_time_is_taken_once_and_only_while_there_is_some(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    request = await ask(person, "correction")

    extended = await operator(site, "POST", f"/{request['id']}/extend", reason="complex", days=20)
    again = await operator(site, "POST", f"/{request['id']}/extend", reason="complex", days=20)

    assert extended.json()["due_at"] > request["due_at"]
    assert (again.status_code, again.json()["code"]) == (409, "cannot_extend_request")
    await site.settled()
    letters = site.mailer.sent_to(person.email)
    assert letters[-1].idempotency_key == f"{request['id']}:extended"
    late = await ask(person, "objection", purpose="security")
    clock.advance(timedelta(days=32))
    too_late = await operator(site, "POST", f"/{late['id']}/extend", reason="complex", days=20)
    assert (too_late.status_code, too_late.json()["code"]) == (409, "cannot_extend_request")


@pytest.mark.rule("right.correction")
async def test_a_request_that_nobody_answers_becomes_a_finding_before_and_after_its_date(
    site: Site, clock: FrozenClock
) -> None:
    person = await site.person()
    request = await ask(person, "correction")

    async def told(code: str) -> bool:
        return (
            await count(
                site,
                "SELECT COUNT(*) AS n FROM finding WHERE code = :code AND subject = :id",
                code=code,
                id=request["id"],
            )
            == 1
        )

    await site.platform.rights.warn()
    assert not await told("privacy_request_due_soon")
    clock.advance(timedelta(days=25))
    await until(lambda: told("privacy_request_due_soon"), clock)
    assert not await told("privacy_request_overdue")
    clock.advance(timedelta(days=7))
    await until(lambda: told("privacy_request_overdue"), clock)

    assert (await operator(site, "GET")).json()["items"][0]["overdue"] is True
    await operator(site, "POST", f"/{request['id']}/complete")
    assert (await operator(site, "GET")).json()["items"] == []
    assert len((await operator(site, "GET", "?closed=true")).json()["items"]) == 1
    over = await operator(site, "POST", f"/{request['id']}/refuse", reason="too_late")
    assert (over.status_code, over.json()["code"]) == (409, "request_is_over")


async def test_an_operator_answers_by_command(tmp_path: Path, profile: Profile) -> None:
    # By the machine's own time, since a command has no other.
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        await _answered_by_command(site)


async def _answered_by_command(site: Site) -> None:
    person: Visitor = await site.person()
    first, second, third = [
        await ask(person, kind, purpose="security") for kind in ("correction", "objection", "restriction")
    ]

    listed = json.loads(await _command(site, "list", "alpha", "--json"))
    await _command(site, "extend", "alpha", first["id"], "--days", "5", "--reason", "complex", "--by", "ada")
    await _command(site, "complete", "alpha", first["id"], "--by", "ada")
    refused = await _command(site, "refuse", "alpha", second["id"], "--reason", "needed", "--by", "ada")
    shown = json.loads(await _command(site, "show", "alpha", first["id"], "--json"))

    assert {each["id"] for each in listed} == {second["id"], first["id"]}
    assert [(step["action"], step["actor"]) for step in shown["steps"]][1:] == [
        ("extended", "ada"),
        ("completed", "ada"),
    ]
    assert "refused  by ada  needed" in refused
    assert third["state"] == "in_force"
    assert "Nobody waits" in await _command(site, "list", "alpha")
    assert "error:" in await _command(site, "complete", "alpha", first["id"], code=2)
    assert "error:" in await _command(site, "refuse", "alpha", first["id"], "--reason", "Free text!", code=2)


async def _command(site: Site, *arguments: str, code: int = 0) -> str:
    done = await statuette(site, "privacy", "requests", *arguments, code=code)
    return done.stdout + done.stderr


async def test_an_address_is_changed_with_a_word_from_both_and_what_it_was_stays_on_record(
    site: Site, clock: FrozenClock
) -> None:
    person, other = await site.person(), await site.person()
    old = person.email
    clock.advance(timedelta(minutes=11))

    # Not without a fresh code to the old address, not with a wrong one to the new, not to somebody else's
    assert (await change_address(person, "new@example.org")).json()["code"] == "identity_not_confirmed"
    await confirm(person)
    wrong = await person.http.put("/v1/account/email", json={"email": "new@example.org", "code": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "signin_failed")
    taken = await change_address(person, other.email)
    assert (taken.status_code, taken.json()["code"]) == (409, "address_taken")
    assert (await person.http.get("/v1/account")).json()["email"] == old

    # With both it is changed
    changed = await change_address(person, "new@example.org")
    assert (changed.status_code, changed.json()["state"], changed.json()["purpose"]) == (200, "completed", "email")
    assert (await person.http.get("/v1/account")).json()["email"] == "new@example.org"

    # The old address hears of it, and cannot sign in to this account any more
    await site.settled()
    letter = site.mailer.sent_to(old)[-1]
    assert letter.idempotency_key == f"{changed.json()['id']}:completed"
    assert "new@example.org" not in letter.text
    again = site.visitor()
    await again.sign_in(old)
    assert again.account_id != person.account_id

    # What it was is kept, encrypted, with the account
    async with site.platform.database.read() as reader:
        (row,) = await reader.rows(
            "SELECT statement, contact FROM privacy_request WHERE id = :id", id=changed.json()["id"]
        )
    assert (
        await site.platform.cipher.open(person.account_id, "statement", bytes(row["statement"])) == f"until now: {old}"
    )
    assert row["contact"] is None

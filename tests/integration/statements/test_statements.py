"""What people state: that they are adults, that they accept the terms, that they may use a photo; and again when words change."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from statuette.kernel.domain.statements import words
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

TERMS = 'terms = {{ url = "https://alpha.example/terms", version = "{}" }}'


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand(adults_only=True)
        yield site


class Newcomer:
    """Somebody with a mailed code in hand."""

    def __init__(self, visitor: Visitor, email: str, code: str) -> None:
        self.visitor = visitor
        self._body = {"email": email, "code": code}

    async def answer(self, **body: Any) -> httpx.Response:
        response = await self.visitor.http.post("/v1/signin", json={**self._body, **body})
        if response.status_code == 201:
            self.visitor.account_id = response.json()["account_id"]
            self.visitor.http.headers["Authorization"] = f"Bearer {response.json()['token']}"
        return response


async def newcomer(site: Site, email: str = "ada@example.org") -> Newcomer:
    visitor = site.visitor()
    assert (await visitor.http.post("/v1/signin/codes", json={"email": email})).status_code == 202
    code = re.search(r"(?<!\d)(\d{6})(?!\d)", site.mailer.sent_to(email)[-1].text)
    assert code is not None
    return Newcomer(visitor, email, code.group(1))


async def shown(site: Site, query: str = "") -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in (await site.visitor().http.get(f"/v1/statements{query}")).json()["items"]}


async def mine(person: Visitor) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in (await person.http.get("/v1/account/statements")).json()["items"]}


async def records(person: Visitor) -> list[dict[str, Any]]:
    history = (await person.http.get("/v1/account/consents/history")).json()["items"]
    return [each for each in history if each["purpose"].startswith("statement.")]


async def test_no_account_is_made_for_somebody_who_does_not_say_that_they_are_an_adult(site: Site) -> None:
    ada = await newcomer(site)

    refused = await ada.answer()
    also = await ada.answer(statements={"terms": None})

    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["retryable"]) == (403, "statements_missing", False)
    assert also.json()["code"] == "statements_missing"
    (missing,) = problem["attributes"]["statements"]
    assert missing == {name: (await shown(site))["adult"][name] for name in ("id", "text", "digest")}
    async with site.platform.database.read() as reader:
        assert await reader.value("SELECT COUNT(*) AS n FROM account") == 0

    # The same code is still good, and what was said is on record with the words.
    entered = await ada.answer(statements={"adult": missing["digest"]})
    assert (entered.status_code, entered.json()["created"]) == (201, True)
    (record,) = await records(ada.visitor)
    assert (record["purpose"], record["statement"]) == ("statement.adult", missing["text"])
    assert (record["collection_method"], record["event"]["event_state"]) == ("signin", "given")


async def test_words_that_are_not_in_force_are_not_taken_for_those_that_are(site: Site) -> None:
    ada = await newcomer(site)

    refused = await ada.answer(statements={"adult": "sha256:" + "0" * 64})

    assert (refused.status_code, refused.json()["code"]) == (409, "statement_outdated")
    german = (await shown(site, "?locale=de-AT"))["adult"]
    assert german["locale"] == "de"
    assert (await ada.answer(statements={"adult": german["digest"]}, locale="en")).status_code == 201
    (record,) = await records(ada.visitor)
    assert (record["statement"], record["language"]) == (german["text"], "de")


async def test_who_has_an_account_is_let_in_and_states_it_once(site: Site) -> None:
    ada = await newcomer(site)
    assert (await ada.answer(statements={"adult": None})).status_code == 201

    again = await newcomer(site)
    assert (await again.answer()).json()["created"] is False
    once_more = await newcomer(site)
    assert (await once_more.answer(statements={"adult": None})).status_code == 201

    assert len(await records(once_more.visitor)) == 1


async def test_an_account_from_before_neither_uploads_nor_orders_until_it_has_stated_it(site: Site) -> None:
    # Given somebody who came, and uploaded, before the brand asked
    await site.apply_brand(adults_only=False, more='children_depicted = "refused"')
    ada = await site.person()
    photo = await ada.upload()
    await site.apply_brand(adults_only=True)

    # When they go on
    upload, order = await ada.try_upload(), await ada.try_order(photo["id"])

    # Then they are asked, and what is theirs stays open to them
    assert [(each.status_code, each.json()["code"]) for each in (upload, order)] == [(403, "statements_missing")] * 2
    assert (await ada.http.get(f"/v1/uploads/{photo['id']}")).status_code == 200
    assert (await mine(ada))["adult"]["made"] is False
    stated = await ada.http.put("/v1/account/statements/adult", json={})
    assert stated.status_code == 200 and stated.json()["made"] is True
    await ada.upload()
    assert (await ada.finished((await ada.order(photo["id"]))["id"]))["state"] == "succeeded"


async def test_other_terms_are_accepted_anew(site: Site) -> None:
    await site.apply_brand(more=TERMS.format("1"))
    ada = await newcomer(site)
    first = (await shown(site))["terms"]
    assert (await ada.answer(statements={"terms": first["digest"]})).status_code == 201
    await ada.visitor.agree()
    await ada.visitor.upload()

    await site.apply_brand(more=TERMS.format("2"))

    refused = await ada.visitor.try_upload()
    assert refused.json()["code"] == "statements_missing"
    again = (await mine(ada.visitor))["terms"]
    assert (again["made"], again["ask_again"], again["url"]) == (False, True, "https://alpha.example/terms")
    stale = await ada.visitor.http.put("/v1/account/statements/terms", json={"digest": first["digest"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "statement_outdated")
    assert (
        await ada.visitor.http.put("/v1/account/statements/terms", json={"digest": again["digest"]})
    ).status_code == 200
    await ada.visitor.upload()
    assert [each["statement"][-30:] for each in await records(ada.visitor)] == [
        each["text"][-30:] for each in (again, first)
    ]


async def test_a_photo_whose_statement_is_worded_anew_serves_no_job_until_it_is_made_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.apply_brand()
    ada = await site.person()
    old = (await shown(site))["depicted"]
    photo = await ada.upload(statement_digest=old["digest"])
    assert photo["restate"] is False

    monkeypatch.setattr(words, "_DEPICTED", ("Everybody in it agreed.", "Alle darauf haben zugestimmt."))

    refused = await ada.try_order(photo["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "upload_statement_outdated")
    assert (await ada.http.get(f"/v1/uploads/{photo['id']}")).json()["restate"] is True
    other = await ada.try_upload(statement_digest=old["digest"])
    assert (other.status_code, other.json()["code"]) == (409, "statement_outdated")

    # When they say so in the new words
    stated = await ada.http.put(
        f"/v1/uploads/{photo['id']}/statement", json={"digest": other.json()["attributes"]["digest"]}
    )
    assert stated.status_code == 200 and stated.json()["restate"] is False
    assert (await ada.finished((await ada.order(photo["id"]))["id"]))["state"] == "succeeded"


async def test_nobody_states_anything_about_a_photo_of_somebody_else(site: Site) -> None:
    await site.apply_brand()
    ada, eve = await site.person(), await site.person()
    photo = await ada.upload()

    assert (await eve.http.put(f"/v1/uploads/{photo['id']}/statement", json={})).status_code == 404
    assert (await eve.http.put("/v1/account/statements/terms", json={})).status_code == 404
    assert (await eve.http.put("/v1/account/statements/depicted", json={})).status_code == 404

"""Consent as front ends see it: texts in a person's language, decisions, their record, and the browser's signal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from statuette.errors import ConfigurationError
from statuette.kernel.domain.brands import flow as brands
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

NO = {"Sec-GPC": "1"}


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand(more='purposes = ["marketing"]')
        yield site


async def signed_in(site: Site) -> Visitor:
    visitor = site.visitor()
    await visitor.sign_in("ada@example.org")
    return visitor


async def consents(person: Visitor, query: str = "") -> dict[str, dict[str, Any]]:
    listed = await person.http.get(f"/v1/account/consents{query}")
    assert listed.status_code == 200, listed.text
    return {item["purpose"]: item for item in listed.json()["items"]}


async def decide(person: Visitor, purpose: str, granted: bool, **headers: str) -> dict[str, Any]:
    response = await person.http.put(f"/v1/account/consents/{purpose}", json={"granted": granted}, headers=headers)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_an_optional_purpose_is_there_only_for_brands_that_offer_it(site: Site) -> None:
    await site.apply_brand("beta", host="beta.test")
    ada = await signed_in(site)
    other = site.visitor("beta.test")
    await other.sign_in("ada@example.org")

    assert (await consents(ada))["marketing"]["granted"] is False
    assert "marketing" not in await consents(other)
    assert (await other.http.put("/v1/account/consents/marketing", json={"granted": True})).status_code == 404


async def test_texts_come_in_the_language_asked_for_else_in_that_of_the_account_else_in_english(site: Site) -> None:
    ada = await signed_in(site)

    shown = (await site.visitor().http.get("/v1/consents/texts?locale=de-AT")).json()
    english = await consents(ada)
    assert (await ada.http.patch("/v1/account", json={"locale": "de"})).status_code == 200
    german = await consents(ada)

    assert shown["locales"] == ["en", "de"]
    texts = {item["purpose"]: item for item in shown["items"]}
    assert texts["generation"]["locale"] == "de" and "Figur" in texts["generation"]["statement"]
    assert english["generation"]["locale"] == "en"
    assert german["generation"]["statement"] == texts["generation"]["statement"]
    assert german["generation"]["statement_digest"] == texts["generation"]["statement_digest"]
    assert german["generation"]["statement_digest"] != english["generation"]["statement_digest"]
    # A language that nobody worded a purpose in: each says what language it is in.
    assert (await consents(ada, "?locale=fi"))["generation"]["locale"] == "en"
    assert (await consents(ada, "?locale=en"))["generation"] == english["generation"]


async def test_the_record_says_what_was_shown_when_where_and_by_whom_it_was_decided(site: Site) -> None:
    ada = await signed_in(site)
    await decide(ada, "generation", True, **{"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"})
    await decide(ada, "generation", False, **{"Accept-Language": "en"})
    await decide(ada, "marketing", True)

    first = (await ada.http.get("/v1/account/consents/history?limit=2")).json()
    rest = (await ada.http.get(f"/v1/account/consents/history?limit=2&cursor={first['next_cursor']}")).json()

    records = [*first["items"], *rest["items"]]
    assert [(each["purpose"], each["event"]["event_state"]) for each in records] == [
        ("marketing", "given"),
        ("generation", "withdrawn"),
        ("generation", "given"),
    ]
    assert rest["next_cursor"] is None
    given = records[2]
    texts = (await site.visitor().http.get("/v1/consents/texts?locale=de")).json()
    shown = {item["purpose"]: item for item in texts["items"]}["generation"]
    assert given["schema_version"] == "ISO/IEC TS 27560:2023"
    assert given["statement"] == shown["statement"] and given["statement_digest"] == shown["statement_digest"]
    assert given["language"] == "de"
    assert given["privacy_notice"] == texts["policy_digest"]
    assert given["pii_principal_id"] == given["event"]["entity_id"] == ada.account_id
    assert given["pii_controller"] == "Alpha Ltd"
    assert given["lawful_basis"] == "consent"
    assert given["collection_method"] == "api"
    assert given["event"]["event_type"] == "explicit"
    only = (await ada.http.get("/v1/account/consents/history?purpose=marketing")).json()["items"]
    assert [each["record_id"] for each in only] == [records[0]["record_id"]]


async def test_the_browsers_signal_declines_at_once_on_any_request_and_is_a_record_of_its_own(site: Site) -> None:
    ada = await signed_in(site)
    await decide(ada, "marketing", True)
    assert (await consents(ada))["marketing"]["granted"] is True

    assert (await ada.http.get("/v1/credits", headers=NO)).status_code == 200

    assert (await consents(ada))["marketing"]["granted"] is False
    (record, *_) = (await ada.http.get("/v1/account/consents/history?purpose=marketing")).json()["items"]
    assert record["event"]["event_type"] == "signal" and record["event"]["entity_id"] == "browser"
    assert record["collection_method"] == "sec-gpc"


async def test_only_the_value_one_is_a_signal(site: Site) -> None:
    ada = await signed_in(site)
    await decide(ada, "marketing", True)

    for value in ("0", "", "true", "11"):
        await ada.http.get("/v1/credits", headers={"Sec-GPC": value})

    assert (await consents(ada))["marketing"]["granted"] is True


async def test_a_person_who_says_yes_after_the_signal_means_it(site: Site) -> None:
    ada = await signed_in(site)
    await ada.http.get("/v1/credits", headers=NO)

    assert (await decide(ada, "marketing", True, **NO))["granted"] is True

    # As another process would, which has not heard of it yet
    site.platform.consents._heard.clear()
    await ada.http.get("/v1/credits", headers=NO)
    assert (await consents(ada))["marketing"]["granted"] is True


async def test_signing_in_with_the_signal_counts(site: Site) -> None:
    visitor = site.visitor()
    visitor.http.headers["Sec-GPC"] = "1"
    await visitor.sign_in("eve@example.org")
    del visitor.http.headers["Sec-GPC"]

    history = (await visitor.http.get("/v1/account/consents/history")).json()["items"]

    assert {(each["purpose"], each["event"]["event_type"]) for each in history} == {
        ("analytics", "signal"),
        ("marketing", "signal"),
    }


async def test_a_purpose_that_cannot_be_offered_is_named_with_its_line(site: Site) -> None:
    with pytest.raises(ConfigurationError, match=r"alpha\.toml:1.*'marketting'"):
        path = site.folder / "alpha.toml"
        path.write_text(path.read_text().replace('purposes = ["marketing"]', 'purposes = ["marketting"]'))
        await brands.apply_brands(site.platform.database, site.platform.plugins, [path], dry_run=True)

"""A version of the policy is published: posted, mailed to every account, once, whatever crashes, and asked about again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from statuette.kernel.domain.notices import announcing, service
from statuette.ports.mail import MailRefused, Message
from statuette.ports.processor import Processor
from tests.integration.road.faults import until
from tests.profiles import Profile
from tests.publishing import publish_first, reword
from tests.site import Site, Visitor, serving


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        await publish_first(site)
        yield site


async def published(site: Site, number: int) -> bool:
    versions = (await site.visitor().http.get("/v1/policy/versions")).json()["items"]
    return bool(versions) and versions[0]["number"] == number


def operator(site: Site) -> dict[str, str]:
    return {"Authorization": f"Bearer {site.secret_keys['alpha']}"}


async def publish(site: Site) -> dict[str, Any]:
    http = site.visitor().http
    pending = (await http.get("/admin/v1/policy/pending", headers=operator(site))).json()
    assert pending["needed"], pending
    response = await http.post("/admin/v1/policy/versions", json={"digest": pending["digest"]}, headers=operator(site))
    assert response.status_code == 201, response.text
    return dict(response.json())


async def letters(site: Site, number: int) -> dict[str, Any]:
    response = await site.visitor().http.get(f"/admin/v1/policy/versions/{number}/letters", headers=operator(site))
    assert response.status_code == 200, response.text
    return dict(response.json()["letters"])


async def announced(site: Site, number: int = 2) -> bool:
    told = await letters(site, number)
    return told["prepared_at"] is not None and told["queued"] == 0


def of_change(person: Visitor) -> list[Message]:
    return [each for each in person.site.mailer.sent_to(person.email) if each.idempotency_key.startswith("brd_")]


async def test_a_brands_first_version_is_published_by_itself_and_nobody_is_written_to(site: Site) -> None:
    ada = await site.person()

    (version,) = (await ada.http.get("/v1/policy/versions")).json()["items"]
    detail = (await ada.http.get("/v1/policy/versions/1")).json()

    assert version["change"] == "initial" and version["asks"] == []
    assert detail["differences"] == detail["reworded"] == []
    assert (await letters(site, 1))["queued"] == 0 and of_change(ada) == []
    assert (await ada.http.get("/v1/policy/versions/2")).status_code == 404


async def test_the_notice_is_read_in_each_language_and_form_by_whoever_comes(site: Site) -> None:
    anybody = site.visitor()

    policy = (await anybody.http.get("/v1/policy", headers={"Accept-Language": "de-AT,en;q=0.5"})).json()
    pages = {
        form: await anybody.http.get(f"/v1/policy/notice?format={form}&locale=de") for form in ("html", "md", "json")
    }
    english = await anybody.http.get("/v1/policy/notice?locale=xx")
    linked = await anybody.http.get(policy["version"]["page"])

    assert policy["version"]["number"] == 1 and policy["upcoming"] is None and policy["locales"] == ["de", "en"]
    assert policy["notice"]["locale"] == "de" and policy["notice"]["issuer"]["contact"] == "privacy@alpha.example"
    sentence = policy["notice"]["retention"][0]["sentence"]
    assert pages["json"].json() == policy["notice"]
    assert pages["md"].text.startswith("# Datenschutzerklärung: Alpha") and sentence in pages["md"].text
    assert pages["html"].text.startswith("<!doctype html>") and sentence in pages["html"].text
    assert pages["html"].headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Privacy notice: Alpha</h1>" in english.text == linked.text
    assert english.headers["content-language"] == "en"
    assert (await anybody.http.get("/v1/policy/notice?version=2")).status_code == 404
    assert (await anybody.http.get("/v1/policy/notice?format=pdf")).status_code == 400


async def test_versions_are_compared_in_words_and_rule_by_rule(site: Site) -> None:
    ada = await site.person()
    await reword(site, "billing", statement="Purchases are <b>recorded</b>.")
    await publish(site)

    diff = (await ada.http.get("/v1/policy/diff?old=1&new=2")).json()
    back = (await ada.http.get("/v1/policy/diff?old=2&new=1")).json()
    detail = (await ada.http.get("/v1/policy/versions/2")).json()
    page = (await ada.http.get(diff["new"]["page"])).text
    german = (await ada.http.get("/v1/policy/diff?old=1&new=2&locale=de")).json()

    (words,) = diff["reworded"]
    assert (words["section"], words["id"]) == ("purposes", "billing")
    assert "Purchases are <b>recorded</b>." in words["after"] and "<b>" not in words["before"]
    assert [each["path"] for each in diff["differences"]] == ["purposes.billing.statement"]
    assert (diff["change"], diff["asks"]) == ("editorial", [])
    assert back["reworded"][0]["after"] == words["before"]
    assert detail["reworded"] == diff["reworded"]
    assert "What is different from version 1" in page and "Purchases are &lt;b&gt;recorded&lt;/b&gt;." in page
    assert german["reworded"] == []  # nothing was said otherwise in German
    assert (await ada.http.get("/v1/policy/diff?old=1&new=3")).status_code == 404


async def test_a_version_that_will_hold_later_is_announced_and_does_not_hold_yet(site: Site) -> None:
    ada = await site.person()
    await reword(site, "generation", statement="I agree to more.", statement_in={})
    pending = (await ada.http.get("/admin/v1/policy/pending", headers=operator(site))).json()

    published = await ada.http.post(
        "/admin/v1/policy/versions",
        json={"digest": pending["digest"], "effective_at": "2099-01-01T00:00:00Z"},
        headers=operator(site),
    )

    assert published.status_code == 201, published.text
    policy = (await ada.http.get("/v1/policy")).json()
    assert (policy["version"]["number"], policy["upcoming"]["number"]) == (1, 2)
    assert policy["upcoming"]["effective_at"] == "2099-01-01T00:00:00Z"
    assert "version=2" not in policy["version"]["page"]


async def test_publishing_the_same_again_changes_nothing(site: Site) -> None:
    http = site.visitor().http
    pending = (await http.get("/admin/v1/policy/pending", headers=operator(site))).json()

    again = await http.post("/admin/v1/policy/versions", json={"digest": pending["digest"]}, headers=operator(site))
    other = await http.post("/admin/v1/policy/versions", json={"digest": "sha256:" + "0" * 64}, headers=operator(site))

    assert pending["needed"] is False
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_publish")
    assert (other.status_code, other.json()["code"]) == (409, "published_meanwhile")
    assert await published(site, 1)


@pytest.mark.rule("policy.change")
async def test_every_account_gets_one_letter_in_its_language_and_its_delivery_is_on_record(site: Site) -> None:
    ada, ben = await site.person(), await site.person()
    await ben.http.patch("/v1/account", json={"locale": "de"})
    await reword(site, "billing", statement="Purchases are recorded.")

    version = await publish(site)
    await until(lambda: announced(site))
    late = await site.person()

    detail = (await ada.http.get("/v1/policy/versions/2")).json()
    assert (version["change"], [each["path"] for each in detail["differences"]]) == (
        "editorial",
        ["purposes.billing.statement"],
    )
    (letter,) = of_change(ada)
    assert version["page"] in letter.text and "Alpha" in letter.subject
    assert "List-Unsubscribe" not in letter.headers
    (german,) = of_change(ben)
    assert "Datenschutzerklärung" in german.subject
    assert of_change(late) == []
    told = await letters(site, 2)
    assert (told["sent"], told["queued"], told["not_sent"]) == (2, 0, 0)
    async with site.platform.database.transaction() as tx:
        (record,) = await site.platform.datasets["policy_notices"].handler.export(tx, ada.account_id)
    assert record["state"] == "sent"


async def test_a_letter_that_is_refused_is_recorded_as_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.person()

    async def refuse(_: Message) -> None:
        raise MailRefused()

    monkeypatch.setattr(site.mailer, "send", refuse)
    await reword(site, "billing", title="Money")
    await publish(site)
    await until(lambda: announced(site))

    assert (await letters(site, 2))["refused"] == 1


async def test_batches_that_crash_leave_nobody_out_and_write_to_nobody_twice(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given more accounts than fit a batch, and batches that crash every other time, after their rows were written
    people = [await site.person(credits=0) for _ in range(7)]
    monkeypatch.setattr(announcing, "BATCH", 2)
    monkeypatch.setattr("statuette.kernel.work.runner._backoff", lambda attempts: announcing.timedelta(0))
    announce, tries = service.announce, []

    async def crashing(*arguments: Any, **named: Any) -> None:
        await announce(*arguments, **named)
        tries.append(1)
        if len(tries) % 2:
            raise RuntimeError("killed")

    monkeypatch.setattr(service, "announce", crashing)
    await reword(site, "billing", statement="Purchases are recorded.")

    # When a version is published
    await publish(site)
    await until(lambda: announced(site))

    # Then there is one letter for each
    assert len(tries) == 8
    assert [len(of_change(person)) for person in people] == [1] * 7
    assert (await letters(site, 2))["sent"] == 7


async def test_whoever_agreed_to_less_is_asked_again_and_gets_no_permit_until_they_agree(site: Site) -> None:
    ada = await site.person()
    upload = await ada.upload()

    # When a new receiver turns up: nothing happens until it is published
    changed = Processor("elsewhere", "Elsewhere", "US", ("generation",), site.scripted.processor.categories)
    site.platform.plugins.image_providers["elsewhere"] = _Named(site.scripted, changed)  # type: ignore[assignment]
    assert (await ada.finished((await ada.order(upload["id"]))["id"]))["state"] == "succeeded"
    version = await publish(site)
    assert (version["change"], version["asks"]) == ("ask_again", ["generation"])
    await until(lambda: announced(site))
    await site.platform.brands.refresh()

    # Then everybody is asked again
    refused = await ada.try_order(upload["id"])
    assert (refused.status_code, refused.json()["code"]) == (403, "consent_outdated")
    assert "PUT /v1/account/consents/generation" in refused.json()["cure"]
    listed = {each["purpose"]: each for each in (await ada.http.get("/v1/account/consents")).json()["items"]}
    assert listed["generation"]["ask_again"] is True and listed["generation"]["granted"] is False
    assert "ask you again" in of_change(ada)[0].text
    await ada.agree()
    assert (await ada.finished((await ada.order(upload["id"]))["id"]))["state"] == "succeeded"


async def test_a_receiver_that_was_not_published_gets_nothing_that_rests_on_consent(site: Site) -> None:
    # Given somebody who agreed, and a processor that turned up since behind the model in use
    ada = await site.person()
    upload = await ada.upload()
    swapped = Processor("elsewhere", "Elsewhere", "US", ("generation",), site.scripted.processor.categories)
    site.platform.plugins.image_providers["scripted"] = _Named(site.scripted, swapped)  # type: ignore[assignment]

    job = await ada.finished((await ada.order(upload["id"]))["id"])

    assert (job["state"], job["reason"]) == ("failed", "no_model_left")
    assert site.scripted.calls == []
    assert (await ada.credits())["held"] == 0

    # When it has been published, and they agreed again
    await publish(site)
    await site.platform.brands.refresh()
    assert (await ada.try_order(upload["id"])).json()["code"] == "consent_outdated"
    await ada.agree()
    assert (await ada.finished((await ada.order(upload["id"]))["id"]))["state"] == "succeeded"


async def test_what_is_in_use_and_not_published_is_a_finding(site: Site) -> None:
    await reword(site, "billing", statement="Purchases are recorded.")
    await site.platform.publishing.look()

    found = (await site.visitor().http.get("/admin/v1/findings", headers=operator(site))).json()["items"]

    assert [each["code"] for each in found] == ["policy_not_published"]


async def test_only_a_key_with_the_scope_publishes(site: Site) -> None:
    ada = await site.person()

    for headers in ({}, {"Authorization": ada.http.headers["Authorization"]}):
        answer = await site.visitor().http.get("/admin/v1/policy/pending", headers=headers)
        assert answer.status_code == 401


class _Named:
    """A provider that somebody else is behind."""

    def __init__(self, inner: Any, processor: Processor) -> None:
        self._inner = inner
        self.processor = processor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

"""News goes to those alone who want it, and one click in a letter ends it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from statuette.kernel.domain.news import service
from statuette.ports.mail import MailUnavailable, Message
from tests.integration.road.faults import until
from tests.profiles import Profile
from tests.publishing import publish_first
from tests.site import Site, Visitor, serving

TEXTS = {"en": {"subject": "Clay", "text": "Now in clay."}, "de": {"subject": "Ton", "text": "Jetzt aus Ton."}}


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand(more='purposes = ["marketing"]')
        await publish_first(site)
        yield site


async def wants(person: Visitor, granted: bool = True) -> None:
    said = await person.http.put("/v1/account/consents/marketing", json={"granted": granted})
    assert said.status_code == 200, said.text


async def write(site: Site, brand: str = "alpha", **headers: str) -> httpx.Response:
    return await site.visitor().http.post(
        "/admin/v1/news",
        json={"texts": TEXTS},
        headers={"Authorization": f"Bearer {site.secret_keys[brand]}", **headers},
    )


async def all_sent(site: Site, letter: httpx.Response) -> dict[str, Any]:
    assert letter.status_code == 202, letter.text
    headers = {"Authorization": f"Bearer {site.secret_keys['alpha']}"}

    async def prepared() -> bool:
        told = (await site.visitor().http.get(letter.headers["location"], headers=headers)).json()
        return told["prepared_at"] is not None

    await until(prepared)
    await site.settled()
    return dict((await site.visitor().http.get(letter.headers["location"], headers=headers)).json())


def news(person: Visitor) -> list[Message]:
    return [each for each in person.site.mailer.sent_to(person.email) if each.idempotency_key.startswith("nws_")]


async def test_news_goes_to_those_who_want_it_in_their_language_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    people = [await site.person(credits=0) for _ in range(5)]
    ada, ben, *others = people
    await wants(ada)
    await wants(ben)
    await ben.http.patch("/v1/account", json={"locale": "de"})
    await wants(others[0])
    await wants(others[0], granted=False)

    letter = await write(site, **{"Idempotency-Key": "clay"})
    assert (await write(site, **{"Idempotency-Key": "clay"})).json()["id"] == letter.json()["id"]
    told = await all_sent(site, letter)

    assert told["prepared"] == 2
    assert [len(news(person)) for person in people] == [1, 1, 0, 0, 0]
    assert news(ada)[0].subject == "Clay" and news(ada)[0].text.startswith("Now in clay.")
    assert news(ben)[0].subject == "Ton" and "Keine mehr:" in news(ben)[0].text


async def test_one_click_ends_it_and_is_on_record_and_service_mail_goes_on(site: Site) -> None:
    ada = await site.person()
    await wants(ada)
    await all_sent(site, await write(site))
    (first,) = news(ada)
    address = first.headers["List-Unsubscribe"].strip("<>")
    assert first.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in first.text

    # Given a program that looks at links: nothing has ended
    page = await site.visitor().http.get(address, headers={"Accept-Language": "de"})
    assert page.status_code == 200 and "<button>Keine mehr</button>" in page.text
    assert [len(news(ada)), (await consent_of(ada))["granted"]] == [1, True]

    # When the button in the mail program is pressed, twice
    for _ in range(2):
        done = await site.visitor().http.post(address, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200 and "no more news" in done.text

    # Then there is no more of it, the record says how that came, and what people need still comes
    assert (await consent_of(ada))["granted"] is False
    history = (await ada.http.get("/v1/account/consents/history?purpose=marketing")).json()["items"]
    assert [(each["event"]["event_type"], each["event"]["event_state"]) for each in history] == [
        ("unsubscribe", "withdrawn"),
        ("explicit", "given"),
    ]
    await all_sent(site, await write(site))
    assert len(news(ada)) == 1
    await ada.sign_in(ada.email)

    # And whoever wants it again gets it again
    await wants(ada)
    await all_sent(site, await write(site))
    assert len(news(ada)) == 2


async def consent_of(person: Visitor) -> dict[str, Any]:
    listed = (await person.http.get("/v1/account/consents")).json()["items"]
    return next(each for each in listed if each["purpose"] == "marketing")


async def test_whoever_says_no_while_a_letter_waits_does_not_get_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await site.person()
    await wants(ada)
    tried: list[Message] = []

    async def away(letter: Message) -> None:
        tried.append(letter)
        raise MailUnavailable()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(site.mailer, "send", away)
        letter = await write(site)
        assert letter.status_code == 202
        await until(lambda: _tried(tried))
    await wants(ada, granted=False)
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE work_item SET due_at = :now, sent_at = NULL WHERE actor = 'send_news'", now=tx.now)

    async def over() -> bool:
        async with site.platform.database.read() as reader:
            return not await reader.value("SELECT COUNT(*) AS n FROM work_item WHERE actor = 'send_news'")

    await until(over)
    assert news(ada) == []


async def _tried(tried: list[Message]) -> bool:
    return bool(tried)


async def test_an_address_that_is_forged_or_of_a_gone_account_ends_nothing(site: Site) -> None:
    ada, ben = await site.person(), await site.person()
    await wants(ada)
    await wants(ben)
    await all_sent(site, await write(site))
    found = re.search(r"\S+/unsubscribe/(\S+)", news(ada)[0].text)
    assert found is not None
    address, token = found.group(0), found.group(1)

    flipped = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    for forged in (flipped, "", "x", "ä", token[:20], "A" * 5000):
        answer = await site.visitor().http.post(f"/unsubscribe/{forged}")
        assert answer.status_code in (404, 405, 414), forged
    assert (await consent_of(ada))["granted"] is True and (await consent_of(ben))["granted"] is True

    async with site.platform.database.transaction() as tx:
        await site.platform.datasets["accounts"].handler.erase(tx, ada.account_id)
    before = await decisions(site)
    assert (await site.visitor().http.post(address)).status_code == 200
    assert await decisions(site) == before


async def decisions(site: Site) -> int:
    async with site.platform.database.read() as reader:
        return int(await reader.value("SELECT COUNT(*) AS n FROM consent_record"))


async def test_a_brand_that_asks_nobody_writes_to_nobody(site: Site) -> None:
    await site.apply_brand("beta", host="beta.test")

    refused = await write(site, "beta")
    letter = await write(site)

    assert (refused.status_code, refused.json()["code"]) == (409, "news_not_offered")
    headers = {"Authorization": f"Bearer {site.secret_keys['beta']}"}
    assert (await site.visitor().http.get(letter.headers["location"], headers=headers)).status_code == 404

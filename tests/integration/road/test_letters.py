"""A person who does not want to wait is told by letter how their job ended, and nobody else is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statuette.kernel.enforcement import deadlines
from statuette.kernel.plugins import PluginRegistry
from statuette.policy import Basis
from statuette.ports.image import BlockedInput, GeneratedImage, NoImage, Succeeded
from statuette.testing import FrozenClock
from statuette.testing.pictures import picture_png
from statuette.testing.scripted_image import Hang
from statuette_policies import BASELINE
from tests.integration.road.faults import count, until
from tests.integration.road.letters import (
    Outage,
    findings_about_letters,
    nothing_waits,
    ordered_and_ended,
    put_off,
    told,
)
from tests.profiles import Profile
from tests.site import Site, serving

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        yield site


@pytest.mark.parametrize(
    ("locale", "subject", "words"),
    [
        ("en", "Your order at Alpha", "is ready"),
        ("de-AT", "Deine Bestellung bei Alpha", "ist fertig"),
        ("fr", "Votre commande chez Alpha", "est prête"),
        ("es-MX", "Tu pedido en Alpha", "está lista"),
        ("nl", "Your order at Alpha", "is ready"),
    ],
)
async def test_somebody_who_asked_gets_one_letter_in_their_language(
    site: Site, locale: str, subject: str, words: str
) -> None:
    # Given a person who has told us their language and their name
    person = await site.person()
    await person.http.patch("/v1/account", json={"locale": locale, "name": "Goldfeather"})

    # When they order with a letter, with words of their own on the figurine
    job = await ordered_and_ended(person, variables={"name_text": "Plinth"})
    await until(lambda: nothing_waits(site))

    # Then there is one, with nothing in it of what they wrote or ordered
    (letter,) = told(person)
    assert job["notify"] is True
    assert (letter.subject, letter.sender) == (subject, "Alpha <hello@alpha.example>")
    assert words in letter.text
    assert letter.idempotency_key == f"{job['id']}:ended"
    assert letter.headers["Auto-Submitted"] == "auto-generated"
    for private in ("Goldfeather", "Plinth", "chibi", person.email, job["id"]):
        assert private not in letter.subject + letter.text


async def test_nobody_else_gets_a_letter(site: Site) -> None:
    # Given somebody who waits for the picture, and somebody who has ordered with a letter before
    person = await site.person()
    first = await ordered_and_ended(person)
    await until(lambda: nothing_waits(site))

    # When they order without one, from scratch and once more
    plain = await person.finished((await person.order(first["inputs"][0]["upload_id"]))["id"])
    again = await person.finished((await person.order(parent=first["id"]))["id"])

    # Then no further letter is under way
    assert (plain["notify"], again["notify"]) == (False, False)
    assert await nothing_waits(site)
    assert [letter.idempotency_key for letter in told(person)] == [f"{first['id']}:ended"]


@pytest.mark.parametrize("outcome", [BlockedInput(reason="safety"), NoImage(reason="text_only")])
async def test_a_job_that_came_to_nothing_is_told_with_what_it_cost(site: Site, outcome: Any) -> None:
    # Given a provider that makes no picture
    person = await site.person(credits=5)
    site.scripted.script(outcome)

    # When the job has ended
    await ordered_and_ended(person)
    await until(lambda: nothing_waits(site))

    # Then the letter says so, and tells the truth about the money
    (letter,) = told(person)
    assert "could not be made, and nothing was charged" in letter.text
    assert (await person.credits())["available"] == 5


async def test_a_job_that_failed_with_pictures_is_told_as_ready(site: Site, clock: FrozenClock) -> None:
    # Given a job that has one of its two pictures when it takes longer than any job may
    person = await site.person(credits=5)
    upload = await person.upload()
    one = Succeeded(images=(GeneratedImage("image/png", picture_png()),))
    site.scripted.script(one, Hang())
    order = await person.order(upload["id"], count=2, notify=True)
    await until(lambda: _has_a_picture(site))
    await site.scripted.wait_for_calls(2)

    # When its time is over
    clock.advance(HOUR)
    job = await person.finished(order["id"])
    await until(lambda: nothing_waits(site), clock)

    # Then the letter does not say that nothing was made or charged
    assert (job["state"], job["credits"]["captured"]) == ("failed", 1)
    (letter,) = told(person)
    assert "is ready" in letter.text


async def _has_a_picture(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM figurine WHERE state = 'ready'") == 1


@pytest.mark.parametrize("how", ["by the person", "by taking consent back"])
async def test_a_cancelled_job_is_told_as_cancelled(site: Site, how: str) -> None:
    # Given a job at work
    person = await site.person()
    upload = await person.upload()
    site.scripted.script(Hang())
    order = await person.order(upload["id"], notify=True)
    await site.scripted.wait_for_calls(1)

    # When it is cancelled
    if how == "by the person":
        assert (await person.http.post(f"/v1/generations/{order['id']}/cancel")).status_code == 200
    else:
        await person.agree(granted=False)
    await until(lambda: nothing_waits(site))

    # Then that is what the letter says
    (letter,) = told(person)
    assert "was cancelled" in letter.text


async def test_whoever_has_left_hears_nothing_more(site: Site, clock: FrozenClock) -> None:
    # Given a letter that waits for the mail server
    person = await site.person()
    outage = Outage(site)
    await ordered_and_ended(person)
    await until(lambda: put_off(site))

    # When the account is erased before the server is back
    async with site.platform.database.transaction() as tx:
        assert await deadlines.arm(tx, person.account_id, "account.erase", tx.now + SECOND)
    await site.platform.scheduler.stop()
    clock.advance(HOUR)
    outage.end()
    await site.platform.scheduler.start()
    await until(lambda: nothing_waits(site), clock)

    # Then there is no letter, and nothing for an operator to look at
    assert told(person) == []
    assert await findings_about_letters(site) == []


async def test_a_picture_that_is_deleted_already_is_not_announced(site: Site, clock: FrozenClock) -> None:
    # Given a letter that waits, about a figurine that its owner has seen and deleted
    person = await site.person()
    outage = Outage(site)
    job = await ordered_and_ended(person)
    await until(lambda: put_off(site))
    assert (await person.http.delete(f"/v1/figurines/{job['figurines'][0]['id']}")).status_code == 204

    # When the mail server is back
    outage.end()
    clock.advance(MINUTE)
    await until(lambda: nothing_waits(site), clock)

    # Then nobody is asked to look at it
    assert told(person) == []


async def test_a_stricter_policy_stops_letters_that_were_under_way(
    tmp_path: Path, profile: Profile, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a letter that waits
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        person = await site.person()
        Outage(site)
        await ordered_and_ended(person)
        await until(lambda: put_off(site))

    # When the operator restarts with a policy under which mail needs an agreement that nobody has given
    asked = tuple(
        msgspec.structs.replace(purpose, basis=Basis.consent) if purpose.id == "service_mail" else purpose
        for purpose in BASELINE.catalogue.purposes
    )
    stricter = msgspec.structs.replace(BASELINE, catalogue=msgspec.structs.replace(BASELINE.catalogue, purposes=asked))
    monkeypatch.setattr(PluginRegistry, "policy_packs", property(lambda _: (stricter,)))
    clock.advance(HOUR)
    async with serving(tmp_path, profile, clock=clock) as site:
        await until(lambda: nothing_waits(site), clock)

        # Then the letter is not sent
        assert site.mailer.sent == []
        assert await findings_about_letters(site) == []

"""One test a rule, through the whole platform: what the rule says happens, and would not if nothing carried it out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statuette.kernel.domain.consent import service as consent
from statuette.kernel.enforcement import deadlines
from statuette.kernel.permit import PermitRefused
from statuette.testing import FrozenClock
from tests.integration.road.faults import count, hurry, until
from tests.integration.takedowns import test_takedowns as takedowns
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand(more='purposes = ["improvement", "marketing"]\nsignup_credits = 3')
        hurry(site)
        yield site


async def gone(site: Site, clock: FrozenClock, table: str, prefix: str | None = None) -> None:
    """Wait until no row of the table, and no object of the prefix, is left."""

    async def nothing_left() -> bool:
        objects = [key for key in site.objects() if prefix is not None and key.startswith(prefix)]
        return not objects and await count(site, f"SELECT COUNT(*) AS n FROM {table}") == 0

    await until(nothing_left, clock)


async def made(person: Visitor, upload: str) -> dict[str, Any]:
    """A finished job."""
    return await person.finished((await person.order(upload))["id"])


@pytest.mark.rule("upload.used")
async def test_a_used_photo_goes_an_hour_after_its_job(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    await made(person, (await person.upload())["id"])

    clock.advance(HOUR)

    await gone(site, clock, "upload", "uploads/")


@pytest.mark.rule("upload.unused")
async def test_an_unused_photo_goes_after_a_day(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    await person.upload()

    clock.advance(DAY)

    await gone(site, clock, "upload", "uploads/")


@pytest.mark.rule("upload.saved")
async def test_a_photo_that_is_no_longer_saved_goes_an_hour_later(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    upload = (await person.upload())["id"]
    for method in ("PUT", "DELETE"):
        assert (await person.http.request(method, f"/v1/uploads/{upload}/saved")).status_code in (200, 204)

    clock.advance(HOUR)

    await gone(site, clock, "upload", "uploads/")


@pytest.mark.rule("upload.asked")
async def test_a_photo_goes_when_its_owner_asks_saved_or_not(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    upload = (await person.upload())["id"]
    await person.http.put(f"/v1/uploads/{upload}/saved")

    assert (await person.http.delete(f"/v1/uploads/{upload}")).status_code == 204

    await gone(site, clock, "upload", "uploads/")


@pytest.mark.rule("figurine.keep")
async def test_a_figurine_goes_with_every_size_when_its_owner_asks(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    job = await made(person, (await person.upload())["id"])

    assert (await person.http.delete(f"/v1/figurines/{job['figurines'][0]['id']}")).status_code == 204

    await gone(site, clock, "figurine", "figurines/")


@pytest.mark.rule("account.erase")
async def test_an_account_is_erased_and_its_key_destroyed(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    async with site.platform.database.transaction() as tx:
        assert await deadlines.arm(tx, person.account_id, "account.erase", tx.now + 7 * DAY)

    clock.advance(7 * DAY)

    await gone(site, clock, "account")


@pytest.mark.rule("session.keep")
async def test_a_sign_in_is_forgotten_after_a_month(site: Site, clock: FrozenClock) -> None:
    await site.person()

    clock.advance(30 * DAY + HOUR)

    await gone(site, clock, "session")


@pytest.mark.rule("signin.codes")
async def test_a_sign_in_code_is_removed_after_a_day(site: Site, clock: FrozenClock) -> None:
    await site.visitor().http.post("/v1/signin/codes", json={"email": "ada@example.org"})

    clock.advance(DAY + HOUR)

    await gone(site, clock, "signin_code")


@pytest.mark.rule("idempotency.keep")
async def test_the_note_of_a_request_is_removed_after_a_day(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    assert (await person.try_upload(headers={"Idempotency-Key": "once"})).status_code == 201
    assert await count(site, "SELECT COUNT(*) AS n FROM idempotency_key") >= 1

    clock.advance(DAY + HOUR)

    await gone(site, clock, "idempotency_key")


@pytest.mark.rule("stream_ticket.keep")
async def test_a_ticket_is_removed_after_an_hour(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    job = await made(person, (await person.upload())["id"])
    asked = await person.http.post(f"/v1/generations/{job['id']}/stream-tickets")
    assert asked.status_code == 201, asked.text

    clock.advance(HOUR + HOUR)

    await gone(site, clock, "stream_ticket")


@pytest.mark.rule("takedown.keep")
async def test_a_decided_takedown_is_removed_after_a_year(site: Site, clock: FrozenClock) -> None:
    figurine = await takedowns.figurine_of(await site.person())
    case = await takedowns.asked(site, picture=figurine["id"])
    assert (await takedowns.decide(site, case["id"], "keep")).status_code == 200

    clock.advance(367 * DAY)

    await gone(site, clock, "takedown_case")


@pytest.mark.rule("reveal.keep")
async def test_who_looked_is_forgotten_after_a_year(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    shown = await site.visitor().http.post(
        f"/admin/v1/accounts/{person.account_id}/reveal",
        json={"reason": "to_answer"},
        headers={"Authorization": f"Bearer {site.secret_keys['alpha']}"},
    )
    assert shown.status_code == 200 and await count(site, "SELECT COUNT(*) AS n FROM reveal") == 1

    clock.advance(367 * DAY)

    await gone(site, clock, "reveal")


@pytest.mark.rule("tombstone.keep")
async def test_what_is_remembered_of_an_erased_account_goes_after_two_years(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    async with site.platform.database.transaction() as tx:
        assert await deadlines.arm(tx, person.account_id, "account.erase", tx.now + DAY)
    clock.advance(DAY)
    await gone(site, clock, "account")
    assert await count(site, "SELECT COUNT(*) AS n FROM tombstone") == 1

    clock.advance(2 * 366 * DAY)

    await gone(site, clock, "tombstone")


@pytest.mark.rule("processor.generation")
@pytest.mark.rule("processor.service_mail")
@pytest.mark.rule("processor.marketing")
@pytest.mark.rule("purpose.improvement", "purpose.analytics", "purpose.security")
@pytest.mark.parametrize(
    ("purpose", "category"),
    [
        ("generation", "email"),
        ("service_mail", "photo"),
        ("marketing", "figurine"),
        ("improvement", "photo"),
        ("analytics", "usage_record"),
        ("security", "device"),
    ],
)
async def test_no_purpose_carries_what_its_rule_does_not_name(site: Site, purpose: str, category: str) -> None:
    person = await site.person()
    for optional in ("marketing", "improvement"):
        await person.http.put(f"/v1/account/consents/{optional}", json={"granted": True})
    (brand,) = site.platform.brands.loaded()

    async with site.platform.database.read() as reader:
        with pytest.raises(PermitRefused):
            await consent.mint_permit(
                reader,
                brand_id=brand.id,
                account_id=person.account_id,
                purpose=purpose,
                categories={category},
                policy=brand.policy,
            )


@pytest.mark.rule("processor.generation")
async def test_a_model_that_does_not_declare_photos_gets_none(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await site.person()
    upload = (await person.upload())["id"]
    no_photos = msgspec.structs.replace(site.scripted.processor, categories=("style_choices",))
    monkeypatch.setattr(type(site.scripted), "processor", property(lambda _: no_photos))

    job = await made(person, upload)

    assert (job["state"], site.scripted.calls) == ("failed", [])


@pytest.mark.rule("right.withdrawal")
async def test_consent_that_is_taken_back_stops_the_next_job(site: Site) -> None:
    person = await site.person()
    upload = (await person.upload())["id"]

    await person.agree(granted=False)

    refused = await person.try_order(upload)
    assert (refused.status_code, refused.json()["code"]) == (403, "consent_required")


@pytest.mark.rule("notify.ai_made")
async def test_whoever_is_shown_a_picture_is_told_that_ai_made_it(site: Site) -> None:
    person = await site.person()
    job = await made(person, (await person.upload())["id"])

    (figurine,) = job["figurines"]
    alone = (await person.http.get(f"/v1/figurines/{figurine['id']}")).json()

    assert figurine["digital_source_type"] == alone["digital_source_type"] == "trainedAlgorithmicMedia"


@pytest.mark.rule("notify.collection")
async def test_anybody_reads_the_notice_before_they_tell_anything(site: Site, clock: FrozenClock) -> None:
    visitor = site.visitor()

    async def published() -> bool:
        return (await visitor.http.get("/v1/policy/notice")).status_code == 200

    await until(published, clock)

"""What each outcome of a provider does to a job, its owner's credits and the operator's money."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from statuette.ports.image import (
    BlockedInput,
    BlockedOutput,
    ModelNotFound,
    NoImage,
    Outcome,
    ProviderUnavailable,
    RateLimitedByProvider,
    Rejected,
)
from statuette.testing import FrozenClock
from statuette.testing.scripted_image import Hang, Raise, ScriptedImageProvider
from statuette.values import CostMicros
from tests.integration.road.faults import ended
from tests.profiles import Profile
from tests.site import Site, serving


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (BlockedInput(reason="safety"), "blocked", "blocked_input"),
        (BlockedOutput(reason="image_safety"), "blocked", "blocked_output"),
        (NoImage(reason="text_only"), "failed", "no_image"),
        (Rejected(reason="bad_request"), "failed", "rejected"),
        (ModelNotFound(model="scripted-1"), "failed", "no_model_left"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_a_job_without_a_picture_is_never_charged(site: Site, outcome: Outcome, state: str, reason: str) -> None:
    # Given a provider that ends calls this way
    person = await site.person(credits=5)
    upload = await person.upload()
    site.scripted.script(outcome)

    # When a job is ordered
    job = await person.finished((await person.order(upload["id"]))["id"])

    # Then it ends with the reason, and every credit is back
    assert (job["state"], job["reason"]) == (state, reason)
    assert (await person.credits())["available"] == 5
    assert len(site.scripted.calls) == 1


async def test_a_rate_limited_call_is_made_again_after_the_providers_delay(site: Site) -> None:
    person = await site.person(credits=5)
    upload = await person.upload()
    site.scripted.script(RateLimitedByProvider(retry_after=timedelta(milliseconds=300)))

    job = await person.finished((await person.order(upload["id"]))["id"])

    assert job["state"] == "succeeded"
    assert len(site.scripted.calls) == 2
    assert (await person.credits())["available"] == 4


async def test_retries_are_bounded_and_then_credits_come_back(site: Site) -> None:
    person = await site.person(credits=5)
    upload = await person.upload()
    down = ProviderUnavailable(reason="down", retry_after=timedelta(milliseconds=10))
    site.scripted.script(*[down] * 20)

    job = await person.finished((await person.order(upload["id"]))["id"])

    assert (job["state"], job["reason"]) == ("failed", "unavailable_too_long")
    assert len(site.scripted.calls) == 6
    assert (await person.credits())["available"] == 5


async def test_a_later_block_keeps_and_charges_the_pictures_that_are_there(site: Site) -> None:
    from statuette.ports.image import GeneratedImage, Succeeded
    from statuette.testing.pictures import picture_png

    # Given a provider that makes one picture and then withholds the next
    person = await site.person(credits=5)
    upload = await person.upload()
    one = Succeeded(images=(GeneratedImage("image/png", picture_png()),))
    site.scripted.script(one, BlockedOutput(reason="image_safety"))

    # When two are ordered
    job = await person.finished((await person.order(upload["id"], count=2))["id"])

    # Then one is delivered and paid for
    assert (job["state"], job["reason"]) == ("succeeded", "blocked_output")
    assert len(job["figurines"]) == 1
    assert (await person.credits())["available"] == 4


@pytest.mark.parametrize(
    ("price_micros", "calls", "reason", "finding"),
    [(40_000, 2, "paid_in_vain", "paid_in_vain"), (0, 4, "poisoned", "work_poisoned")],
    ids=["paid", "free"],
)
async def test_a_bug_in_a_provider_ends_the_job_with_a_finding_and_is_not_paid_for_again_and_again(
    tmp_path: Path, profile: Profile, clock: FrozenClock, price_micros: int, calls: int, reason: str, finding: str
) -> None:
    scripted = ScriptedImageProvider(clock=clock, price=CostMicros(currency="USD", micros=price_micros))
    async with serving(tmp_path, profile, clock=clock, scripted=scripted) as site:
        # Given a provider that raises whatever happens
        await site.apply_brand()
        person = await site.person(credits=5)
        upload = await person.upload()
        site.scripted.script(*[Raise(RuntimeError("a bug"))] * 10)

        # When a job is ordered, and time passes from try to try
        job = await ended(person, (await person.order(upload["id"]))["id"], clock)

        # Then it ends, unpaid, and an operator hears of it
        assert (job["state"], job["reason"]) == ("failed", reason)
        assert len(scripted.calls) == calls
        assert (await person.credits())["available"] == 5
        findings = await person.http.get(
            "/admin/v1/findings", headers={"Authorization": f"Bearer {site.secret_keys['alpha']}"}
        )
        assert finding in findings.text


async def test_cancelling_a_running_job_stops_its_call_and_gives_the_credits_back(site: Site) -> None:
    # Given a job whose call hangs
    person = await site.person(credits=5)
    upload = await person.upload()
    site.scripted.script(Hang())
    job = await person.order(upload["id"])
    await site.scripted.wait_for_calls(1)

    # When it is cancelled
    cancelled = await person.http.post(f"/v1/generations/{job['id']}/cancel")
    again = await person.http.post(f"/v1/generations/{job['id']}/cancel")

    # Then it has ended, the call was let go, nothing is held, and it cannot be cancelled twice
    assert cancelled.json()["state"] == "canceled"
    assert again.json()["code"] == "generation_ended"
    assert (await person.credits())["available"] == 5
    await site.settled()
    assert site.scripted.in_flight == 0


async def test_withdrawing_consent_cancels_what_is_under_way(site: Site) -> None:
    person = await site.person(credits=5)
    upload = await person.upload()
    site.scripted.script(Hang())
    job = await person.order(upload["id"])
    await site.scripted.wait_for_calls(1)

    await person.agree(granted=False)

    ended = await person.finished(job["id"])
    assert (ended["state"], ended["reason"]) == ("canceled", "consent_withdrawn")
    refused = await person.try_order(upload["id"])
    assert refused.json()["code"] == "consent_required"
    assert (await person.credits())["available"] == 5


async def test_the_daily_ceiling_refuses_before_money_is_spent(site: Site) -> None:
    # Given a brand that may spend 0.10 USD a day, and calls that cost 0.04 at worst
    await site.apply_brand(ceiling="0.10")
    person = await site.person(credits=5)
    upload = await person.upload()

    # When three pictures are ordered one after the other
    answers = []
    for _ in range(3):
        response = await person.try_order(upload["id"])
        answers.append(response)
        if response.status_code == 202:
            await person.finished(response.json()["id"])

    # Then the third is refused before it reaches the provider
    assert [response.status_code for response in answers[:2]] == [202, 202]
    assert answers[2].json()["code"] == "daily_ceiling_reached"
    assert len(site.scripted.calls) == 2

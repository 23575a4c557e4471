"""A provider hangs, resets, drips, floods and lies, over real HTTP: the job ends, its price is known, no credit is lost."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from statuette.ports.image import GeneratedImage, ModelInfo, Succeeded
from statuette.ports.processor import Processor
from statuette.testing import FrozenClock
from statuette.testing.gemini_simulator import Case, GeminiSimulator
from statuette.testing.memory_storage import MemoryStorage
from statuette.testing.pictures import picture_png
from statuette.testing.scripted_image import Hang, ScriptedImageProvider
from statuette.values import CostMicros, SystemClock
from statuette_gemini.config import GeminiConfig
from statuette_gemini.provider import GeminiImageProvider
from tests.integration.road.faults import costs, count, ended, has_finding, until
from tests.profiles import Profile
from tests.site import Site, serving

GEMINI = "gemini/gemini-3.1-flash-image"
PRICE = CostMicros(currency="USD", micros=40_000)


@pytest.fixture
async def gemini() -> AsyncIterator[GeminiSimulator]:
    async with GeminiSimulator(picture_edge=64) as simulator:
        yield simulator


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock, gemini: GeminiSimulator) -> AsyncIterator[Site]:
    """With Gemini, which has little time for a call, and a clock that stands still."""
    # The first call of a process loads the SDK, for which there is not time enough here.
    await asyncio.to_thread(importlib.import_module, "google.genai")
    config = GeminiConfig(api_key="simulator-key", base_url=gemini.base_url, timeout_seconds=0.8)
    providers = (GeminiImageProvider(config, clock),)
    async with serving(tmp_path, profile, clock=clock, providers=providers) as site:
        await site.apply_brand(models=(GEMINI,))
        yield site


@pytest.mark.parametrize("case", [Case.hang, Case.drip, Case.reset, Case.huge, Case.huge_declared, Case.truncated])
async def test_a_call_that_breaks_is_made_again_and_both_are_on_the_books(
    site: Site, gemini: GeminiSimulator, clock: FrozenClock, case: Case
) -> None:
    # Given a first call that breaks in this way
    person = await site.person(credits=5)
    upload = await person.upload()
    gemini.script(case)

    # When a figurine is ordered
    job = await ended(person, (await person.order(upload["id"]))["id"], clock)

    # Then it comes with the second call; the first is booked at its worst case, and the person pays once
    assert (job["state"], gemini.calls) == ("succeeded", 2)
    worst, real = await _attempt_costs(site)
    assert worst > real > 0
    assert await costs(site) == (worst + real, 0)
    assert (await person.credits())["available"] == 4


async def test_a_provider_that_never_answers_is_given_up_and_nobody_is_charged(
    site: Site, gemini: GeminiSimulator, clock: FrozenClock
) -> None:
    person = await site.person(credits=5)
    upload = await person.upload()
    gemini.default = Case.hang

    job = await ended(person, (await person.order(upload["id"]))["id"], clock)

    assert (job["state"], job["reason"]) == ("failed", "paid_in_vain")
    assert gemini.calls == 2
    assert (await person.credits())["available"] == 5
    assert (await costs(site))[1] == 0


async def test_the_kernel_ends_a_call_whose_provider_keeps_no_time(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given a model that may take a tenth of a second, and a call that hangs
    model = ModelInfo(
        id="scripted-1",
        family="scripted",
        aspect_ratios=("1:1",),
        max_inputs=1,
        max_images=1,
        worst_case_cost=PRICE,
        timeout=timedelta(milliseconds=100),
    )
    scripted = ScriptedImageProvider(models=(model,), price=CostMicros(currency="USD", micros=1_000))
    scripted.script(Hang())
    async with serving(tmp_path, profile, clock=clock, scripted=scripted) as site:
        await site.apply_brand()
        person = await site.person(credits=5)
        upload = await person.upload()

        # When a figurine is ordered
        job = await ended(person, (await person.order(upload["id"]))["id"], clock)

        # Then the call was cancelled, booked at its worst case, and made again
        assert (job["state"], scripted.cancelled, len(scripted.calls)) == ("succeeded", 1, 2)
        assert await costs(site) == (41_000, 0)


async def test_bytes_that_are_no_picture_fail_the_job_as_no_image(scripted_site: Site) -> None:
    site = scripted_site
    person = await site.person(credits=5)
    upload = await person.upload()
    site.scripted.script(Succeeded(images=(GeneratedImage("image/png", b"\x89PNG\r\n\x1a\n but not for long"),)))

    job = await person.finished((await person.order(upload["id"]))["id"])

    assert (job["state"], job["reason"]) == ("failed", "no_image")
    assert (await person.credits())["available"] == 5
    assert site.objects() == [f"uploads/{_brand(site)}/{upload['id']}/photo.jpg"]


async def test_more_pictures_than_were_asked_for_are_neither_kept_nor_charged(scripted_site: Site) -> None:
    site = scripted_site
    person = await site.person(credits=5)
    upload = await person.upload()
    pictures = tuple(GeneratedImage("image/png", picture_png(seed=seed)) for seed in range(5))
    site.scripted.script(Succeeded(images=pictures))

    job = await person.finished((await person.order(upload["id"], count=2))["id"])

    assert len(job["figurines"]) == 2
    assert (await person.credits())["available"] == 3
    assert len([key for key in site.objects() if key.startswith("figurines/")]) == 2 * 3


async def test_a_processor_that_does_not_declare_photos_gets_none(tmp_path: Path, profile: Profile) -> None:
    # Given a model whose processor takes figurines, but no photos
    shy = ScriptedImageProvider(
        processor=Processor(
            id="scripted",
            name="A model that takes no photos",
            region="this deployment",
            purposes=("generation",),
            categories=("figurine", "style_choices", "prompt_variables"),
            third_party=False,
        )
    )
    async with serving(tmp_path, profile, scripted=shy) as site:
        await site.apply_brand()
        person = await site.person(credits=5)
        upload = await person.upload()

        # When a figurine is made from a photo
        job = await person.finished((await person.order(upload["id"]))["id"])

        # Then nothing was sent, nothing was spent, and an operator hears of it
        assert (job["state"], job["reason"], shy.calls) == ("failed", "rejected", [])
        assert await costs(site) == (0, 0)
        assert (await person.credits())["available"] == 5
        assert await has_finding(site, "provider_rejects_operator")


async def test_a_permit_that_expires_before_the_call_lets_nothing_out(
    tmp_path: Path, profile: Profile, clock: FrozenClock
) -> None:
    # Given a store that takes longer to read a photo than a permit lives
    storage = MemoryStorage(clock=clock)
    scripted = ScriptedImageProvider(clock=clock)
    async with serving(tmp_path, profile, clock=clock, scripted=scripted, storage=storage) as site:
        await site.apply_brand()
        person = await site.person(credits=5)
        upload = await person.upload()
        storage.latency = timedelta(seconds=40)
        order = await person.order(upload["id"])
        await until(lambda: _attempts(site, "finished_at IS NULL"))
        await asyncio.sleep(0.1)
        storage.latency = timedelta(0)

        # When the photo is there
        clock.advance(timedelta(seconds=40))
        await until(lambda: _attempts(site, "finished_at IS NOT NULL"))

        # Then it does not go out with the old permit, nothing is booked, and it goes out with a fresh one
        assert scripted.calls == []
        assert await _attempts(site, "reason = 'permit_expired' AND cost_micros = 0")
        assert (await ended(person, order["id"], clock))["state"] == "succeeded"
        assert await costs(site) == (scripted.price.micros, 0)


@pytest.fixture
async def scripted_site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=SystemClock()) as site:
        await site.apply_brand()
        yield site


def _brand(site: Site) -> str:
    return site.objects()[0].split("/")[1]


async def _attempts(site: Site, condition: str) -> bool:
    return await count(site, f"SELECT COUNT(*) AS n FROM attempt WHERE {condition}") > 0


async def _attempt_costs(site: Site) -> list[Any]:
    async with site.platform.database.read() as reader:
        rows = await reader.rows("SELECT cost_micros FROM attempt ORDER BY number")
    return [row["cost_micros"] for row in rows]

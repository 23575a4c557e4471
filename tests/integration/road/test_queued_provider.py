"""A provider that queues: submitted once, polled across restarts, told when nobody wants the job any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from statuette.testing.fault_proxy import FaultProxy
from statuette.testing.queued_image import ImageQueueService, QueuedImageProvider
from tests.integration.road.faults import costs, count, take_for_dead, until
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

PRICE_MICROS = 50_000


@pytest.fixture
async def vendor() -> AsyncIterator[ImageQueueService]:
    async with ImageQueueService() as service:
        yield service


async def test_a_queued_job_is_submitted_once_and_polled_until_it_is_done(
    tmp_path: Path, profile: Profile, vendor: ImageQueueService
) -> None:
    # Given a vendor that takes a while
    vendor.render_seconds = 0.5
    async with _site(tmp_path, profile, vendor) as site:
        await site.apply_brand(models=("queued/queued-1",))
        person = await site.person(credits=5)
        upload = await person.upload()

        # When two figurines are ordered
        job = await person.finished((await person.order(upload["id"], count=2))["id"])

        # Then one job was paid, asked after several times, and told of once
        assert (job["state"], len(job["figurines"])) == ("succeeded", 2)
        assert vendor.paid_jobs == 1
        assert vendor.polls > 1
        assert await costs(site) == (PRICE_MICROS, 0)
        events = await _events(site, job["id"])
        assert events == ["queued", "running", "waiting", "figurine_ready", "figurine_ready", "succeeded"]


async def test_a_restarted_site_polls_again_instead_of_paying_twice(
    tmp_path: Path, profile: Profile, vendor: ImageQueueService
) -> None:
    # Given a job that waits at the vendor when the site stops
    vendor.render_seconds = 1.5
    async with _site(tmp_path, profile, vendor) as site:
        await site.apply_brand(models=("queued/queued-1",))
        person = await site.person(credits=5)
        token, upload = person.http.headers["Authorization"], await person.upload()
        order = await person.order(upload["id"])
        await until(lambda: _accepted(site))

    # When it is started again
    async with _site(tmp_path, profile, vendor) as site:
        person = site.visitor()
        person.http.headers["Authorization"] = token
        job = await person.finished(order["id"])

        # Then the same job at the vendor gives the picture
        assert job["state"] == "succeeded"
        assert vendor.paid_jobs == 1
        assert await costs(site) == (PRICE_MICROS, 0)
        assert (await person.credits())["available"] == 4


async def test_an_order_that_another_worker_repeats_meanwhile_is_left_to_that_one(
    tmp_path: Path, profile: Profile, vendor: ImageQueueService
) -> None:
    # Given an order that the vendor has taken and been paid for, whose answer is on its way
    vendor.render_seconds = 0.5
    async with FaultProxy(urlsplit(vendor.base_url).port or 0) as network:
        provider = QueuedImageProvider(f"http://127.0.0.1:{network.port}", vendor.api_key)
        async with serving(tmp_path, profile, providers=(provider,)) as site:
            await site.apply_brand(models=("queued/queued-1",))
            person = await site.person(credits=5)
            upload = await person.upload()
            network.slow(0.2)
            order = await person.order(upload["id"])
            await until(lambda: _paid(vendor))
            network.silence()

            # When its worker is taken for dead, and another orders the same, before either is answered
            await take_for_dead(site)
            await until(lambda: _two_at_work(site))
            network.heal()

            # Then it is one job at the vendor, which the first worker, as it learns of this, leaves alone
            job = await person.finished(order["id"])
            assert job["state"] == "succeeded"
            assert vendor.paid_jobs == 1
            assert await costs(site) == (PRICE_MICROS, 0)
            assert await count(site, "SELECT COUNT(*) AS n FROM attempt") == 1
            assert (await person.credits())["available"] == 4


async def test_a_vendor_out_of_reach_while_a_job_waits_is_asked_again(
    tmp_path: Path, profile: Profile, vendor: ImageQueueService
) -> None:
    vendor.render_seconds = 0.5
    async with _site(tmp_path, profile, vendor) as site:
        person, job_id = await _waiting_job(site)
        vendor.fail_next = 5

        job = await person.finished(job_id)

        assert job["state"] == "succeeded"
        assert vendor.paid_jobs == 1


@pytest.mark.parametrize("refusals", [0, 2], ids=["answering", "refusing at first"])
async def test_a_cancelled_job_is_cancelled_and_forgotten_at_the_vendor(
    tmp_path: Path, profile: Profile, vendor: ImageQueueService, refusals: int
) -> None:
    # Given a job that waits at a vendor
    vendor.render_seconds = 60
    async with _site(tmp_path, profile, vendor) as site:
        person, job_id = await _waiting_job(site)
        assert vendor.photos_held == 1
        vendor.fail_next = refusals

        # When it is cancelled
        cancelled = await person.http.post(f"/v1/generations/{job_id}/cancel")

        # Then the vendor drops it, photo included, its price is booked, and the credits are back
        assert cancelled.json()["state"] == "canceled"
        await until(lambda: _nothing_open(site))
        assert vendor.photos_held == 0
        assert vendor.state_of("job_1") is None
        assert await costs(site) == (PRICE_MICROS, 0)
        assert (await person.credits())["available"] == 5


async def test_deleting_the_photo_takes_it_from_the_vendor_too(
    tmp_path: Path, profile: Profile, vendor: ImageQueueService
) -> None:
    vendor.render_seconds = 60
    async with _site(tmp_path, profile, vendor) as site:
        person, job_id = await _waiting_job(site)
        upload_id = (await person.http.get("/v1/uploads")).json()["items"][0]["id"]

        await person.http.delete(f"/v1/uploads/{upload_id}")

        job = await person.finished(job_id)
        assert (job["state"], job["reason"]) == ("canceled", "input_deleted")
        await until(lambda: _nothing_open(site))
        assert vendor.photos_held == 0


async def _paid(vendor: ImageQueueService) -> bool:
    return vendor.paid_jobs == 1


async def _two_at_work(site: Site) -> bool:
    return site.platform.runner.in_flight == 2


def _site(folder: Path, profile: Profile, vendor: ImageQueueService) -> AbstractAsyncContextManager[Site]:
    provider = QueuedImageProvider(vendor.base_url, vendor.api_key)
    return serving(folder, profile, providers=(provider,))


async def _waiting_job(site: Site) -> tuple[Visitor, str]:
    """Somebody, and the id of their job, which the vendor has accepted."""
    await site.apply_brand(models=("queued/queued-1",))
    person = await site.person(credits=5)
    upload = await person.upload()
    order = await person.order(upload["id"])
    await until(lambda: _accepted(site))
    return person, order["id"]


async def _accepted(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM attempt WHERE state = 'accepted'") == 1


async def _nothing_open(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM attempt WHERE finished_at IS NULL") == 0


async def _events(site: Site, generation_id: str) -> list[str]:
    async with site.platform.database.read() as reader:
        rows = await reader.rows(
            "SELECT type FROM generation_event WHERE generation_id = :id ORDER BY seq", id=generation_id
        )
    return [row["type"].removeprefix("generation.") for row in rows]

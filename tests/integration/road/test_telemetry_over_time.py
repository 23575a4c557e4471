"""A job that takes several steps is one trace all the same; its retries, polls and failures are told in spans and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from statuette.ports.image import RateLimitedByProvider
from statuette.testing.queued_image import ImageQueueService, QueuedImageProvider
from statuette.testing.scripted_image import Raise
from tests.profiles import Profile
from tests.recorded import Recorded, parent_id, span_id, trace_id
from tests.site import Site, serving


@pytest.fixture
async def vendor() -> AsyncIterator[ImageQueueService]:
    async with ImageQueueService() as service:
        yield service


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, recorded: Recorded, vendor: ImageQueueService) -> AsyncIterator[Site]:
    queued = QueuedImageProvider(vendor.base_url, vendor.api_key, poll_every=timedelta(seconds=0.1))
    async with serving(tmp_path, profile, providers=(queued,)) as site:
        yield site


async def test_every_retry_goes_on_in_the_trace_of_the_order(site: Site, recorded: Recorded) -> None:
    # Given a provider that is at its limit once, and breaks once
    await site.apply_brand()
    site.scripted.script(RateLimitedByProvider(retry_after=timedelta(0)), Raise(RuntimeError()))
    person = await site.person()
    upload = await person.upload()
    before, in_hand = _ends(recorded), recorded.value("statuette.work.in_hand", queue="interactive") or 0

    # When a figurine is ordered
    job = await person.finished((await person.order(upload["id"]))["id"])
    await site.settled()

    # Then each of the three steps hangs on the order, with its own call, and the one that failed says so by class
    assert job["state"] == "succeeded"
    (order,) = recorded.spans("POST /v1/generations")
    steps = [span for span in recorded.trace_of(order) if span.name == "work generate"]
    assert [parent_id(step) for step in steps] == [span_id(order)] * 3
    assert [step.status.description for step in steps] == [None, "RuntimeError", None]
    calls = [span for span in recorded.trace_of(order) if span.name == "egress scripted"]
    assert [parent_id(call) for call in calls] == [span_id(step) for step in steps]
    assert [call.status.description for call in calls] == [None, "RuntimeError", None]
    # And metrics count them
    after = _ends(recorded)
    assert (after["done"] - before["done"], after["again"] - before["again"]) == (2, 1)
    assert recorded.value("statuette.work.in_hand", queue="interactive") == in_hand
    assert recorded.value("statuette.generation.outcomes", provider="scripted", outcome="rate_limited")
    failed = {"processor": "scripted", "error.type": "RuntimeError"}
    assert failed in recorded.series()["statuette.provider.latency"]


async def test_every_poll_of_a_provider_that_queues_goes_on_in_the_trace_of_the_order(
    site: Site, recorded: Recorded, vendor: ImageQueueService
) -> None:
    # Given a vendor that takes a while
    vendor.render_seconds = 0.5
    await site.apply_brand(models=("queued/queued-1",))
    person = await site.person()
    upload = await person.upload()

    # When a figurine is ordered
    job = await person.finished((await person.order(upload["id"]))["id"])
    await site.settled()

    # Then the submission and every poll are calls in the order's trace, each in a step of its own
    assert job["state"] == "succeeded"
    assert vendor.polls > 1
    (order,) = recorded.spans("POST /v1/generations")
    calls = [span for span in recorded.trace_of(order) if span.name == "egress queued"]
    assert len(calls) == 1 + vendor.polls
    steps = {span_id(span): span for span in recorded.trace_of(order) if span.name == "work generate"}
    assert {parent_id(call) for call in calls} == set(steps)
    assert {parent_id(step) for step in steps.values()} == {span_id(order)}


async def test_a_letter_is_a_call_in_the_trace_of_the_request_that_asked_for_it(site: Site, recorded: Recorded) -> None:
    await site.apply_brand()

    await site.person(credits=0)

    (asked,) = recorded.spans("POST /v1/signin/codes")
    (sent,) = [span for span in recorded.finished if span.name.startswith("egress ")]
    assert (trace_id(sent), parent_id(sent)) == (trace_id(asked), span_id(asked))


def _ends(recorded: Recorded) -> dict[str, float]:
    """How many steps of jobs have ended in which way so far."""
    ends = ("done", "again")
    return {end: recorded.value("statuette.work.duration", actor="generate", end=end) or 0 for end in ends}

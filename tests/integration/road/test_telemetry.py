"""One trace from the request over the queue to the provider and the store; metrics; logs that name the trace."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from statuette.kernel import telemetry
from statuette.testing.scripted_image import Raise
from tests.integration.road.faults import until, uploads_in
from tests.profiles import Profile
from tests.recorded import Recorded, parent_id, span_id, trace_id
from tests.site import Site, serving

SECRET = "what a stranger's exception carries"


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, recorded: Recorded) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        yield site


async def test_one_trace_leads_from_the_order_over_the_queue_to_the_provider_and_the_store(
    site: Site, recorded: Recorded
) -> None:
    # Given a photo
    person = await site.person()
    upload = await person.upload()

    # When a figurine is made from it
    job = await person.finished((await person.order(upload["id"]))["id"])
    await site.settled()

    # Then the trace of the order holds the work, the call and the store, each below what caused it
    (order,) = recorded.spans("POST /v1/generations")
    spans = {span.name: span for span in recorded.trace_of(order)}
    assert set(spans) == {
        "POST /v1/generations",
        "work generate",
        "database prepare",
        "storage read",
        "egress scripted",
        "render",
        "storage put",
        "database record",
    }
    assert parent_id(order) is None
    assert parent_id(spans["work generate"]) == span_id(order)
    for name in set(spans) - {"POST /v1/generations", "work generate"}:
        assert parent_id(spans[name]) == span_id(spans["work generate"]), name
    # And no attribute names a person, a job or a file
    attributes = json.dumps([dict(span.attributes or {}) for span in recorded.finished])
    for private in (person.account_id, person.email, upload["id"], job["id"], "127.0.0.1"):
        assert private not in attributes


async def test_an_upload_is_a_trace_of_its_own(site: Site, recorded: Recorded) -> None:
    person = await site.person()

    await person.upload()

    (upload,) = recorded.spans("POST /v1/uploads")
    spans = {span.name: span for span in recorded.trace_of(upload)}
    assert parent_id(spans["intake"]) == span_id(upload)
    assert parent_id(spans["storage put"]) == span_id(upload)


async def test_an_enforcement_is_a_new_trace_that_points_back_at_what_asked_for_it(
    site: Site, recorded: Recorded
) -> None:
    # Given a photo
    person = await site.person()
    upload = await person.upload()

    # When its owner deletes it
    await person.http.delete(f"/v1/uploads/{upload['id']}")
    await until(lambda: _gone(site))
    await site.settled()

    # Then the enforcement is another trace, linked to the request, and says by which rule and how it ended
    (asked,) = recorded.spans("DELETE /v1/uploads/{upload_id}")
    (enforced,) = recorded.spans("enforce")
    assert trace_id(enforced) != trace_id(asked)
    assert [link.context.span_id for link in enforced.links] == [span_id(asked)]
    attributes = dict(enforced.attributes or {})
    assert (attributes["privacy.rule.id"], attributes["privacy.outcome"]) == ("upload.asked", "verified")


async def test_metrics_tell_of_jobs_calls_and_deletions_and_of_nobody(site: Site, recorded: Recorded) -> None:
    person = await site.person()
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])
    await person.http.delete(f"/v1/uploads/{upload['id']}")
    await until(lambda: _gone(site))
    await site.settled()

    found = recorded.series()

    answered = {"http.request.method": "POST", "http.route": "/v1/generations", "http.response.status_code": 202}
    assert answered in found["http.server.request.duration"]
    assert {"provider": "scripted", "outcome": "succeeded"} in found["statuette.generation.outcomes"]
    assert {"state": "succeeded"} in found["statuette.generation.states"]
    assert {"processor": "scripted"} in found["statuette.provider.latency"]
    assert {"queue": "interactive"} in found["statuette.work.queue_age"]
    assert {"actor": "generate", "end": "done"} in found["statuette.work.duration"]
    assert {} in found["statuette.pixels.wait"]
    assert {} in found["db.client.connection.wait_time"]
    assert {"rule": "upload.asked"} in found["statuette.enforcement.lag"]
    assert {"currency": "USD", "provider": "scripted"} in found["statuette.provider.cost"]
    for private in (person.account_id, person.email, upload["id"], job["id"]):
        assert private not in json.dumps(found)


async def test_log_lines_name_their_trace_and_not_what_strangers_said(site: Site, recorded: Recorded) -> None:
    # Given JSON logs, and a provider whose first call raises
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(telemetry.JsonLines())
    logger = logging.getLogger("statuette")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        site.scripted.script(Raise(RuntimeError(SECRET)))
        person = await site.person()
        upload = await person.upload()

        # When a figurine is ordered
        await person.finished((await person.order(upload["id"]))["id"])
        await site.settled()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)

    # Then the line of the request and that of the failed work carry the same trace, and the error's class alone
    (order,) = recorded.spans("POST /v1/generations")
    records = [json.loads(line) for line in lines.getvalue().splitlines()]
    of_trace = [line for line in records if line.get("trace_id") == f"{trace_id(order):032x}"]
    assert {"request", "work_failed"} <= {line["event"] for line in of_trace}
    (failed,) = [line for line in of_trace if line["event"] == "work_failed"]
    assert failed["error"] == "RuntimeError"
    for private in (SECRET, person.email, person.account_id, upload["id"]):
        assert private not in lines.getvalue()
    (work,) = [span for span in recorded.spans("work generate") if parent_id(span) == span_id(order)][:1]
    assert SECRET not in work.to_json()


async def _gone(site: Site) -> bool:
    return await uploads_in(site) == 0 and not [key for key in site.objects() if key.startswith("uploads/")]

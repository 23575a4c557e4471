"""The span around a request: who decides that it is recorded, and what those that are not still carry."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE}-b7ad6b7169203331-01"
NOT_SAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"

# The SDK can be configured only once in a process, so each answer comes from one of its own.
_PROGRAM = """
import json, sys
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from statuette.kernel import telemetry

sampling, parent, trusted, times = json.loads(sys.argv[1])
exporter = InMemorySpanExporter()
processors = (SimpleSpanProcessor(exporter),)
if sampling is not None:
    telemetry.configure(otlp_endpoint=None, sampling=sampling, span_processors=processors)
carried = []
for _ in range(times):
    with telemetry.RequestSpan("GET", parent and parent.encode(), trusted=trusted) as request:
        carried.append(telemetry.trace_parent())
        with telemetry.span("inner"):
            pass
        request.answered("/v1/things/{id}", 200)
    assert telemetry.trace_parent() is None
try:
    with telemetry.RequestSpan("GET", parent and parent.encode(), trusted=trusted):
        raise KeyError("what a stranger's exception carries")
except KeyError:
    pass
print(json.dumps({
    "carried": carried,
    "spans": [
        {
            "name": span.name,
            "trace": f"{span.context.trace_id:032x}",
            "root": span.parent is None,
            "kind": span.kind.name,
            "attributes": dict(span.attributes),
            "error": span.status.description,
            "links": [f"{link.context.trace_id:032x}" for link in span.links],
        }
        for span in exporter.get_finished_spans()
    ],
}))
"""


def _told(sampling: float | None, parent: str | None, *, trusted: bool = False, times: int = 1) -> dict[str, Any]:
    arguments = json.dumps([sampling, parent, trusted, times])
    done = subprocess.run([sys.executable, "-c", _PROGRAM, arguments], capture_output=True, timeout=60, check=True)
    return dict(json.loads(done.stdout))


def test_a_recorded_request_says_method_route_and_status_and_what_broke_it_by_class() -> None:
    told = _told(1.0, None)

    inner, request, broken = told["spans"]
    attributes = {"http.request.method": "GET", "http.route": "/v1/things/{id}", "http.response.status_code": 200}
    assert (request["name"], request["kind"], request["error"]) == ("GET /v1/things/{id}", "SERVER", None)
    assert (request["attributes"], request["trace"]) == (attributes, inner["trace"])
    assert told["carried"] == [f"00-{inner['trace']}-{told['carried'][0][36:52]}-03"]
    assert broken["error"] == "KeyError"


@pytest.mark.parametrize("parent", [None, NOT_SAMPLED, "00-garbage", "00-" + "0" * 32 + "-b7ad6b7169203331-01"])
def test_a_request_that_is_not_drawn_is_not_recorded_nor_is_what_it_causes(parent: str | None) -> None:
    # Given a sampling of nothing, and a trusted caller who does not sample or cannot say so
    told = _told(0.0, parent, trusted=True, times=2)

    # Then nothing is recorded, yet each request carries a trace, its caller's if there is one, marked as not sampled
    assert told["spans"] == []
    traces = {each[3:35] for each in told["carried"]}
    assert traces == {TRACE} if parent == NOT_SAMPLED else len(traces) == 2
    assert {int(each[-2:], 16) & 1 for each in told["carried"]} == {0}


def test_a_trusted_caller_who_samples_is_followed_whatever_the_sampling() -> None:
    told = _told(0.0, SAMPLED, trusted=True)

    assert {span["trace"] for span in told["spans"]} == {TRACE}
    assert [span["name"] for span in told["spans"]] == ["inner", "GET /v1/things/{id}", "GET"]
    assert [span["links"] for span in told["spans"]] == [[], [], []]


def test_a_stranger_who_samples_has_nothing_recorded_that_is_not_drawn() -> None:
    told = _told(0.0, SAMPLED, times=50)

    assert told["spans"] == []
    assert TRACE not in {each[3:35] for each in told["carried"]}
    assert {int(each[-2:], 16) & 1 for each in told["carried"]} == {0}


@pytest.mark.parametrize(("parent", "links"), [(SAMPLED, [TRACE]), (NOT_SAMPLED, [TRACE]), ("00-garbage", [])])
def test_a_drawn_request_of_a_stranger_is_a_trace_of_its_own_that_points_at_theirs(
    parent: str, links: list[str]
) -> None:
    told = _told(1.0, parent)

    inner, request, _ = told["spans"]
    assert request["root"]
    assert request["trace"] == inner["trace"] != TRACE
    assert (request["links"], inner["links"]) == (links, [])


def test_about_as_many_are_recorded_as_the_sampling_says() -> None:
    told = _told(0.25, None, times=2000)

    requests = [span for span in told["spans"] if span["name"] == "GET /v1/things/{id}"]
    inners = [span for span in told["spans"] if span["name"] == "inner"]
    # Within seven standard deviations; and a request and what it causes are recorded together or not at all.
    assert 364 <= len(requests) <= 636
    assert [span["trace"] for span in requests] == [span["trace"] for span in inners]


def test_without_an_endpoint_there_is_only_the_trace_of_a_trusted_caller() -> None:
    assert _told(None, None)["carried"] == [None]
    assert _told(None, SAMPLED)["carried"] == [None]
    assert _told(None, SAMPLED, trusted=True)["carried"] == [SAMPLED]


# A process that takes up work which came with a `traceparent`.
_WORKING = """
import json, sys
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from statuette.kernel import telemetry

sampling, parent = json.loads(sys.argv[1])
exporter = InMemorySpanExporter()
telemetry.configure(otlp_endpoint=None, sampling=sampling, span_processors=(SimpleSpanProcessor(exporter),))
with telemetry.continued(parent), telemetry.span("work"):
    carried = telemetry.trace_parent()
print(json.dumps([carried, [f"{span.context.trace_id:032x}" for span in exporter.get_finished_spans()]]))
"""


@pytest.mark.parametrize("sampling", [0.0, 1.0])
def test_work_is_recorded_if_what_caused_it_was_whatever_the_sampling_of_the_process_that_does_it(
    sampling: float,
) -> None:
    carried, recorded = _worked(sampling, SAMPLED)
    assert (carried[3:35], recorded) == (TRACE, [TRACE])

    carried, recorded = _worked(sampling, NOT_SAMPLED)
    assert (carried[3:35], recorded) == (TRACE, [])


def test_work_that_nothing_traced_caused_begins_a_trace_that_is_drawn_anew() -> None:
    carried, recorded = _worked(1.0, None)
    assert recorded == [carried[3:35]]

    carried, recorded = _worked(0.0, None)
    assert recorded == []


def _worked(sampling: float, parent: str | None) -> tuple[str, list[str]]:
    arguments = json.dumps([sampling, parent])
    done = subprocess.run([sys.executable, "-c", _WORKING, arguments], capture_output=True, timeout=60, check=True)
    carried, recorded = json.loads(done.stdout)
    return carried, recorded

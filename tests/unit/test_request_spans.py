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

sampling, parent, times = json.loads(sys.argv[1])
exporter = InMemorySpanExporter()
processors = (SimpleSpanProcessor(exporter),)
if sampling is not None:
    telemetry.configure(otlp_endpoint=None, sampling=sampling, span_processors=processors)
carried = []
for _ in range(times):
    with telemetry.RequestSpan("GET", parent and parent.encode()) as request:
        carried.append(telemetry.trace_parent())
        with telemetry.span("inner"):
            pass
        request.answered("/v1/things/{id}", 200)
    assert telemetry.trace_parent() is None
try:
    with telemetry.RequestSpan("GET", parent and parent.encode()):
        raise KeyError("what a stranger's exception carries")
except KeyError:
    pass
print(json.dumps({
    "carried": carried,
    "spans": [
        [span.name, f"{span.context.trace_id:032x}", span.kind.name, dict(span.attributes), span.status.description]
        for span in exporter.get_finished_spans()
    ],
}))
"""


def _told(sampling: float | None, parent: str | None, times: int = 1) -> dict[str, Any]:
    arguments = json.dumps([sampling, parent, times])
    done = subprocess.run([sys.executable, "-c", _PROGRAM, arguments], capture_output=True, timeout=60, check=True)
    return dict(json.loads(done.stdout))


def test_a_recorded_request_says_method_route_and_status_and_what_broke_it_by_class() -> None:
    told = _told(1.0, None)

    inner, request, broken = told["spans"]
    attributes = {"http.request.method": "GET", "http.route": "/v1/things/{id}", "http.response.status_code": 200}
    assert request == ["GET /v1/things/{id}", inner[1], "SERVER", attributes, None]
    assert told["carried"] == [f"00-{inner[1]}-{told['carried'][0][36:52]}-03"]
    assert broken[4] == "KeyError"


@pytest.mark.parametrize("parent", [None, NOT_SAMPLED, "00-garbage", "00-" + "0" * 32 + "-b7ad6b7169203331-01"])
def test_a_request_that_is_not_drawn_is_not_recorded_nor_is_what_it_causes(parent: str | None) -> None:
    # Given a sampling of nothing, and a caller who does not sample or cannot say so
    told = _told(0.0, parent, times=2)

    # Then nothing is recorded, yet each request carries a trace, its caller's if there is one, marked as not sampled
    assert told["spans"] == []
    traces = {each[3:35] for each in told["carried"]}
    assert traces == {TRACE} if parent == NOT_SAMPLED else len(traces) == 2
    assert {int(each[-2:], 16) & 1 for each in told["carried"]} == {0}


def test_a_caller_who_samples_is_followed_whatever_the_sampling() -> None:
    told = _told(0.0, SAMPLED)

    assert {span[1] for span in told["spans"]} == {TRACE}
    assert [span[0] for span in told["spans"]] == ["inner", "GET /v1/things/{id}", "GET"]


def test_about_as_many_are_recorded_as_the_sampling_says() -> None:
    told = _told(0.25, None, times=2000)

    requests = [span for span in told["spans"] if span[0] == "GET /v1/things/{id}"]
    inners = [span for span in told["spans"] if span[0] == "inner"]
    # Within seven standard deviations; and a request and what it causes are recorded together or not at all.
    assert 364 <= len(requests) <= 636
    assert [span[1] for span in requests] == [span[1] for span in inners]


def test_without_an_endpoint_there_is_only_the_trace_of_a_caller() -> None:
    assert _told(None, None)["carried"] == [None]
    assert _told(None, SAMPLED)["carried"] == [SAMPLED]

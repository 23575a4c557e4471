"""Whether a process sends anything, where to, and as whom: our settings, and OpenTelemetry's own variables beside them."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import pytest

from statuette.testing.otlp_receiver import OtlpReceiver

WITHIN_SECONDS = 30

_PROGRAM = """
import json, sys
from statuette.kernel import telemetry

telemetry.configure(otlp_endpoint=json.loads(sys.argv[1]), sampling=1.0, role="worker", process_id="prc_1")
with telemetry.span("work"):
    print(json.dumps(telemetry.trace_parent()))
telemetry.terminal_states.add(1, {"state": "succeeded"})
telemetry.flush()
"""


async def test_traces_and_metrics_go_where_the_setting_says_and_name_their_sender() -> None:
    async with OtlpReceiver() as receiver:
        trace_parent = await run(endpoint=receiver.url)

    (span,) = receiver.spans()
    assert span.trace_id in str(trace_parent)
    assert span.resource["service.name"] == "statuette"
    assert span.resource["service.version"]
    assert (span.resource["statuette.role"], span.resource["service.instance.id"]) == ("worker", "prc_1")
    (ended,) = receiver.metrics()["statuette.generation.states"]
    assert (ended.value, ended.attributes, ended.resource) == (1, {"state": "succeeded"}, span.resource)


async def test_the_variables_of_opentelemetry_count_where_no_setting_says_otherwise() -> None:
    async with OtlpReceiver() as receiver, OtlpReceiver() as other:
        # Given an address and names in the environment
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_SERVICE_NAME": "figurines",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=staging",
            "OTEL_PROPAGATORS": "none",
        }

        # When a process runs without a setting, and one with
        assert await run(endpoint=None, **variables)
        assert await run(endpoint=other.url, **variables)

    # Then each went to its address, and both say what the operator calls them
    for told in (receiver, other):
        (span,) = told.spans()
        assert (span.resource["service.name"], span.resource["deployment.environment.name"]) == ("figurines", "staging")


@pytest.mark.parametrize("disabled", [False, True])
async def test_nothing_is_sent_without_an_address_or_if_the_sdk_is_switched_off(disabled: bool) -> None:
    async with OtlpReceiver() as receiver:
        variables = {"OTEL_SDK_DISABLED": "true"} if disabled else {}

        trace_parent = await run(endpoint=receiver.url if disabled else None, **variables)

        assert (trace_parent, receiver.spans(), receiver.metrics()) == (None, [], {})


async def run(*, endpoint: str | None, **variables: str) -> str | None:
    """A process that records a span and a metric; the `traceparent` that it would hand on."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM, json.dumps(endpoint)), env=own | variables, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), WITHIN_SECONDS)
    assert process.returncode == 0
    trace_parent: str | None = json.loads(out)
    return trace_parent

"""The receiver understands what the OpenTelemetry SDK sends, in this process and as one of its own."""

from __future__ import annotations

import asyncio
import signal
import sys

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from statuette.testing.otlp_receiver import OtlpReceiver, ReceivedLink

RESOURCE = Resource({"service.name": "shop"})


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
async def test_spans_arrive_with_their_parents_links_status_and_sender(compression: Compression) -> None:
    async with OtlpReceiver() as receiver:
        # When a process sends a trace of two spans that points at an earlier one
        await asyncio.to_thread(send_spans, receiver.url, compression)

        # Then each is told whole, in the order of their start
        earlier, order, call = receiver.spans()
        assert (order.name, order.kind, order.parent_id, order.error) == ("order", "server", None, None)
        assert order.links == (ReceivedLink(earlier.trace_id, earlier.span_id),)
        assert order.attributes == {"size": 3, "share": 0.5, "late": True}
        assert order.resource["service.name"] == "shop"
        assert (call.parent_id, call.trace_id, call.error) == (order.span_id, order.trace_id, "TimeoutError")
        assert order.started <= call.started <= call.ended <= order.ended
        # And they are found by trace and by name
        assert receiver.trace_ids() == {earlier.trace_id, order.trace_id}
        assert receiver.spans("call", trace_id=order.trace_id) == [call]
        assert receiver.spans("call", trace_id=earlier.trace_id) == []


async def test_metrics_show_the_newest_point_of_each_series() -> None:
    async with OtlpReceiver() as receiver:
        # When a process records twice, and sends each time
        await asyncio.to_thread(send_metrics, receiver.url)

        # Then a counter shows its total, a histogram its sum and count, a gauge its value
        found = receiver.metrics()
        (sold,) = found["sold"]
        (waited,) = found["waited"]
        (depth,) = found["depth"]
        assert (sold.value, sold.attributes, sold.resource["service.name"]) == (3, {"kind": "chibi"}, "shop")
        assert (waited.value, waited.count, waited.unit) == (3.5, 2, "s")
        assert (depth.value, depth.count) == (7, 1)


async def test_what_is_not_of_the_protocol_is_refused_and_forgotten() -> None:
    async with OtlpReceiver() as receiver, httpx.AsyncClient(base_url=receiver.url, trust_env=False) as client:
        assert (await client.post("/v1/traces", content=b"nonsense")).status_code == 400
        assert (
            await client.post("/v1/metrics", content=b"nonsense", headers={"content-encoding": "gzip"})
        ).status_code == 400
        assert (await client.post("/v1/logs", content=b"")).status_code == 404
        assert (receiver.spans(), receiver.metrics()) == ([], {})


async def test_it_runs_as_a_process_of_its_own_and_tells_what_it_got() -> None:
    # Given the receiver's command
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "statuette.testing.otlp_receiver", "--port", "0"), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            url = (await process.stdout.readline()).decode().removeprefix("listening on ").strip()

        # When spans and metrics are sent to it
        await asyncio.to_thread(send_spans, url, Compression.NoCompression)
        await asyncio.to_thread(send_metrics, url)

        # Then it tells them as JSON
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            spans = (await client.get("/spans")).json()
            metrics = (await client.get("/metrics")).json()
        assert [span["name"] for span in spans] == ["earlier", "order", "call"]
        assert metrics["sold"][0]["value"] == 3
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await process.wait() == 0


def send_spans(url: str, compression: Compression) -> None:
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces", compression=compression)))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("earlier") as earlier:
        pass
    with (
        tracer.start_as_current_span(
            "order",
            kind=SpanKind.SERVER,
            attributes={"size": 3, "share": 0.5, "late": True},
            links=[Link(earlier.get_span_context())],
        ),
        tracer.start_as_current_span("call") as call,
    ):
        call.set_status(Status(StatusCode.ERROR, "TimeoutError"))
    provider.shutdown()


def send_metrics(url: str) -> None:
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/v1/metrics"))
    provider = MeterProvider([reader], resource=RESOURCE)
    meter = provider.get_meter("test")
    sold = meter.create_counter("sold")
    waited = meter.create_histogram("waited", unit="s")
    depth = meter.create_gauge("depth")
    for pieces, seconds, deep in ((1, 1.5, 9), (2, 2.0, 7)):
        sold.add(pieces, {"kind": "chibi"})
        waited.record(seconds)
        depth.set(deep)
        provider.force_flush()
    provider.shutdown()

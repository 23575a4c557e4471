"""Receives what OpenTelemetry sends over HTTP, and keeps it to be looked at: for tests, demos and chaos runs.

In a process of its own: `python -m statuette.testing.otlp_receiver --port 4318`; `GET /spans` and `GET /metrics` then tell
as JSON what `OtlpReceiver.spans()` and `OtlpReceiver.metrics()` return.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import signal
from collections.abc import Iterable, Iterator
from typing import Self

import msgspec
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint, Metric, NumberDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from statuette.testing.wire import WireReply, WireRequest, WireServer

Scalar = str | int | float | bool
Attributes = dict[str, Scalar]

_PROTOBUF = {"content-type": "application/x-protobuf"}


class ReceivedLink(msgspec.Struct, frozen=True):
    """Where a span points to; the ids in lower-case hex."""

    trace_id: str
    span_id: str


class ReceivedSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A span as it was sent. Ids in lower-case hex.

    Attributes:
        kind: `internal`, `server`, `client`, `producer` or `consumer`.
        parent_id: of the span above; None at the root of a trace.
        started, ended: seconds since 1970.
        error: what the status says when it is an error; None otherwise.
        resource: attributes of the process that sent it.
    """

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str | None
    links: tuple[ReceivedLink, ...]
    attributes: Attributes
    events: tuple[str, ...]
    started: float
    ended: float
    error: str | None
    resource: Attributes


class ReceivedSeries(msgspec.Struct, frozen=True, kw_only=True):
    """The newest point of one series of one process.

    Attributes:
        value: of a gauge or a counter; of a histogram the sum of what was recorded.
        count: how often a histogram was recorded to; 1 for anything else.
        resource: attributes of the process that sent it.
    """

    attributes: Attributes
    value: float
    count: int
    unit: str
    resource: Attributes


class OtlpReceiver:
    """Listens on a loopback port between entering and leaving the context; any number of processes may send.

    It keeps every span and the newest point of every series in memory, for as long as it lives.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._server = WireServer(self._answer, port=port)
        self._spans: list[ReceivedSpan] = []
        self._series: dict[tuple[str, bytes], ReceivedSeries] = {}

    @property
    def url(self) -> str:
        """What `otlp_endpoint` is set to."""
        return self._server.base_url

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._server.__aexit__(*exc_info)

    def spans(self, name: str | None = None, *, trace_id: str | None = None) -> list[ReceivedSpan]:
        """Those received so far in the order of their start; of that name, of that trace."""
        found = [
            span
            for span in self._spans
            if (name is None or span.name == name) and (trace_id is None or span.trace_id == trace_id)
        ]
        return sorted(found, key=lambda span: span.started)

    def trace_ids(self) -> set[str]:
        """Of every span received so far."""
        return {span.trace_id for span in self._spans}

    def metrics(self) -> dict[str, list[ReceivedSeries]]:
        """By the name of the instrument: every series of every process."""
        found: dict[str, list[ReceivedSeries]] = {}
        for (name, _), series in self._series.items():
            found.setdefault(name, []).append(series)
        return found

    async def _answer(self, request: WireRequest, reply: WireReply) -> None:
        match request.method, request.path:
            case "POST", "/v1/traces" | "/v1/metrics":
                await self._take(request, reply)
            case "GET", "/spans":
                await reply.send(200, msgspec.json.encode(self.spans()))
            case "GET", "/metrics":
                await reply.send(200, msgspec.json.encode(self.metrics()))
            case _:
                await reply.send(404, b"{}")

    async def _take(self, request: WireRequest, reply: WireReply) -> None:
        try:
            body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
            if request.path == "/v1/traces":
                self._spans += _spans(ExportTraceServiceRequest.FromString(body))
                answer = ExportTraceServiceResponse().SerializeToString()
            else:
                self._series.update(_series(ExportMetricsServiceRequest.FromString(body)))
                answer = ExportMetricsServiceResponse().SerializeToString()
        except Exception:  # whatever it is that cannot be decoded
            await reply.send(400, b"", _PROTOBUF)
        else:
            await reply.send(200, answer, _PROTOBUF)


def _spans(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for sent in request.resource_spans:
        resource = _attributes(sent.resource.attributes)
        for scope in sent.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    name=span.name,
                    kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex() or None,
                    links=tuple(ReceivedLink(link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    attributes=_attributes(span.attributes),
                    events=tuple(event.name for event in span.events),
                    started=span.start_time_unix_nano / 1e9,
                    ended=span.end_time_unix_nano / 1e9,
                    error=span.status.message if span.status.code == Status.STATUS_CODE_ERROR else None,
                    resource=resource,
                )


def _series(request: ExportMetricsServiceRequest) -> Iterator[tuple[tuple[str, bytes], ReceivedSeries]]:
    for sent in request.resource_metrics:
        resource = _attributes(sent.resource.attributes)
        for scope in sent.scope_metrics:
            for metric in scope.metrics:
                for point in _points(metric):
                    attributes = _attributes(point.attributes)
                    is_histogram = isinstance(point, HistogramDataPoint)
                    series = ReceivedSeries(
                        attributes=attributes,
                        value=point.sum if is_histogram else _number(point),
                        count=point.count if is_histogram else 1,
                        unit=metric.unit,
                        resource=resource,
                    )
                    yield (metric.name, msgspec.msgpack.encode((attributes, resource), order="sorted")), series


def _points(metric: Metric) -> Iterator[NumberDataPoint | HistogramDataPoint]:
    match metric.WhichOneof("data"):
        case "gauge":
            yield from metric.gauge.data_points
        case "sum":
            yield from metric.sum.data_points
        case "histogram":
            yield from metric.histogram.data_points


def _number(point: NumberDataPoint) -> float:
    return float(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double)


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _scalar(pair.value) for pair in pairs}


def _scalar(value: AnyValue) -> Scalar:
    kind = value.WhichOneof("value")
    if kind in ("string_value", "int_value", "double_value", "bool_value"):
        scalar: Scalar = getattr(value, kind)
        return scalar
    return str(value)


async def _run(port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with OtlpReceiver(port=port) as receiver:
        print(f"listening on {receiver.url}", flush=True)  # noqa: T201 - a command speaks to its terminal
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m statuette.testing.otlp_receiver")
    parser.add_argument("--port", type=int, default=4318, help="loopback port; 0 picks a free one and prints it")
    asyncio.run(_run(parser.parse_args().port))


if __name__ == "__main__":
    main()

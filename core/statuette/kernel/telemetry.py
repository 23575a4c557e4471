"""Traces, metrics and logs: thin, sampled, and without ids of people.

A trace crosses the outbox as a W3C `traceparent` (https://www.w3.org/TR/trace-context/) kept in the work item. Nothing is
exported unless an OTLP endpoint is configured.
"""

from __future__ import annotations

import json
import logging
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from opentelemetry import metrics, propagate, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)
from opentelemetry.util.types import Attributes

_TRACER = trace.get_tracer("statuette")
_METER = metrics.get_meter("statuette")
_IDS = RandomIdGenerator()
_UNDRAWN = TraceFlags(TraceFlags.RANDOM_TRACE_ID)

http_requests = _METER.create_counter("statuette.http.requests", description="Requests by route and status class.")
outcomes = _METER.create_counter("statuette.generation.outcomes", description="Provider outcomes by provider and kind.")
terminal_states = _METER.create_counter("statuette.generation.states", description="Jobs that ended, by state.")
provider_seconds = _METER.create_histogram(
    "statuette.provider.latency", unit="s", description="How long a provider call took."
)
queue_age_seconds = _METER.create_histogram(
    "statuette.work.queue_age", unit="s", description="How long work was due before it began."
)
leases_expired = _METER.create_counter(
    "statuette.work.leases_expired", description="Work taken from processes that were no longer alive, by queue."
)
enforcement_lag_seconds = _METER.create_histogram(
    "statuette.enforcement.lag", unit="s", description="How late a deadline was enforced."
)
cost_micros = _METER.create_counter("statuette.provider.cost", unit="1e-6", description="Provider cost, by currency.")


class _Draw(TraceIdRatioBased):
    """Draws what begins a trace. Requests are drawn before, by `wanted`: making a span costs, wanted or not."""

    def wanted(self) -> bool:
        return random.random() < self.rate  # noqa: S311 - nothing secret depends on it

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        draw = ALWAYS_ON.should_sample if kind is SpanKind.SERVER else super().should_sample
        return draw(parent_context, trace_id, name, kind, attributes, links, trace_state)


_draw: _Draw | None = None
"""None as long as nothing is recorded."""


def configure(
    *,
    otlp_endpoint: str | None,
    sampling: float,
    span_processors: tuple[SpanProcessor, ...] = (),
    metric_readers: tuple[MetricReader, ...] = (),
) -> None:
    """Install the SDK. Called once a process; without an endpoint and without processors nothing is recorded."""
    global _draw
    resource = Resource.create({"service.name": "statuette"})
    readers = list(metric_readers)
    processors = list(span_processors)
    if otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        base = otlp_endpoint.rstrip("/")
        processors.append(BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces")))
        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics")))
    if processors:
        _draw = _Draw(sampling)
        provider = TracerProvider(resource=resource, sampler=ParentBased(_draw))
        for processor in processors:
            provider.add_span_processor(processor)
        trace.set_tracer_provider(provider)
    if readers:
        metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=readers))


def flush() -> None:
    """Hand over what is still buffered; called at shutdown."""
    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
        if isinstance(provider, TracerProvider | MeterProvider):
            provider.force_flush(5_000)


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    linked: str | None = None,
    **attributes: str | int | float | bool,
) -> Iterator[Span]:
    """A span around a block. An error sets its status to the error's class, never to its message.

    Args:
        linked: the `traceparent` of an earlier trace that this one follows from, hours later perhaps.
    """
    with _TRACER.start_as_current_span(
        name,
        kind=kind,
        attributes=attributes,
        links=_links(linked),
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


class RequestSpan:
    """The span around one request: like `span`, in the caller's trace if there is one, and cheap when it is not drawn.

    Args:
        parent: the caller's `traceparent` header; one that is malformed counts as none.
    """

    __slots__ = ("_method", "_parent", "_span", "_token")

    def __init__(self, method: str, parent: bytes | None) -> None:
        self._method = method
        self._parent = parent

    def __enter__(self) -> Self:
        context = Context()
        if self._parent:
            context = propagate.extract({"traceparent": self._parent.decode("latin-1")}, context)
        self._span = self._begun(context)
        self._token = attach(trace.set_span_in_context(self._span, context))
        return self

    def _begun(self, context: Context) -> Span:
        if context or (_draw is not None and _draw.wanted()):
            attributes = {"http.request.method": self._method}
            return _TRACER.start_span(self._method, context, SpanKind.SERVER, attributes)
        if _draw is None:
            return trace.INVALID_SPAN
        # Ids all the same: for the log, and for work that follows, so that it is not drawn either.
        return NonRecordingSpan(
            SpanContext(_IDS.generate_trace_id(), _IDS.generate_span_id(), is_remote=False, trace_flags=_UNDRAWN)
        )

    def answered(self, route: str, status: int) -> None:
        if self._span.is_recording():
            self._span.update_name(f"{self._method} {route}")
            self._span.set_attributes({"http.route": route, "http.response.status_code": status})

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._span.set_status(Status(StatusCode.ERROR, kind.__name__))
        self._span.end()
        detach(self._token)


def _links(parent: str | None) -> list[Link]:
    if parent is None:
        return []
    earlier = trace.get_current_span(propagate.extract({"traceparent": parent})).get_span_context()
    return [Link(earlier)] if earlier.is_valid else []


def trace_parent() -> str | None:
    """The current trace as a `traceparent`, to be stored with work; None outside of a trace."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def continued(parent: str | None) -> Iterator[None]:
    """Go on in the trace that `parent` names."""
    token = attach(propagate.extract({"traceparent": parent} if parent else {}))
    try:
        yield
    finally:
        detach(token)


class JsonLines(logging.Formatter):
    """One JSON object a line, with the trace it belongs to. Extras are passed as `extra={"facts": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            line["trace_id"] = f"{context.trace_id:032x}"
            line["span_id"] = f"{context.span_id:016x}"
        line.update(getattr(record, "facts", {}))
        if record.exc_info and record.exc_info[0]:
            # Class and place only: messages of strangers' exceptions may carry what they were given.
            line["error"] = record.exc_info[0].__name__
            if record.exc_info[2] is not None:
                trace_back = record.exc_info[2]
                while trace_back.tb_next is not None:
                    trace_back = trace_back.tb_next
                line["place"] = f"{trace_back.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace_back.tb_lineno}"
        return json.dumps(line, ensure_ascii=False)


def configure_logging(level: str) -> None:
    """JSON lines on standard error for everything."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in (
        "dramatiq",
        "httpcore",
        "httpx",
        "httpx2",
        "asyncio",
        "aiosqlite",
        "PIL",
        "piccolo",
        "uvicorn.access",
    ):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))

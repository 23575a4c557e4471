"""Spans, and the ways a trace takes between processes.

A trace crosses the outbox as a W3C `traceparent` (https://www.w3.org/TR/trace-context/) kept in the work item. Providers get
neither that nor baggage: nothing here instruments an HTTP client.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
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
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

_TRACER = trace.get_tracer("statuette")
_IDS = RandomIdGenerator()
_UNDRAWN = TraceFlags(TraceFlags.RANDOM_TRACE_ID)
# Not the global propagator, which OTEL_PROPAGATORS can make another than the one that rows are written with.
_W3C = TraceContextTextMapPropagator()


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


def record(sampling: float) -> Sampler:
    """From now on spans are wanted; returns who says which. A trace that has begun somewhere is recorded here as it is there.

    Args:
        sampling: part of the traces begun here that is recorded, 0 to 1.
    """
    global _draw
    _draw = _Draw(sampling)
    return ParentBased(_draw)


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
    around = trace.get_current_span()
    if _draw is None or ((known := around.get_span_context()).is_valid and not known.trace_flags.sampled):
        yield around  # nothing will be recorded, so nothing is made
        return
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
            failed(current, error)
            raise


def failed(span: Span, error: BaseException) -> None:
    """Say by which class of error a span's work failed. Its message may carry what a stranger was given."""
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))


class RequestSpan:
    """The span around one request: like `span`, and cheap when it is not drawn.

    Args:
        caller: the caller's `traceparent` header; one that is malformed counts as none.
        trusted: whether the request goes on in the caller's trace, recorded if the caller says so. Otherwise it begins one of
            its own, which points at the caller's: strangers must not choose what we record, nor put it in a trace they share.
    """

    __slots__ = ("_caller", "_method", "_span", "_token", "_trusted")

    def __init__(self, method: str, caller: bytes | None, *, trusted: bool) -> None:
        self._method = method
        self._caller = caller.decode("latin-1") if caller else None
        self._trusted = trusted

    def __enter__(self) -> Self:
        context = _carried(self._caller) if self._trusted else Context()
        self._span = self._begun(context)
        self._token = attach(trace.set_span_in_context(self._span, context))
        return self

    def _begun(self, context: Context) -> Span:
        if context or (_draw is not None and _draw.wanted()):
            attributes = {"http.request.method": self._method}
            links = [] if context else _links(self._caller)
            return _TRACER.start_span(self._method, context, SpanKind.SERVER, attributes, links)
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
            if status >= 500:
                self._span.set_status(Status(StatusCode.ERROR, str(status)))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            failed(self._span, error)
        self._span.end()
        detach(self._token)


def trace_parent() -> str | None:
    """The current trace as a `traceparent`, to be stored with work; None outside of a trace."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def continued(parent: str | None) -> Iterator[None]:
    """Go on in the trace that `parent` names, or in none."""
    token = attach(_carried(parent))
    try:
        yield
    finally:
        detach(token)


def _carried(parent: str | None) -> Context:
    """What a `traceparent` says; empty if there is none or it is malformed."""
    return _W3C.extract({"traceparent": parent}, Context()) if parent else Context()


def _links(parent: str | None) -> list[Link]:
    earlier = trace.get_current_span(_carried(parent)).get_span_context()
    return [Link(earlier)] if earlier.is_valid else []

"""Installing the SDK, and leaving without waiting for a receiver that does not answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version

from opentelemetry import metrics, trace
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_ENDPOINT
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from statuette.kernel.telemetry import tracing

_LEAVING_SECONDS = 3.0


def configure(
    *,
    otlp_endpoint: str | None,
    sampling: float,
    otlp_headers: str | None = None,
    role: str = "",
    process_id: str = "",
    span_processors: tuple[SpanProcessor, ...] = (),
    metric_readers: tuple[MetricReader, ...] = (),
) -> None:
    """Install the SDK. Called once a process; without an endpoint and without processors nothing is recorded.

    Of OpenTelemetry's own variables those count that its SDK reads, for what our settings do not say: headers, certificates,
    time limits, intervals, sizes, resource attributes, and the endpoint if none is given.

    Args:
        otlp_endpoint: base address of a receiver, to which `/v1/traces` and `/v1/metrics` are added.
        otlp_headers: what the receiver wants, such as a key, as `name=value,…`.
        sampling: part of the traces that is recorded, 0 to 1.
        role, process_id: what this process is.
    """
    processors, readers = list(span_processors), list(metric_readers)
    if endpoint := otlp_endpoint or os.environ.get(OTEL_EXPORTER_OTLP_ENDPOINT):
        from statuette.kernel.telemetry import otlp

        processors.append(otlp.span_processor(endpoint, otlp_headers))
        readers.append(otlp.metric_reader(endpoint, otlp_headers))
    resource = _resource(role, process_id)
    # Neither is shut down at the interpreter's exit: that would wait half a minute for a receiver that does not answer.
    if processors:
        provider = TracerProvider(resource=resource, sampler=tracing.record(sampling), shutdown_on_exit=False)
        for processor in processors:
            provider.add_span_processor(processor)
        trace.set_tracer_provider(provider)
    if readers:
        metrics.set_meter_provider(
            MeterProvider(
                readers,
                resource,
                shutdown_on_exit=False,
                exemplar_filter=AlwaysOffExemplarFilter(),  # metrics carry no ids
            )
        )


def flush(seconds: float = _LEAVING_SECONDS) -> None:
    """Hand over what is still buffered; whatever the receiver does, within `seconds`."""
    until = time.monotonic() + seconds
    flushing = []
    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
        if isinstance(provider, TracerProvider | MeterProvider):
            # On a daemon thread, since the SDK takes its time whatever limit it is given, and it may block.
            thread = threading.Thread(target=_handing_over, args=(provider.force_flush,), daemon=True)
            thread.start()
            flushing.append(thread)
    for thread in flushing:
        thread.join(max(0.0, until - time.monotonic()))


def _handing_over(force_flush: Callable[[], bool]) -> None:
    with suppress(Exception):  # what is lost is lost; the reason has been logged
        force_flush()


def _resource(role: str, process_id: str) -> Resource:
    ours = {"service.name": "statuette", "service.version": version("statuette")}
    if process_id:
        ours["service.instance.id"] = process_id
    if role:
        ours["statuette.role"] = role
    # What an operator says in OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES counts for more.
    return Resource.create(ours).merge(OTELResourceDetector().detect())

"""Sending to a receiver by OTLP over HTTP. Imported only where there is one: what it needs takes its time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.re import parse_env_headers

_FAILURES_TO_TELL = 2  # a kept connection that the receiver has closed is one, and is tried again at once
_log = logging.getLogger(__name__)
# The SDK complains of every attempt, and quotes addresses and headers, which may hold a key.
logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)


def span_processor(endpoint: str, headers: str | None) -> SpanProcessor:
    """Sends spans in batches, from a thread of its own; drops them when its queue is full. Never waited for."""
    session = _Session("traces")
    return BatchSpanProcessor(OTLPSpanExporter(_address(endpoint, "traces"), headers=_parsed(headers), session=session))


def metric_reader(endpoint: str, headers: str | None) -> MetricReader:
    """Sends all metrics every now and then, from a thread of its own."""
    exporter = OTLPMetricExporter(_address(endpoint, "metrics"), headers=_parsed(headers), session=_Session("metrics"))
    return PeriodicExportingMetricReader(exporter)


def _address(endpoint: str, signal: str) -> str:
    return f"{endpoint.rstrip('/')}/v1/{signal}"


def _parsed(headers: str | None) -> Mapping[str, str]:
    return parse_env_headers(headers or "", liberal=True)


class _Session(requests.Session):
    """Says once that what it sends does not arrive, and once that it does again."""

    def __init__(self, signal: str) -> None:
        super().__init__()
        self._signal = signal
        self._failures = 0

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        try:
            answer = super().request(*arguments, **options)
        except Exception as error:
            self._failed(type(error).__name__)
            raise
        if answer.ok:
            self._arrived()
        else:
            self._failed(str(answer.status_code))
        return answer

    def _failed(self, why: str) -> None:
        self._failures += 1
        if self._failures == _FAILURES_TO_TELL:
            _log.warning("telemetry_not_sent", extra={"facts": {"signal": self._signal, "error": why}})

    def _arrived(self) -> None:
        if self._failures >= _FAILURES_TO_TELL:
            _log.warning("telemetry_sent_again", extra={"facts": {"signal": self._signal}})
        self._failures = 0

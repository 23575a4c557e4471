"""What the platform tells of itself, kept in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Self

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from statuette.kernel import telemetry


class Recorded(SpanExporter):
    """Keeps spans between entering and leaving the context; metrics go on counting over the tests of this process."""

    def __init__(self) -> None:
        self.finished: list[ReadableSpan] = []
        self._keeping = False
        self._reader = InMemoryMetricReader()
        telemetry.configure(
            otlp_endpoint=None,
            sampling=1.0,
            span_processors=(SimpleSpanProcessor(self),),
            metric_readers=(self._reader,),
        )
        assert isinstance(trace.get_tracer_provider(), TracerProvider)
        assert isinstance(metrics.get_meter_provider(), MeterProvider)

    def __enter__(self) -> Self:
        self._keeping = True
        return self

    def __exit__(self, *_: object) -> None:
        self._keeping = False
        self.finished.clear()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._keeping:
            self.finished.extend(spans)
        return SpanExportResult.SUCCESS

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.finished if span.name == name]

    def trace_of(self, span: ReadableSpan) -> list[ReadableSpan]:
        """The spans of the same trace, in the order of their start."""
        spans = [each for each in self.finished if trace_id(each) == trace_id(span)]
        return sorted(spans, key=lambda each: each.start_time or 0)

    def points(self) -> dict[str, list[dict[str, Any]]]:
        """By metric: every series with its attributes, and `value`, or `sum` and `count`."""
        data = self._reader.get_metrics_data()
        assert data is not None
        return {
            metric["name"]: metric["data"]["data_points"]
            for resource in json.loads(data.to_json())["resource_metrics"]
            for scope in resource["scope_metrics"]
            for metric in scope["metrics"]
        }

    def series(self) -> dict[str, list[dict[str, Any]]]:
        """By metric: the attributes of every series."""
        return {name: [point["attributes"] for point in points] for name, points in self.points().items()}

    def value(self, metric: str, **attributes: str) -> float | None:
        """Of a gauge or a counter, or how often a histogram was recorded to; None if there is no such series."""
        for point in self.points().get(metric, []):
            if point["attributes"] == attributes:
                return float(point["value"] if "value" in point else point["count"])
        return None


@cache
def recorder() -> Recorded:
    """The one of this process, in which the SDK can be configured only once."""
    return Recorded()


def trace_id(span: ReadableSpan) -> int:
    return int(span.context.trace_id)


def span_id(span: ReadableSpan) -> int:
    return int(span.context.span_id)


def parent_id(span: ReadableSpan) -> int | None:
    return None if span.parent is None else int(span.parent.span_id)

"""What the platform tells on the way: lines of logs, spans, keys and messages in Redis. Words of a person are in none of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from statuette.kernel import telemetry
from statuette.kernel.drill.places import Place, Seen, Tally, pieces
from statuette.kernel.drill.search import Search

_log = logging.getLogger(__name__)
_KEYS_AT_ONCE = 500
_CONTROL_LASTS_SECONDS = 600


class Logs(Place):
    """What this process has logged since `listening` began, as it was written."""

    name = "log of this process"
    unit = "lines"
    told = True

    def __init__(self) -> None:
        self._lines: list[str] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        handler = _Keeping(self._lines)
        formatters = [each.formatter for each in logging.getLogger().handlers if each.formatter is not None]
        handler.setFormatter(next(iter(formatters), telemetry.JsonLines()))
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)

    async def plant(self, control: bytes) -> bool:
        level = logging.getLogger().getEffectiveLevel()
        _log.log(level, "drill_control", extra={"facts": {"control": control.decode()}})
        # Whatever the form of the log, this line is in it.
        _log.log(level, "drill_control %s", control.decode())
        return True

    async def searched(self, search: Search) -> Seen:
        return _lines(search, self._lines)


class Spans(Place, SpanExporter):
    """The spans that this process has ended since `listening` began."""

    name = "spans of this process"
    unit = "spans"
    told = True

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []
        self._keeping = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Spans are recorded by whoever configured telemetry; in a process where nobody has, by this."""
        processor = SimpleSpanProcessor(self)
        provider = trace.get_tracer_provider()
        if isinstance(provider, TracerProvider):
            provider.add_span_processor(processor)
        else:
            telemetry.configure(otlp_endpoint=None, sampling=1.0, role="drill", span_processors=(processor,))
        self._keeping = True
        try:
            yield
        finally:
            self._keeping = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._keeping:
            self._spans.extend(spans)
        return SpanExportResult.SUCCESS

    async def plant(self, control: bytes) -> bool:
        with telemetry.span(f"drill control {control.decode()}"):
            pass
        return True

    async def searched(self, search: Search) -> Seen:
        return _lines(search, [span.to_json(indent=None) for span in list(self._spans)])


class Redis(Place):
    """Every key of a Redis database, whoever wrote it, and all that is in it."""

    name = "Redis"
    unit = "keys"
    told = True

    def __init__(self, url: str, namespace: str) -> None:
        self._url = url
        self._control = f"{namespace}:drill"

    async def plant(self, control: bytes) -> bool:
        import redis.asyncio as redis

        async with redis.Redis.from_url(self._url) as client:
            await client.set(self._control, control, ex=_CONTROL_LASTS_SECONDS)
        return True

    async def unplant(self) -> None:
        import redis.asyncio as redis

        async with redis.Redis.from_url(self._url) as client:
            await client.delete(self._control)

    async def searched(self, search: Search) -> Seen:
        import redis.asyncio as redis

        tally = Tally(search)
        async with redis.Redis.from_url(self._url) as client:
            async for key in client.scan_iter(count=_KEYS_AT_ONCE):
                tally.items += 1
                where = _shape(key)
                tally.value(where, key)
                for value in await _values(client, key):
                    tally.value(where, value)
        return tally.end()


class LogFiles(Place):
    """Files that other processes log to: what was appended since the drill began, or all of a file that began anew."""

    name = "log files"
    unit = "files"
    told = True

    def __init__(self, paths: Sequence[Path]) -> None:
        self._from = {path: path.stat().st_size for path in paths}

    async def searched(self, search: Search) -> Seen:
        return await asyncio.to_thread(self._searched, search)

    def _searched(self, search: Search) -> Seen:
        tally = Tally(search)
        for path, start in self._from.items():
            tally.items += 1
            tally.stream(path.name, pieces(path, start if path.stat().st_size >= start else 0))
        return tally.end()


class _Keeping(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._kept = lines

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._kept.append(self.format(record))
        except Exception:  # what cannot be formatted is not written by anybody
            self.handleError(record)


def _lines(search: Search, lines: Sequence[str]) -> Seen:
    tally = Tally(search)
    for line in list(lines):
        tally.items += 1
        tally.value("line", line.encode("utf-8", "replace"))
    return tally.end()


async def _values(client: Any, key: bytes) -> list[bytes]:
    """What a key holds, by its type. Empty for one that has gone meanwhile."""
    kind = (await client.type(key)).decode()
    match kind:
        case "string":
            value = await client.get(key)
            return [] if value is None else [value]
        case "list":
            return list(await client.lrange(key, 0, -1))
        case "set":
            return list(await client.smembers(key))
        case "zset":
            return list(await client.zrange(key, 0, -1))
        case "hash":
            return [part for pair in (await client.hgetall(key)).items() for part in pair]
        case "stream":
            return [part for _, fields in await client.xrange(key) for pair in fields.items() for part in pair]
        case "none":
            return []
    dumped = await client.dump(key)
    return [] if dumped is None else [dumped]


def _shape(key: bytes) -> str:
    """A key's name as far as it is not about one record."""
    return ":".join(key.decode("utf-8", "replace").split(":")[:2])

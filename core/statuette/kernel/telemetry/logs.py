"""Logs: one JSON object a line, tied to the trace that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from opentelemetry import trace


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

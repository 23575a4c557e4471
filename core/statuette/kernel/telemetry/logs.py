"""Logs: one JSON object a line, tied to the trace that it belongs to."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

from opentelemetry import trace

from statuette.policy import enforces

_ADDRESS = re.compile(r"[^\s@<>\"'\\]+@[^\s@<>\"'\\]+\.[^\s@<>\"'\\]+")
_OWN = "statuette"


@enforces("logs.content")
def silence(record: logging.LogRecord) -> None:
    """Take out of a record what may be somebody's, for every handler that comes after.

    Our own loggers fill in names and numbers. Of any other, a vendor's or a plugin's, the fixed part of a message is kept, and not
    what it was filled with; and nobody's line has an e-mail address in it.
    """
    if record.args and record.name.partition(".")[0] != _OWN:
        record.args = ()
    if "@" in (message := record.getMessage()):
        record.msg, record.args = _ADDRESS.sub("(address)", message), ()
    facts = getattr(record, "facts", None)
    if facts:
        record.facts = {
            name: _ADDRESS.sub("(address)", value) if isinstance(value, str) and "@" in value else value
            for name, value in facts.items()
        }


class JsonLines(logging.Formatter):
    """One JSON object a line, with the trace it belongs to. Extras are passed as `extra={"facts": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        silence(record)
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

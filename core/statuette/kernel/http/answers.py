"""Rendering answers: canonical bytes, an ETag, and caching bounded by what may be deleted."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.types import Receive, Scope, Send

from statuette.errors import InvalidInput
from statuette.kernel.http.headers import first
from statuette.values import is_id

_JSON = msgspec.json.Encoder()

Headers = list[tuple[bytes, bytes]]


class MalformedCursor(InvalidInput):
    code = "malformed_cursor"
    summary = "The cursor is not one of ours."


class Answer(Response[Any]):
    """An answer that is ready to be sent: nothing is left for Litestar to render or merge, which took longer than all else."""

    def __init__(self, content: bytes, status: int, headers: Headers) -> None:
        super().__init__(content, status_code=status, media_type="application/json")
        self._start: Any = {"type": "http.response.start", "status": status, "headers": headers}
        self._body: Any = {"type": "http.response.body", "body": content, "more_body": False}

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(self._start)
        await send(self._body)


def answer(
    request: Request[Any, Any, Any],
    body: msgspec.Struct,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    max_age_seconds: int = 0,
    due_at: datetime | None = None,
    now: datetime | None = None,
) -> Answer:
    """A private JSON answer with an ETag; 304 when the caller has it already. It is cached no longer than until `due_at`."""
    content = _JSON.encode(body)
    if due_at is not None and now is not None:
        max_age_seconds = max(0, min(max_age_seconds, int((due_at - now).total_seconds())))
    said = [
        (b"cache-control", b"private, max-age=%d" % max_age_seconds if max_age_seconds else b"private, no-cache"),
        (b"vary", b"Authorization, Cookie, Statuette-Key"),
    ]
    if headers:
        said += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    if request.method == "GET":
        etag = f'"{hashlib.sha256(content).hexdigest()[:27]}"'
        said.append((b"etag", etag.encode()))
        if etag in (first(request.scope, b"if-none-match") or ""):
            return Answer(b"", 304, said)
    said += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    return Answer(content, status, said)


def encode_cursor(last_id: str) -> str:
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, prefix: str) -> str | None:
    """The id a cursor stands for. Raises `MalformedCursor`."""
    value = decode_text(cursor)
    if value is not None and not is_id(value, prefix):
        raise MalformedCursor()
    return value


def decode_text(cursor: str | None) -> str | None:
    """What a cursor stands for, where that is no id: it may be anything. Raises `MalformedCursor`."""
    if cursor is None:
        return None
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        raise MalformedCursor() from None

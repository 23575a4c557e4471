"""Rendering answers: canonical bytes, an ETag, and caching bounded by what may be deleted."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response

from statuette.errors import InvalidInput
from statuette.values import is_id


class MalformedCursor(InvalidInput):
    code = "malformed_cursor"
    summary = "The cursor is not one of ours."


def answer(
    request: Request[Any, Any, Any],
    body: msgspec.Struct,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    max_age_seconds: int = 0,
    due_at: datetime | None = None,
    now: datetime | None = None,
) -> Response[bytes]:
    """A private JSON answer with an ETag; 304 when the caller has it already. It is cached no longer than until `due_at`."""
    content = msgspec.json.encode(body)
    etag = f'"{hashlib.sha256(content).hexdigest()[:27]}"'
    if due_at is not None and now is not None:
        max_age_seconds = max(0, min(max_age_seconds, int((due_at - now).total_seconds())))
    merged = {
        "cache-control": f"private, max-age={max_age_seconds}" if max_age_seconds else "private, no-cache",
        "vary": "Authorization, Cookie, Statuette-Key",
        **(headers or {}),
    }
    if request.method == "GET":
        merged["etag"] = etag
        if etag in request.headers.get("if-none-match", ""):
            return Response(content=b"", status_code=304, headers=merged, media_type="application/json")
    return Response(content=content, status_code=status, media_type="application/json", headers=merged)


def encode_cursor(last_id: str) -> str:
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, prefix: str) -> str | None:
    """The id a cursor stands for. Raises `MalformedCursor`."""
    if cursor is None:
        return None
    try:
        value = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        raise MalformedCursor() from None
    if not is_id(value, prefix):
        raise MalformedCursor()
    return value

"""The outermost layer: request id, security headers, body cap, trace, metrics. A thin ASGI wrapper, so that it is cheap."""

from __future__ import annotations

import logging
import re
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from opentelemetry.trace import SpanKind

from statuette.kernel import telemetry
from statuette.values import Clock, new_id

_log = logging.getLogger("statuette.access")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,80}")
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
_API_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_TOO_LARGE = (
    b'{"type":"urn:statuette:problem:request_too_large","title":"The body is too large.","status":413,'
    b'"code":"request_too_large","retryable":false,"request_id":"%s"}'
)


class Edge:
    """Wraps the application.

    Args:
        max_body_bytes: for every route but uploads, which have a bound of their own.
        max_upload_bytes: for `POST /v1/uploads`.
        https: whether the public address is https, which turns HSTS on.
    """

    def __init__(self, app: ASGIApp, clock: Clock, *, max_body_bytes: int, max_upload_bytes: int, https: bool) -> None:
        self._app = app
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        self._max_upload_bytes = max_upload_bytes + 65_536
        self._headers = [*_SECURITY, *([_HSTS] if https else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = self._request_id(headers.get(b"x-request-id", b""))
        scope.setdefault("state", {})["request_id"] = request_id
        limit = self._max_upload_bytes if scope["path"] == "/v1/uploads" else self._max_body_bytes
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > limit:
            await self._refuse(send, request_id)
            return
        status = 500
        began = self._clock.monotonic_seconds()

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                names = {name.lower() for name, _ in message["headers"]}
                extra = [(b"x-request-id", request_id.encode()), *self._headers]
                extra.extend(scope["state"].get("response_headers", ()))
                if b"content-security-policy" not in names:
                    extra.append(_API_CSP)
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        with (
            telemetry.continued(headers.get(b"traceparent", b"").decode("latin-1") or None),
            telemetry.span("http", SpanKind.SERVER, **{"http.request.method": scope["method"]}) as span,
        ):
            await self._app(scope, _capped(receive, limit), sending)
            route = _route(scope)
            span.update_name(f"{scope['method']} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            telemetry.http_requests.add(1, {"route": route, "status": f"{status // 100}xx"})
            if _log.isEnabledFor(logging.INFO):
                _log.info(
                    "request",
                    extra={
                        "facts": {
                            "method": scope["method"],
                            "route": route,
                            "status": status,
                            "ms": round((self._clock.monotonic_seconds() - began) * 1000, 1),
                            "request_id": request_id,
                        }
                    },
                )

    def _request_id(self, given: bytes) -> str:
        text = given.decode("latin-1")
        return text if _REQUEST_ID.fullmatch(text) else new_id("req", self._clock.now())

    async def _refuse(self, send: Send, request_id: str) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 413,
                "headers": [
                    (b"content-type", b"application/problem+json"),
                    (b"x-request-id", request_id.encode()),
                    (b"connection", b"close"),
                    *self._headers,
                ],
            }
        )
        await send({"type": "http.response.body", "body": _TOO_LARGE % request_id.encode(), "more_body": False})


def _capped(receive: Receive, limit: int) -> Receive:
    """A body without an honest Content-Length is cut off at the limit: the reader sees a disconnect."""
    received = 0

    async def capped() -> Any:
        nonlocal received
        message: Any = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit:
                return {"type": "http.disconnect"}
        return message

    return capped


def _route(scope: Scope) -> str:
    """The route's template; never the path, which holds ids."""
    template = scope.get("path_template")
    return str(template) if template else "unmatched"

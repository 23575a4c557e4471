"""The outermost layer: request id, security headers, body cap, trace, metrics. A thin ASGI wrapper, so that it is cheap."""

from __future__ import annotations

import logging
import re
from typing import Any

import msgspec
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from statuette.errors import StatuetteError
from statuette.kernel import telemetry
from statuette.kernel.http.body import BoundedBody, RequestTooLarge
from statuette.kernel.http.problems import MEDIA_TYPE, headers_of, problem_of
from statuette.values import Clock, new_id

_log = logging.getLogger("statuette.access")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,80}")
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_API_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_CLOSE = ((b"connection", b"close"),)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
# Routes that take files, by their path.
_WITH_FILES = frozenset(("/v1/uploads", "/v1/support", "/v1/account/support"))
_LINGER_BYTES = 32 * 1024 * 1024
_LINGER_SECONDS = 5.0


class Edge:
    """Wraps the application.

    Args:
        max_body_bytes: for every route but those that take files, which have a bound of their own.
        max_upload_bytes: for the files of one request.
        body_seconds: how long any body may take to arrive.
        https: whether the public address is https, which turns HSTS on.
        trust_traces: whether a `traceparent` header says what is recorded; else it is only pointed at.
    """

    def __init__(
        self,
        app: ASGIApp,
        clock: Clock,
        *,
        max_body_bytes: int,
        max_upload_bytes: int,
        body_seconds: float,
        https: bool,
        trust_traces: bool,
    ) -> None:
        self._app = app
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        self._max_upload_bytes = max_upload_bytes + 65_536
        self._body_seconds = body_seconds
        self._trust_traces = trust_traces
        self._headers = (*_SECURITY, *((_HSTS,) if https else ()))
        self._api_headers = (*self._headers, _API_CSP)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = self._request_id(headers.get(b"x-request-id"))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        began = self._clock.monotonic_seconds()
        limit = self._max_upload_bytes if scope["path"] in _WITH_FILES else self._max_body_bytes
        body = BoundedBody(receive, self._clock, max_bytes=limit, until_seconds=began + self._body_seconds)
        method = scope["method"]
        if head := method == "HEAD":
            # Answered like a GET, whose body then stays here.
            scope = {**scope, "method": HttpMethod.GET}
        announced_bytes = _announced_bytes(headers)
        early = not head and (announced_bytes > 0 or b"transfer-encoding" in headers)
        status = 500

        async def receiving() -> Any:
            if head and body.answered:
                return {"type": "http.disconnect"}  # so that a stream ends
            return await body()

        async def sending(message: Any) -> None:
            nonlocal status, early
            if message["type"] == "http.response.start":
                status = message["status"]
                early = early and status >= 400 and not body.complete
                if early and not body.failed and b"expect" not in headers:
                    # Whoever still sends must not find the connection closed, and Granian hands on no body after an answer.
                    await body.linger(max_bytes=_LINGER_BYTES, seconds=_LINGER_SECONDS)
                    early = not body.complete
                body.answered = True
                said = message["headers"]
                message["headers"] = [
                    *said,
                    (b"x-request-id", request_id.encode()),
                    *(self._headers if b"content-security-policy" in dict(said) else self._api_headers),
                    *state.get("response_headers", ()),
                    *(_CLOSE if early else ()),
                ]
            elif early and not message.get("more_body", False):
                first: Any = {**message, "more_body": True}
                await send(first)
                await body.linger(max_bytes=_LINGER_BYTES, seconds=_LINGER_SECONDS)
                message = {**message, "body": b""}
            elif head:
                return
            await send(message)
            if head:
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        # Strangers invent methods; what they invent would be a series of its own each.
        known = method if method in _METHODS else "_OTHER"
        with telemetry.RequestSpan(known, headers.get(b"traceparent"), trusted=self._trust_traces) as span:
            if announced_bytes > limit:
                await _refuse(sending, RequestTooLarge(max_bytes=limit), request_id)
            else:
                await self._app(scope, receiving, sending)
            route = _route(scope)
            span.answered(route, status)
            seconds = self._clock.monotonic_seconds() - began
            labels: dict[str, str | int] = {
                "http.request.method": known,
                "http.route": route,
                "http.response.status_code": status,
            }
            telemetry.http_seconds.record(seconds, labels)
            if _log.isEnabledFor(logging.INFO):
                facts = {
                    "method": method,
                    "route": route,
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                    "request_id": request_id,
                }
                _log.info("request", extra={"facts": facts})

    def _request_id(self, given: bytes | None) -> str:
        if given is not None and _REQUEST_ID.fullmatch(text := given.decode("latin-1")):
            return text
        return new_id("req", self._clock.now())


def _announced_bytes(headers: dict[bytes, bytes]) -> int:
    """The Content-Length; the server has refused what is not a number, and a body without one is counted as it comes."""
    length = headers.get(b"content-length")
    return int(length) if length is not None and length.isdigit() else 0


async def _refuse(send: Send, error: StatuetteError, request_id: str) -> None:
    """A problem document for a request that no route gets to see."""
    problem = problem_of(error, request_id)
    content = msgspec.json.encode(problem)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        *((name.encode(), value.encode()) for name, value in headers_of(problem).items()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})


def _route(scope: Scope) -> str:
    """The route's template; never the path, which holds ids."""
    template = scope.get("path_template")
    return str(template) if template else "unmatched"

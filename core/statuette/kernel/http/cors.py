"""Preflight requests, answered before routing: only a brand's own origins get a yes."""

from __future__ import annotations

from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from statuette.kernel.http.gate import cors_headers
from statuette.kernel.platform import Platform


class Preflight:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app = app
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "OPTIONS":
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            if b"access-control-request-method" in headers:
                await self._answer(headers, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, headers: dict[bytes, str], send: Send) -> None:
        origin = headers.get(b"origin", "")
        allowed: list[tuple[bytes, bytes]] = [(b"vary", b"Origin")]
        # A preflight carries no key, so the origin itself has to name the brand.
        if await self._platform.brands.by_origin(origin) is not None:
            allowed += cors_headers(origin)
            allowed += [
                (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
                (
                    b"access-control-allow-headers",
                    b"Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer,"
                    b" Statuette-Key, X-CSRF-Token",
                ),
                (b"access-control-max-age", b"600"),
            ]
        start: Any = {"type": "http.response.start", "status": 204, "headers": allowed}
        await send(start)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

"""Who is calling, on which brand, and may they: the same gate before every route, plugins' included.

The brand is named by the host, or by a publishable key in `Statuette-Key`; a secret key names its own. Every route wants an
account unless it says otherwise in its `opt`:

- `public`: anybody of the brand (a publishable key suffices); with `cookie`, a cookie session counts there, too;
- `brandless`: not even a brand (health checks, signed addresses);
- `scope`: a secret key with that scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from statuette.errors import Forbidden, NotFound, Unauthenticated
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.http.client_address import client_address
from statuette.kernel.http.limits import TooManyRequests, Verdict
from statuette.kernel.http.principal import Principal
from statuette.kernel.platform import Platform

SESSION_COOKIE = "statuette_session"
KEY_HEADER = b"statuette-key"
CSRF_HEADER = b"x-csrf-token"
GPC_HEADER = b"sec-gpc"  # https://www.w3.org/TR/gpc/: the value 1, and no other
_WINDOW_SECONDS = 60

Headers = Mapping[bytes, str]


class UnknownBrand(NotFound):
    code = "unknown_brand"
    summary = "No brand answers at this host."


class ScopeMissing(Forbidden):
    """The key lacks a scope; attribute `scope` names it."""

    code = "scope_missing"
    summary = "This key does not have the scope for this."


class Gate:
    """Litestar middleware."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app = app
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        opt: dict[str, Any] = scope["route_handler"].opt
        state = scope["state"]
        state["platform"] = self._platform
        address = client_address(scope, self._platform.settings.trusted_proxies)
        state["client_address"] = address
        if not opt.get("brandless"):
            headers = {
                name: value.decode("latin-1") for name, value in reversed([*scope["headers"]])
            }  # the first counts
            said: list[tuple[bytes, bytes]] = []
            state["response_headers"] = said  # refusals carry them, too: a front end has to be able to read those
            try:
                brand = await self._brand(headers)
                said += _cors(brand, headers)
                cookieless = bool(opt.get("public")) and not opt.get("cookie")
                principal = await self._principal(brand, scope["method"], headers, public=cookieless)
                self._authorize(opt, principal)
            except (Unauthenticated, NotFound):
                self._count(said, f"address:{address}", anonymous=True)  # guessing is bounded, too
                raise
            state["brand"], state["principal"] = brand, principal
            anonymous = principal.kind in ("anonymous", "publishable_key")
            self._count(said, f"address:{address}" if anonymous else principal.id, anonymous=anonymous)
            if principal.account_id is not None and headers.get(GPC_HEADER) == "1":
                await self._platform.consents.heed_signal(brand, principal.account_id)
        await self._app(scope, receive, send)

    def _count(self, said: list[tuple[bytes, bytes]], key: str, *, anonymous: bool) -> None:
        """Count a request and say where the caller stands. Raises `TooManyRequests`."""
        settings = self._platform.settings
        limit = settings.requests_per_minute_per_address if anonymous else settings.requests_per_minute_per_principal
        try:
            verdict = self._platform.buckets.take(key, limit=limit, window_seconds=_WINDOW_SECONDS)
        except TooManyRequests as refused:
            wait_seconds = ceil(refused.attributes["retry_after_seconds"])
            said += Verdict(limit, _WINDOW_SECONDS, 0, wait_seconds).headers("requests")
            raise
        said += verdict.headers("requests")

    async def _brand(self, headers: Headers) -> LoadedBrand:
        """The brand that is asked. Raises `UnknownBrand`, `Unauthenticated` (an unknown publishable key)."""
        directory = self._platform.brands
        key = headers.get(KEY_HEADER)
        authorization = headers.get(b"authorization")
        brand: LoadedBrand | None = None
        if key is not None:
            brand = await directory.by_publishable_key(key)
            if brand is None:
                raise Unauthenticated("The publishable key is not known.")
        elif authorization is not None and authorization.startswith("Bearer sk_"):
            brand = await directory.by_secret_key(authorization.removeprefix("Bearer "))
        if brand is None:
            brand = await directory.by_host(_host(headers))
        if brand is None:
            raise UnknownBrand(cure="Call a host of a brand, or send its publishable key as `Statuette-Key`.")
        return brand

    async def _principal(self, brand: LoadedBrand, method: str, headers: Headers, *, public: bool) -> Principal:
        # Signing in must work for a browser that kept its cookie and lost its CSRF token.
        cookie_counts = not public or method == "GET"
        return await self._platform.authenticator.authenticate(
            brand.id,
            authorization=headers.get(b"authorization"),
            cookie_token=_cookie(headers) if cookie_counts else None,
            csrf_header=headers.get(CSRF_HEADER),
            method=method,
        )

    def _authorize(self, opt: dict[str, Any], principal: Principal) -> None:
        if scope_wanted := opt.get("scope"):
            if principal.kind != "secret_key":
                raise Unauthenticated("This needs a secret key of the brand.")
            if scope_wanted not in principal.scopes:
                raise ScopeMissing(scope=scope_wanted)
        elif not opt.get("public") and principal.kind != "account":
            raise Unauthenticated()


def _host(headers: Headers) -> str:
    """The host without its port, in lower case."""
    host = headers.get(b"host", "").lower()
    return host.rsplit(":", 1)[0] if not host.endswith("]") else host


def _cookie(headers: Headers) -> str | None:
    cookies = headers.get(b"cookie")
    if cookies is None:
        return None
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        if name == SESSION_COOKIE:
            return value
    return None


def _cors(brand: LoadedBrand, headers: Headers) -> list[tuple[bytes, bytes]]:
    origin = headers.get(b"origin")
    if origin is None or origin not in brand.config.cors_origins:
        return []
    return [(b"vary", b"Origin"), *cors_headers(origin)]


def cors_headers(origin: str) -> list[tuple[bytes, bytes]]:
    """What a brand's own front end needs to read an answer."""
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (
            b"access-control-expose-headers",
            b"ETag, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Preference-Applied",
        ),
    ]

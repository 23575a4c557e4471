"""The HTTP application of a platform: its routes behind the gate, and around them what every request passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from litestar import Litestar, Router
from litestar.config.app import AppConfig
from litestar.datastructures import State
from litestar.types import ASGIApp

from statuette.kernel.http.cors import Preflight
from statuette.kernel.http.dependencies import DEPENDENCIES
from statuette.kernel.http.edge import Edge
from statuette.kernel.http.gate import Gate
from statuette.kernel.http.openapi import openapi_config, openapi_routes
from statuette.kernel.http.problems import respond
from statuette.kernel.http.routes import ROUTES
from statuette.kernel.platform import Platform
from statuette.kernel.running import running


def litestar_app(platform: Platform) -> Litestar:
    """Every route of a platform, behind the gate; its lifespan starts and stops the platform."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with running(platform):
            yield

    def gate(app: ASGIApp) -> ASGIApp:
        return Gate(app, platform)

    plugin_routers = [
        Router(path=f"/x/{name}", route_handlers=list(handlers)) for name, handlers in platform.plugins.routes.items()
    ]
    docs = platform.settings.docs_enabled
    return Litestar.from_config(
        AppConfig(
            route_handlers=[*ROUTES, *plugin_routers, *(openapi_routes() if docs else ())],
            dependencies=dict(DEPENDENCIES),
            middleware=[gate],
            exception_handlers={Exception: respond},
            openapi_config=openapi_config(platform.settings.public_url) if docs else None,
            lifespan=[lifespan],
            state=State({"platform": platform}),
            request_max_body_size=None,  # the edge bounds bodies
        )
    )


def http_app(platform: Platform, routes: ASGIApp | None = None) -> ASGIApp:
    """What answers requests.

    Args:
        routes: None: every route of the platform.
    """
    settings = platform.settings
    edged = Edge(
        Preflight(routes or litestar_app(platform), platform),
        platform.clock,
        max_body_bytes=settings.request_body_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        body_seconds=settings.request_body_seconds,
        https=settings.secure_cookies,
        trust_traces=settings.trust_incoming_traces,
    )
    return cast(ASGIApp, edged)

"""The OpenAPI 3.1 document and its interactive page, served from this process without any outside address."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from litestar import Response, Router, get
from litestar.datastructures import ResponseHeader
from litestar.exceptions import NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server, Tag
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from statuette import __version__

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
_PAGE_CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " frame-ancestors 'none'"
)
_DESCRIPTION = """
The API of a Statuette site. `/v1` is for people and front ends, `/admin/v1` for operators' secret keys.

The brand is named by the host, or by its publishable key in `Statuette-Key`. Errors are RFC 9457 problem documents: match on
`code`. Send an `Idempotency-Key` with every POST that creates something. Dates are RFC 3339 in UTC; pages go newest first,
with `cursor`.
"""
OPEN = {"public": True, "brandless": True}


def openapi_config(public_url: str) -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Statuette",
        version=__version__,
        description=_DESCRIPTION.strip(),
        openapi_router=Router(
            path="/docs",
            route_handlers=[],
            opt=OPEN,
            response_headers=[ResponseHeader(name="content-security-policy", value=_PAGE_CSP)],
            include_in_schema=False,
        ),
        use_handler_docstrings=True,
        servers=[Server(url=public_url)],
        tags=[
            Tag("Site"),
            Tag("Account", description="Sign-in by a mailed code, profile, consent."),
            Tag("Uploads"),
            Tag("Generations"),
            Tag("Figurines"),
            Tag("Credits"),
            Tag("Admin", description="For operators' secret keys."),
            Tag("Operations"),
        ],
        components=Components(
            security_schemes={
                "session": SecurityScheme(
                    type="http", scheme="bearer", description="A session token (`st_…`) or a secret key (`sk_…`)."
                ),
                "cookie": SecurityScheme(type="apiKey", name="statuette_session", security_scheme_in="cookie"),
                "brand": SecurityScheme(
                    type="apiKey", name="Statuette-Key", security_scheme_in="header", description="Publishable key."
                ),
            }
        ),
        security=[{"session": []}, {"cookie": []}],
        render_plugins=[
            SwaggerRenderPlugin(
                js_url="/docs-assets/swagger-ui-bundle.js",
                css_url="/docs-assets/swagger-ui.css",
                standalone_preset_js_url="/docs-assets/swagger-ui-standalone-preset.js",
                favicon="<link rel='icon' href='data:,'>",
                path="/",
            ),
            JsonRenderPlugin(path="/openapi.json"),
        ],
    )


def openapi_routes() -> tuple[ControllerRouterHandler, ...]:
    return (asset,)


@get("/docs-assets/{name:str}", opt=OPEN, include_in_schema=False, sync_to_thread=False)
def asset(name: FromPath[str]) -> Response[bytes]:
    """A file of the interactive page, out of the installed package."""
    if name not in _ASSETS:
        raise NotFoundException()
    return Response(
        content=(_static() / name).read_bytes(),
        media_type=_ASSETS[name],
        headers={"cache-control": "public, max-age=86400"},
    )


def _static() -> Path:
    spec = find_spec("swagger_ui")
    if spec is None or not spec.submodule_search_locations:
        raise NotFoundException()
    return Path(spec.submodule_search_locations[0]) / "static"

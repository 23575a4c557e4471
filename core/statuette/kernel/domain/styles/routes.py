"""What a site offers: its name, its styles, its limits. For anybody."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency as Injected

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.http.answers import answer
from statuette.kernel.platform import Platform
from statuette.styles import Style


class VariableView(msgspec.Struct, frozen=True):
    """A choice a style leaves open. `choices` is empty for free text of at most `max_length` characters."""

    name: str
    title: str
    kind: str
    default: str
    choices: list[str]
    max_length: int


class StyleView(msgspec.Struct, frozen=True):
    """A style. `credits` is the price of one picture."""

    slug: str
    version: int
    title: str
    summary: str
    credits: int
    aspect_ratios: list[str]
    variables: list[VariableView]


class StyleList(msgspec.Struct, frozen=True):
    items: list[StyleView]


class SiteView(msgspec.Struct, frozen=True):
    """The brand as its visitors may know it. `mode` is `test` or `live`."""

    slug: str
    title: str
    mode: str
    count_max: int
    max_upload_bytes: int
    policy_digest: str


class SiteRoutes(Controller):
    path = "/v1"
    tags = ["Site"]
    opt = {"public": True}

    @get("/site", summary="The site")
    async def site(
        self, request: Request[Any, Any, Any], platform: Injected[Platform], brand: Injected[LoadedBrand]
    ) -> Response[bytes]:
        return answer(
            request,
            SiteView(
                slug=brand.slug,
                title=brand.config.title,
                mode=brand.config.mode,
                count_max=brand.config.limits.count_max,
                max_upload_bytes=platform.settings.max_upload_bytes,
                policy_digest=brand.policy.digest,
            ),
            max_age_seconds=60,
        )

    @get("/styles", summary="Styles on offer")
    async def styles(
        self, request: Request[Any, Any, Any], platform: Injected[Platform], brand: Injected[LoadedBrand]
    ) -> Response[bytes]:
        """Every style with its choices and its price in credits."""
        items = [
            _view(style, price)
            for slug, price in brand.styles_with_prices()
            if (style := platform.plugins.latest_style(slug)) is not None
        ]
        return answer(request, StyleList(items), max_age_seconds=60)


def _view(style: Style, price: int) -> StyleView:
    return StyleView(
        slug=style.slug,
        version=style.version,
        title=style.title,
        summary=style.summary,
        credits=price,
        aspect_ratios=list(style.aspect_ratios),
        variables=[
            VariableView(v.name, v.title, v.kind, v.default, list(v.choices), v.max_length) for v in style.variables
        ],
    )

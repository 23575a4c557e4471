"""Papers about a brand's data over HTTP: those that law wants public for anybody, the others for operators; and what it heeds."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency as Injected
from litestar.params import PathParameter, QueryParameter

from statuette.errors import ConfigurationError, NotFound
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.notices import service
from statuette.kernel.domain.notices.pages import Form, form_of, page
from statuette.kernel.domain.notices.papers import changes_of, held_in, in_use, issuer
from statuette.kernel.http.answers import answer
from statuette.kernel.http.headers import language_of
from statuette.kernel.platform import Platform
from statuette.policy.papers import Paper, PaperKind, as_html, as_markdown, paper
from statuette.policy.words import LOCALES

Locale = Annotated[str | None, QueryParameter(max_length=35)]
Named = Annotated[Form | None, QueryParameter(name="format")]
PUBLIC = (PaperKind.processors, PaperKind.retention)
ALL = (PaperKind.record, PaperKind.agreement, *PUBLIC)
# Part of an address: one that names no paper leads nowhere, which is no fault in a value.
PublicKind = Annotated[str, PathParameter(enum=[each.value for each in PUBLIC])]
AnyKind = Annotated[str, PathParameter(enum=[each.value for each in ALL])]


class GlobalPrivacyControl(msgspec.Struct, frozen=True, rename="camel"):
    """That this site abides by `Sec-GPC: 1` (https://www.w3.org/TR/gpc/).

    Attributes:
        last_update: day of the policy's version that says so.
    """

    gpc: bool
    last_update: Annotated[str, msgspec.Meta(examples=["2026-11-29"])]


class PaperRoutes(Controller):
    path = "/v1/policy/papers"
    tags = ["Site"]
    opt = {"public": True}

    @get("/{kind:str}", summary="Read a public paper about this site's data")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        kind: PublicKind,
        media: Named = None,
        locale: Locale = None,
    ) -> Response[Any]:
        """`processors`: who receives data, and what has changed in that. `retention`: what is kept how long, and how it ends.

        HTML, Markdown or JSON, by `format` or else by `Accept`; in the language asked for where there is one.
        """
        return await _answered(request, platform, brand, _named(kind, PUBLIC), media, locale, public=True)


class AdminPaperRoutes(Controller):
    path = "/admin/v1/policy/papers"
    tags = ["Admin"]

    @get("/{kind:str}", opt={"scope": "policy:publish"}, summary="Read a paper about this site's data")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        kind: AnyKind,
        media: Named = None,
        locale: Locale = None,
    ) -> Response[Any]:
        """The public ones, and `record`: the record of processing (GDPR Art. 30); `agreement`: the data processing agreement
        (Art. 28) between who answers for the brand and who runs the platform.
        """
        return await _answered(request, platform, brand, _named(kind, ALL), media, locale, public=False)


@get("/.well-known/gpc.json", opt={"public": True}, summary="Whether Global Privacy Control is heeded", tags=["Site"])
async def global_privacy_control(
    request: Request[Any, Any, Any], platform: Injected[Platform], brand: Injected[LoadedBrand]
) -> Response[bytes]:
    """It is, with every request of somebody signed in that carries it: it counts as a no to each purpose that may be declined
    and that the signal is about, for good, unless the person says otherwise later.
    """
    async with platform.database.read() as reader:
        row = await service.in_force(reader, brand.id)
    return answer(request, GlobalPrivacyControl(True, f"{row.effective_at:%Y-%m-%d}"), max_age_seconds=3600)


def _named(kind: str, among: tuple[PaperKind, ...]) -> PaperKind:
    """Raises `NotFound`."""
    if kind not in among:
        raise NotFound(f"There is no such paper here. There are: {', '.join(among)}.")
    return PaperKind(kind)


async def _answered(
    request: Request[Any, Any, Any],
    platform: Platform,
    brand: LoadedBrand,
    kind: PaperKind,
    media: Form | None,
    locale: str | None,
    *,
    public: bool,
) -> Response[Any]:
    shown = await _paper(platform, brand, kind, locale or language_of(request))
    form = form_of(request, media)
    if form == "json":
        return answer(request, shown, headers={"content-language": shown.locale}, max_age_seconds=60)
    text = as_html(shown) if form == "html" else as_markdown(shown)
    return page(request, text, form, shown.locale, public=public)


async def _paper(platform: Platform, brand: LoadedBrand, kind: PaperKind, asked: str) -> Paper:
    """In the language asked for, or in English, which every pack speaks."""
    language = asked.lower().partition("-")[0]
    async with platform.database.read() as reader:
        changes = await changes_of(reader, brand.id) if kind is PaperKind.processors else ()
    policy, held = in_use(brand, platform.plugins), [held_in(each) for each in platform.datasets.values()]
    for spoken in dict.fromkeys((language if language in LOCALES else "en", "en")):
        try:
            return paper(kind, policy, issuer(brand.config), held, changes=changes, locale=spoken)
        except ConfigurationError:
            if spoken == "en":
                raise
    raise AssertionError("English was tried last")

"""Versions of the privacy policy over HTTP: to read, for anybody; to publish, for operators."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody, QueryParameter

from statuette.errors import NotFound
from statuette.kernel.db.database import Reader
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.notices import service
from statuette.kernel.domain.notices.pages import Form, form_of
from statuette.kernel.domain.notices.pages import page as document
from statuette.kernel.domain.notices.rendering import Reworded, as_page, best, reworded
from statuette.kernel.domain.notices.repository import VersionRow
from statuette.kernel.domain.notices.schemas import (
    LettersView,
    PendingView,
    PolicyDiff,
    PolicyView,
    PublishRequest,
    VersionDetail,
    VersionPage,
    VersionView,
)
from statuette.kernel.http.answers import answer
from statuette.kernel.http.headers import language_of
from statuette.kernel.http.principal import Principal
from statuette.kernel.platform import Platform
from statuette.policy.notice import Notice, as_html, as_markdown

_NUMBERS_END = 2**31 - 1
Locale = Annotated[str | None, QueryParameter(max_length=35)]


class PolicyRoutes(Controller):
    path = "/v1/policy"
    tags = ["Site"]
    opt = {"public": True}

    @get(summary="Read the privacy policy")
    async def current(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        locale: Locale = None,
    ) -> Response[bytes]:
        """The version that holds now, in the language asked for where there is one, and a later one if it is published."""
        async with platform.database.read() as reader:
            row = await service.in_force(reader, brand.id)
            newest = (await service.versions(reader, brand.id, before=_NUMBERS_END, limit=1))[0]
            notices = await service.notices_of(reader, row.id)
        upcoming = _view(platform, newest) if newest.number > row.number else None
        shown = best(notices, locale or language_of(request))
        return answer(request, PolicyView(_view(platform, row), upcoming, sorted(notices), shown), max_age_seconds=60)

    @get("/notice", summary="The privacy notice as a page")
    async def page(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        media: Annotated[Form | None, QueryParameter(name="format")] = None,
        locale: Locale = None,
        version: Annotated[int | None, QueryParameter(ge=1, le=_NUMBERS_END)] = None,
    ) -> Response[Any]:
        """HTML without scripts, Markdown, or JSON, by `format` or else by `Accept`; of the version that holds now unless another
        is named.
        """
        async with platform.database.read() as reader:
            if version is None:
                row = await service.in_force(reader, brand.id)
            else:
                row = await service.version(reader, brand.id, version)
            shown = best(await service.notices_of(reader, row.id), locale or language_of(request))
        form = form_of(request, media)
        if form == "json":
            return answer(request, shown, max_age_seconds=60)
        return document(request, as_html(shown) if form == "html" else as_markdown(shown), form, shown.locale)

    @get("/versions", summary="List versions of the privacy policy")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
        before: Annotated[int, QueryParameter(ge=1, le=_NUMBERS_END)] = _NUMBERS_END,
    ) -> Response[bytes]:
        """Newest first. `next_cursor` is the `before` of the next page."""
        async with platform.database.read() as reader:
            rows = await service.versions(reader, brand.id, before=before, limit=limit + 1)
        more = str(rows[limit - 1].number) if len(rows) > limit else None
        return answer(request, VersionPage([_view(platform, row) for row in rows[:limit]], more), max_age_seconds=60)

    @get("/versions/{number:int}", summary="Read a version of the privacy policy")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        number: FromPath[int],
        locale: Locale = None,
    ) -> Response[bytes]:
        """What it says, in the language asked for where there is one, and what was different before."""
        async with platform.database.read() as reader:
            row = await service.version(reader, brand.id, min(number, _NUMBERS_END))
            before = await service.before(reader, row)
            differences = await service.differences_of(reader, row.id)
            notices = await service.notices_of(reader, row.id)
            shown = best(notices, locale or language_of(request))
            words = await _reworded(reader, before, shown)
        detail = VersionDetail(_view(platform, row), words, list(differences), sorted(notices), shown)
        return answer(request, detail, max_age_seconds=60)

    @get("/diff", summary="Compare two versions of the privacy policy")
    async def diff(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        old: Annotated[int, QueryParameter(ge=1, le=_NUMBERS_END)],
        new: Annotated[int, QueryParameter(ge=1, le=_NUMBERS_END)],
        locale: Locale = None,
    ) -> Response[bytes]:
        """Any two, in either order: in words, in the language asked for where both speak it, and rule by rule."""
        async with platform.database.read() as reader:
            earlier, later = [await service.version(reader, brand.id, number) for number in (old, new)]
            found = await service.between(reader, earlier, later)
            shown = best(await service.notices_of(reader, later.id), locale or language_of(request))
            words = await _reworded(reader, earlier, shown)
        return answer(
            request,
            PolicyDiff(
                old=_view(platform, earlier),
                new=_view(platform, later),
                change=found.change.value,
                asks=list(found.asks),
                reworded=words,
                differences=list(found.differences),
            ),
            max_age_seconds=60,
        )


class AdminPolicyRoutes(Controller):
    path = "/admin/v1/policy"
    tags = ["Admin"]

    @get("/pending", opt={"scope": "policy:publish"}, summary="What publishing would do")
    async def pending(
        self, request: Request[Any, Any, Any], platform: Injected[Platform], brand: Injected[LoadedBrand]
    ) -> Response[bytes]:
        """The difference between the policy in use and the one published last, and what it asks for."""
        found = await platform.publishing.pending(brand)
        return answer(
            request,
            PendingView(
                needed=found.needed,
                digest=found.document.digest(),
                since=found.since.number if found.since is not None else None,
                change=found.comparison.change.value,
                asks=list(found.comparison.asks),
                differences=list(found.comparison.differences),
            ),
        )

    @post("/versions", status_code=201, opt={"scope": "policy:publish"}, summary="Publish the privacy policy")
    async def publish(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        data: JSONBody[PublishRequest],
    ) -> VersionView:
        """Post a version: every account gets a letter, and is asked again where what it agreed to has changed.

        Publishing the same twice is refused with 409 `nothing_to_publish`, so a repeated request does no harm.
        """
        row = await platform.publishing.publish(
            brand, approved_by=principal.id, effective_at=data.effective_at, expected=data.digest
        )
        return _view(platform, row)

    @get("/versions/{number:int}/letters", opt={"scope": "policy:publish"}, summary="How far the letters have got")
    async def letters(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        number: FromPath[int],
    ) -> Response[bytes]:
        """How many letters about a version wait, were sent, were refused, or had nobody left to be sent to."""
        async with platform.database.read() as reader:
            row = await service.version(reader, brand.id, min(number, _NUMBERS_END))
        return answer(request, LettersView(_view(platform, row), await platform.publishing.letters(row)))


@get(
    "/policy/{version_id:str}",
    opt={"public": True, "brandless": True},
    summary="A version of a privacy policy as a page",
    tags=["Site"],
)
async def policy_page(
    request: Request[Any, Any, Any], platform: Injected[Platform], version_id: FromPath[str], locale: Locale = None
) -> Response[Any]:
    """The address in letters: it needs neither a brand's host nor a session. What is different stands below."""
    async with platform.database.read() as reader:
        row = await service.version_by_id(reader, version_id[:120])
        if row is None:
            raise NotFound("There is no such version.")
        shown = best(await service.notices_of(reader, row.id), locale or language_of(request))
        words = await _reworded(reader, await service.before(reader, row), shown)
    return document(request, as_page(shown, words, row.number - 1), "html", shown.locale)


async def _reworded(reader: Reader, before: VersionRow | None, shown: Notice) -> list[Reworded]:
    """What a version says otherwise than the one before, where both are in one language."""
    if before is None:
        return []
    old = best(await service.notices_of(reader, before.id), shown.locale)
    return reworded(old, shown) if old.locale == shown.locale else []


def _view(platform: Platform, row: VersionRow) -> VersionView:
    return VersionView(
        number=row.number,
        digest=row.digest,
        change=row.change,
        asks=list(row.asked()),
        published_at=row.published_at,
        effective_at=row.effective_at,
        page=f"{platform.settings.public_url}/policy/{row.id}",
    )

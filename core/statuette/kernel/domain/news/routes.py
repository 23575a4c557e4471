"""News over HTTP: written by operators; ended by whoever has such a letter, with one click and without signing in."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.news.repository import NewsRow
from statuette.kernel.domain.news.schemas import NewsRequest, NewsView
from statuette.kernel.http.answers import answer
from statuette.kernel.http.headers import language_of
from statuette.kernel.http.principal import Principal
from statuette.kernel.idempotency.once import Once
from statuette.kernel.mail.wording import Wording
from statuette.kernel.platform import Platform

_PAGE = (
    '<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>'
    "<body><p>{text}</p>{button}</body></html>\n"
)
_BUTTON = '<form method="post"><button>{label}</button></form>'
_ASK = {
    "en": ("News by mail", "Do you want no more news by mail?", "No more"),
    "de": ("Neuigkeiten per E-Mail", "Möchtest du keine Neuigkeiten per E-Mail mehr?", "Keine mehr"),
}
_DONE = {
    "en": "You get no more news by mail. Letters that you need, such as sign-in codes, still come.",
    "de": "Du bekommst keine Neuigkeiten per E-Mail mehr. Nötige Briefe, etwa Anmeldecodes, kommen weiterhin.",
}


class AdminNewsRoutes(Controller):
    path = "/admin/v1/news"
    tags = ["Admin"]
    opt = {"scope": "news:write"}

    @post(status_code=202, summary="Write to everybody who wants news")
    async def write(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        once: Injected[Once | None],
        data: JSONBody[NewsRequest],
    ) -> Response[bytes]:
        """Sent to those alone whose consent to `marketing` is live when their letter goes out, each with a way to end them."""
        texts = {tag: Wording(each.subject, each.text) for tag, each in data.texts.items()}
        letter_id = await platform.news.write(brand, texts, created_by=principal.id, once=once)
        row = await platform.news.read(brand, letter_id)
        return answer(request, _view(row), status=202, headers={"location": f"/admin/v1/news/{letter_id}"})

    @get("/{letter_id:str}", summary="How far a letter with news has got")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        letter_id: FromPath[str],
    ) -> Response[bytes]:
        return answer(request, _view(await platform.news.read(brand, letter_id)))


class UnsubscribeRoutes(Controller):
    path = "/unsubscribe/{token:str}"
    tags = ["Site"]
    opt = {"public": True, "brandless": True}

    @get(summary="Ask whether to unsubscribe")
    async def ask(
        self, request: Request[Any, Any, Any], platform: Injected[Platform], token: FromPath[str]
    ) -> Response[str]:
        """A page with a button. Looking at it ends nothing: programs that check links look at all of them."""
        platform.news.ended(token[:400])
        title, text, label = _ASK[_language(request)]
        return _page(request, title, text, _BUTTON.format(label=label))

    @post(status_code=200, summary="Unsubscribe with one click")
    async def unsubscribe(
        self, request: Request[Any, Any, Any], platform: Injected[Platform], token: FromPath[str]
    ) -> Response[str]:
        """RFC 8058: what mail programs send. Needs no session; doing it twice changes nothing. Service mail goes on."""
        await platform.news.unsubscribe(token[:400])
        language = _language(request)
        return _page(request, _ASK[language][0], _DONE[language])


def _language(request: Request[Any, Any, Any]) -> str:
    language = language_of(request).partition("-")[0].lower()
    return language if language in _ASK else "en"


def _page(request: Request[Any, Any, Any], title: str, text: str, button: str = "") -> Response[str]:
    page = _PAGE.format(language=_language(request), title=title, text=text, button=button)
    return Response(page, status_code=200, media_type="text/html", headers={"cache-control": "no-store"})


def _view(row: NewsRow) -> NewsView:
    return msgspec.convert(row, NewsView, from_attributes=True)

"""Answers that are papers: a page of HTML, of Markdown, or JSON, as the caller likes best; with an ETag, cached for a minute."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from litestar import Request, Response

from statuette.kernel.http.headers import first, joined
from statuette.policy.page import STYLE_SOURCE

Form = Literal["html", "md", "json"]
_KINDS = {"html": "text/html", "md": "text/markdown"}
_BY_TYPE: dict[str, Form] = {
    "text/html": "html",
    "text/*": "html",
    "*/*": "html",
    "text/markdown": "md",
    "application/json": "json",
}
_CSP = f"default-src 'none'; style-src {STYLE_SOURCE}; frame-ancestors 'none'"
_MAX_AGE_SECONDS = 60


def form_of(request: Request[Any, Any, Any], named: Form | None) -> Form:
    """The form that is named, else the first of those that `Accept` lists which there is, else HTML."""
    if named is not None:
        return named
    for said in joined(request.scope, b"accept").split(","):
        kind, *parameters = (part.strip() for part in said.split(";"))
        if kind.lower() in _BY_TYPE and "q=0" not in parameters:
            return _BY_TYPE[kind.lower()]
    return "html"


def page(
    request: Request[Any, Any, Any], text: str, form: Literal["html", "md"], locale: str, *, public: bool = True
) -> Response[Any]:
    """A page in a language; 304 when the caller has it already."""
    content = text.encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:27]}"'
    headers = {
        "etag": etag,
        "content-language": locale,
        "cache-control": f"{'public' if public else 'private'}, max-age={_MAX_AGE_SECONDS}",
        "vary": "Accept, Accept-Language" if public else "Accept, Accept-Language, Authorization",
        "content-security-policy": _CSP,
    }
    if etag in (first(request.scope, b"if-none-match") or ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=_KINDS[form], headers=headers)

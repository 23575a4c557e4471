"""Request headers as they are in the scope: looked up where they lie, since most requests need two or three of them."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.types import Scope


def first(scope: Scope, name: bytes) -> str | None:
    """The first header called `name`, in lower case; None without one."""
    for given, value in scope["headers"]:
        if given == name:
            return value.decode("latin-1")
    return None


def joined(scope: Scope, name: bytes) -> str:
    """A header that is a list, from all the lines it may be spread over (RFC 9110, 5.2)."""
    return ",".join([value.decode("latin-1") for given, value in scope["headers"] if given == name])


def language_of(request: Request[Any, Any, Any]) -> str:
    """The language the browser likes best, as a tag; English when it does not say."""
    said = joined(request.scope, b"accept-language")
    return said.split(",")[0].split(";")[0].strip()[:35] or "en"

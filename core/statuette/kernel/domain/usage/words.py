"""The closed lists of what may be noted of a use. Nothing that somebody typed is among it."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What happened. The four ends of a job are the states that it ends in."""

    ordered = "ordered"
    succeeded = "succeeded"
    blocked = "blocked"
    failed = "failed"
    canceled = "canceled"
    visited = "visited"
    """A page was open for a while; its front end says so."""
    rated = "rated"


class Page(StrEnum):
    """Where somebody was. What a front end has no word for is `other`."""

    home = "home"
    styles = "styles"
    upload = "upload"
    result = "result"
    gallery = "gallery"
    account = "account"
    other = "other"


class Span(StrEnum):
    """About how long: the seconds themselves are not kept."""

    moment = "under_10s"
    minute = "under_1m"
    minutes = "under_5m"
    half_hour = "under_30m"
    longer = "longer"


_UPTO_SECONDS = ((10, Span.moment), (60, Span.minute), (300, Span.minutes), (1800, Span.half_hour))


def span_of(seconds: int) -> Span:
    """The span that so many seconds fall into."""
    return next((span for upto, span in _UPTO_SECONDS if seconds < upto), Span.longer)

"""What the API takes and says about usage."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from statuette.kernel.domain.usage.words import Page

Stars = Annotated[int, Meta(ge=1, le=5, description="From 1, not at all, to 5, very much.", examples=[4])]


class PageVisit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page was open for so long. Kept as one of five spans, from `under_10s` to `longer`."""

    page: Annotated[Page, Meta(examples=["gallery"])]
    seconds: Annotated[int, Meta(ge=0, le=86_400, examples=[41])]


class UsageEvents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a front end noticed since it last told."""

    events: Annotated[
        list[PageVisit],
        Meta(min_length=1, max_length=20, examples=[[{"page": "gallery", "seconds": 41}]]),
    ]


class UsageRecorded(msgspec.Struct, frozen=True):
    """How many of the events were noted: all of them, or none, where the person does not want to be counted."""

    recorded: Annotated[int, Meta(examples=[1])]


class RatingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody thinks of a figurine."""

    stars: Stars


class RatingView(msgspec.Struct, frozen=True):
    """What somebody thinks of a figurine; null: they have not said."""

    figurine_id: str
    stars: Stars | None


class UsageCellView(msgspec.Struct, frozen=True):
    """About how many accounts did the same in one week in the same way.

    Attributes:
        week: its first day, a Monday, in UTC.
        kind: ordered, succeeded, blocked, failed, canceled, visited or rated.
        style, page: what it was about; empty where it was about none.
        level: for how long a page was open, or how many stars a figurine got.
        accounts: how many, give or take a few.
        events: how often altogether, give or take a few; of each account five at most.
    """

    week: str
    kind: str
    style: str
    page: str
    level: str
    browser: str
    system: str
    accounts: int
    events: int


class UsageReport(msgspec.Struct, frozen=True):
    """A page of cells, the latest counted first. What fewer than 20 accounts did, or not clearly more, is in none."""

    items: list[UsageCellView]
    next_cursor: str | None

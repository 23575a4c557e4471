"""What the API says about news."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from statuette.kernel.domain.accounts.schemas import Locale


class NewsText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A letter in one language, as plain text. The way to unsubscribe is added to it."""

    subject: Annotated[str, Meta(min_length=1, max_length=150, examples=["A new style: clay"])]
    text: Annotated[str, Meta(min_length=1, max_length=20_000, examples=["Figurines can be made of clay now."])]


class NewsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A letter to everybody who agreed to news, by language; whoever speaks none of these gets the first."""

    texts: Annotated[
        dict[Locale, NewsText],
        Meta(
            min_length=1, max_length=20, examples=[{"en": {"subject": "New styles", "text": "Five of them are here."}}]
        ),
    ]


class NewsView(msgspec.Struct, frozen=True):
    """A letter to all. `prepared` of them are on their way or there; all of them once `prepared_at` is set."""

    id: str
    created_at: datetime
    prepared: int
    prepared_at: datetime | None

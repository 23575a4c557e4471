"""What the API says about statements."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Digest = Annotated[
    str,
    Meta(
        max_length=80,
        pattern=r"^sha256:[0-9a-f]{64}$",
        examples=["sha256:1dcd9cdb0b910fdbf7a03fb886fde1ebdaec0980a6a8811d2a809720b0d857d3"],
    ),
]


class StatementText(msgspec.Struct, frozen=True):
    """A statement that this site asks for.

    Attributes:
        asked: `signup`, once for an account; `upload`, with every photo.
        url: where what is accepted can be read, if there is such a place.
    """

    id: str
    text: str
    digest: str
    locale: str
    asked: Literal["signup", "upload"]
    url: str | None


class StatementTexts(msgspec.Struct, frozen=True):
    items: list[StatementText]


class StatementView(msgspec.Struct, frozen=True):
    """A statement and you.

    Attributes:
        made: whether you have made it in words that are in force.
        ask_again: you have made it in other words.
        made_at: when you last made it; null if never.
    """

    id: str
    text: str
    digest: str
    locale: str
    url: str | None
    made: bool
    ask_again: bool
    made_at: datetime | None


class StatementList(msgspec.Struct, frozen=True):
    items: list[StatementView]


class StatementMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The person states it. `digest`: of the words that were shown; refused with 409 when others are in force."""

    digest: Digest | None = None

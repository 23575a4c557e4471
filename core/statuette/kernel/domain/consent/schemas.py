"""What the API says about consent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta


class ConsentResponse(msgspec.Struct, frozen=True):
    """One purpose that data is used for.

    Attributes:
        statement: what the person agrees to or is told.
        statement_digest: names this wording; send it back with a decision.
        basis: `consent` can be granted and taken back; anything else cannot be decided on.
        granted: whether the person's agreement to this wording is live; null where none is asked for.
        decided_at: when the person last decided; null if never.
    """

    purpose: str
    title: str
    statement: str
    statement_digest: str
    basis: str
    granted: bool | None
    decided_at: datetime | None


class ConsentList(msgspec.Struct, frozen=True):
    items: list[ConsentResponse]


class ConsentUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision on one purpose.

    Attributes:
        statement_digest: of the wording that was shown. A grant is refused with 409 when the wording has changed since.
    """

    granted: Annotated[bool, Meta(examples=[True])]
    statement_digest: Annotated[str, Meta(max_length=80, pattern=r"^sha256:[0-9a-f]{64}$")] | None = None

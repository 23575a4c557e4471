"""The API's shapes of uncovering."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from statuette.kernel.access.reveals import RevealRow

Reason = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{1,59}$",
        description="A code, such as `identity_unclear`; it is shown to the person.",
        examples=["manifestly_unfounded"],
    ),
]


class Reveal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody has to see this."""

    reason: Reason


class RevealView(msgspec.Struct, frozen=True):
    """A look that was taken.

    Attributes:
        subject: `account`, `privacy_request`, `takedown`, `takedown_picture`, `support_question` or `support_attachment`;
            `record_id` is its id, for a picture the case's, for what is attached the question's.
        account_id: whom it was about: null for somebody without an account, a pseudonym once they are erased.
        key_id: who looked.
    """

    id: str
    subject: str
    record_id: str
    account_id: str | None
    key_id: str
    reason: str
    at: datetime

    @classmethod
    def of(cls, row: RevealRow) -> RevealView:
        return cls(row.id, row.subject, row.record_id, row.account_id, row.actor, row.reason, row.created_at)


class RevealPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[RevealView]
    next_cursor: str | None

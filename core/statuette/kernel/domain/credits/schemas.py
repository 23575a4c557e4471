"""The API's shapes of credits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from statuette.kernel.domain.credits.views import Balance, TransferView


class ExpiringResponse(msgspec.Struct, frozen=True):
    """So many of the available credits expire then, unless they are used before."""

    amount: int
    expires_at: datetime


class BalanceResponse(msgspec.Struct, frozen=True):
    """What an account has.

    Attributes:
        available: what may be spent now.
        held: what running jobs have set aside; charged for what they deliver, else given back.
        expiring: the part of `available` that does not last, soonest first.
        debt: credits that were refunded after they were spent. What comes in pays them first; until then no job begins.
    """

    available: int
    held: int
    expiring: list[ExpiringResponse]
    debt: int

    @classmethod
    def of(cls, balance: Balance) -> BalanceResponse:
        return cls(
            available=balance.available,
            held=balance.held,
            expiring=[ExpiringResponse(item.amount, item.expires_at) for item in balance.expiring],
            debt=balance.debt,
        )


class TransferResponse(msgspec.Struct, frozen=True):
    """One movement of credits.

    Attributes:
        kind: purchased, granted, held, captured, released, expired, adjusted; refunded (taken back, so owed), repaid (what
            was owed) or returned (a refund or dispute that came to nothing).
        amount: credits moved; negative only for an adjustment that takes away.
        cause: the payment or refund behind it; null where there is none.
        reference: the job it was for, or the lot of credits that came in or expired.
        expires_at: when the credits that came in expire; null where they last, or where none came in.
    """

    id: str
    kind: str
    amount: int
    reference: str | None
    created_at: datetime
    expires_at: datetime | None
    cause: str | None

    @classmethod
    def of(cls, transfer: TransferView) -> TransferResponse:
        return cls(
            id=transfer.id,
            kind=transfer.kind,
            amount=transfer.amount,
            reference=transfer.reference,
            created_at=transfer.created_at,
            expires_at=transfer.expires_at,
            cause=transfer.cause,
        )


class HistoryPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[TransferResponse]
    next_cursor: str | None


class GrantRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Credits to give. They last unless `expires_at`, a moment in the future with its zone, is set."""

    amount: Annotated[int, Meta(ge=1, le=1_000_000, examples=[20])]
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None

"""What the ledger tells the rest of the platform."""

from __future__ import annotations

from datetime import datetime

import msgspec


class TransferView(msgspec.Struct, frozen=True):
    """One movement of credits.

    Attributes:
        kind: purchased, granted, held, captured, released, expired, adjusted, refunded, repaid or returned.
        amount: credits moved; negative only for an adjustment that takes away.
        reference: what it was for: the job of a hold, else the lot of credits that was filled or emptied.
        actor: who or what caused it.
        cause: the payment or refund behind it, if any.
        expires_at: when the credits that came in expire, or did.
    """

    id: str
    account_id: str
    kind: str
    amount: int
    reference: str | None
    actor: str
    created_at: datetime
    expires_at: datetime | None
    cause: str | None = None


class HoldView(msgspec.Struct, frozen=True):
    """Credits set aside for one job: `open`, then for good `captured` (in part or whole) or `released`."""

    id: str
    account_id: str
    reference: str
    amount: int
    captured: int
    state: str
    created_at: datetime
    closed_at: datetime | None


class Expiring(msgspec.Struct, frozen=True):
    """So many of the available credits end at that moment."""

    amount: int
    expires_at: datetime


class Balance(msgspec.Struct, frozen=True):
    """What an account has. `available` counts nothing that has expired, swept or not; `expiring` is soonest first.

    While anything is owed (`debt`) nothing is available: whatever comes in pays it first.
    """

    available: int
    held: int
    expiring: tuple[Expiring, ...] = ()
    debt: int = 0

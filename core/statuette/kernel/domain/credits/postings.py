"""Which two ledger accounts each kind of transfer moves credits between. Pure; the one place that names them.

`source:` accounts give credits out and go below zero, `sink:` accounts take them for good, `wallet:<account>` is what an
account may spend, `held:<account>` what its running jobs hold, `debt:<account>` what it owes, and so never above zero.

Credits that are taken back are owed first and repaid next, by what there is at once and by whatever comes in later.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class TransferKind(StrEnum):
    purchased = "purchased"
    granted = "granted"
    held = "held"
    captured = "captured"
    released = "released"
    expired = "expired"
    adjusted = "adjusted"
    refunded = "refunded"
    repaid = "repaid"
    returned = "returned"


class Route(NamedTuple):
    """From where to where; `{}` stands for the account's id."""

    source: str
    target: str


WALLET = "wallet:"
HELD = "held:"
DEBT = "debt:"

ROUTES: dict[TransferKind, Route] = {
    TransferKind.purchased: Route("source:purchased", f"{WALLET}{{}}"),
    TransferKind.granted: Route("source:granted", f"{WALLET}{{}}"),
    TransferKind.held: Route(f"{WALLET}{{}}", f"{HELD}{{}}"),
    TransferKind.captured: Route(f"{HELD}{{}}", "sink:captured"),
    TransferKind.released: Route(f"{HELD}{{}}", f"{WALLET}{{}}"),
    TransferKind.expired: Route(f"{WALLET}{{}}", "sink:expired"),
    # The amount of an adjustment has a sign: a negative one flows the other way.
    TransferKind.adjusted: Route("adjusted", f"{WALLET}{{}}"),
    TransferKind.refunded: Route(f"{DEBT}{{}}", "sink:refunded"),
    TransferKind.repaid: Route(f"{WALLET}{{}}", f"{DEBT}{{}}"),
    # A refund that did not reach the person, a dispute that was won.
    TransferKind.returned: Route("sink:refunded", f"{WALLET}{{}}"),
}


class Leg(NamedTuple):
    """One entry: credits that a ledger account got, or gave if negative."""

    ledger_account: str
    amount: int


def legs(kind: TransferKind, account_id: str, amount: int) -> tuple[Leg, Leg]:
    """The two entries of a transfer. They add up to nothing."""
    route = ROUTES[kind]
    return Leg(route.source.format(account_id), -amount), Leg(route.target.format(account_id), amount)

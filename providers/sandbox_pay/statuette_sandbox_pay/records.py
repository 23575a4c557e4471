"""What the gateway keeps: the port's own structs as they are shown, and beside them what nobody outside needs to know."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.ports.payment import Article, Checkout, CheckoutRequest, Payment, Subscription
from statuette.values import Money
from statuette_sandbox_pay.cards import Card


class CustomerRecord(msgspec.Struct, frozen=True):
    """Somebody who has paid.

    Attributes:
        email: None once erased.
        card: what later payments are charged to.
        erased: whether the person was forgotten; nothing is sold to this customer any more.
    """

    id: str
    email: str | None
    card: Card | None
    erased: bool = False

    @property
    def customer(self) -> str:
        return self.id

    @property
    def token(self) -> None:
        return None

    def __repr__(self) -> str:  # the address never reaches a log
        return f"CustomerRecord({self.id})"


class Entry(msgspec.Struct, frozen=True):
    """What was entered on the page for paying. The number of the card is not kept, only what the card does."""

    card: Card
    email: str
    promotion: bool = False

    def __repr__(self) -> str:
        return f"Entry({self.card})"


class CheckoutRecord(msgspec.Struct, frozen=True):
    """A page for paying.

    Attributes:
        request: the address in it goes when the checkout is over.
        token: the secret part of the page's address.
        attempt: of a payment that was begun on the page.
        asked: while the person is to approve the payment.
        declined: whether the last attempt failed.
    """

    request: CheckoutRequest
    shown: Checkout
    token: str
    attempt: str | None = None
    asked: Entry | None = None
    declined: bool = False

    @property
    def id(self) -> str:
        return self.shown.id

    @property
    def customer(self) -> str | None:
        return self.shown.customer


class PaymentRecord(msgspec.Struct, frozen=True):
    """A payment.

    Attributes:
        title: of what was paid for.
        token: the secret part of the receipt's address.
        attempts: how often it was tried.
    """

    shown: Payment
    title: str
    token: str
    attempts: int = 1

    @property
    def id(self) -> str:
        return self.shown.id

    @property
    def customer(self) -> str | None:
        return self.shown.customer


class SubscriptionRecord(msgspec.Struct, frozen=True):
    """A subscription.

    Attributes:
        anchor: where the first paid interval begins; the others end so many months after it.
        intervals: how many have begun; none while a trial runs.
        discount: off the first paid interval, while that has not begun.
        taxed: whether tax is added.
    """

    shown: Subscription
    plan: Article
    anchor: datetime
    intervals: int
    next_plan: Article | None = None
    discount: Money | None = None
    taxed: bool = False

    @property
    def id(self) -> str:
        return self.shown.id

    @property
    def customer(self) -> str | None:
        return self.shown.customer

    @property
    def token(self) -> None:
        return None


class PortalRecord(msgspec.Struct, frozen=True):
    """An open page on which a customer looks after their subscriptions."""

    id: str
    customer: str
    token: str
    return_url: str
    expires_at: datetime


Record = CustomerRecord | CheckoutRecord | PaymentRecord | SubscriptionRecord | PortalRecord

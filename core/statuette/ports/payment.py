"""The payment port: a gateway that takes people's money for a brand.

What the kernel keeps is never taken from an event. An event only names an object; the kernel asks for the object as it is now
(`fetch`) and brings its own records in line with that. So events may come twice, late, in any order or not at all.

Amounts are whole minor units of their currency (`statuette.values.Money`). Times are aware.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from statuette.errors import InvalidInput, StatuetteError
from statuette.ports.processor import Erasure, Processor
from statuette.values import Money


class Interval(StrEnum):
    """How often a plan is paid."""

    month = "month"
    year = "year"


class Kind(StrEnum):
    """What a reference names. Refunds and disputes are part of their payment, invoices are payments."""

    checkout = "checkout"
    payment = "payment"
    subscription = "subscription"


class Reference(msgspec.Struct, frozen=True):
    """An object at the gateway.

    Attributes:
        id: the gateway's own id, at most 100 characters.
    """

    kind: Kind
    id: str


class Tags(msgspec.Struct, frozen=True):
    """What ties an object at the gateway to us. A provider stores them with whatever it makes, and gives them back.

    Attributes:
        brand: the brand's id, `brd_…`.
        account: the account's id, `acc_…`.
        checkout: the id of the checkout that it all began with, `chk_…`.
    """

    brand: str
    account: str
    checkout: str


class Period(msgspec.Struct, frozen=True):
    """From `start` until before `end`."""

    start: datetime
    end: datetime


class Article(msgspec.Struct, frozen=True):
    """A pack or plan at one price.

    Attributes:
        sku: stable, unique within the brand: `pack:starter`, `plan:monthly`. A price is found by sku and currency.
        title: what the person reads.
        price: of one piece, or of one interval; before discount and tax.
        interval: None for a pack.
    """

    sku: str
    title: str
    price: Money
    interval: Interval | None = None


class CheckoutRequest(msgspec.Struct, frozen=True):
    """A page on which one article is to be paid.

    Attributes:
        idempotency_key: the same key makes the same checkout; derived from our ids.
        discount: off the price of a pack, or of a plan's first interval, below the price and in its currency; None for nothing.
        trial_days: of a plan: so many days are free, the method of payment is asked for all the same.
        customer: the gateway's customer of this account, if there is one yet.
        email: prefilled where the gateway makes a new customer; None leaves it to the person.
        success_url: where the browser goes after paying. Coming there proves nothing.
        cancel_url: where it goes when the person gives up.
        locale: BCP 47.
        expires_at: until when it may be paid, 30 minutes to 24 hours from now.
        automatic_tax: have the gateway add the tax that is due.
        promotion_codes: let the person enter codes made at the gateway.
    """

    idempotency_key: str
    tags: Tags
    article: Article
    success_url: str
    cancel_url: str
    locale: str
    expires_at: datetime
    discount: Money | None = None
    trial_days: int = 0
    customer: str | None = None
    email: str | None = None
    automatic_tax: bool = False
    promotion_codes: bool = False

    def __repr__(self) -> str:  # the address never reaches a log
        return f"CheckoutRequest({self.tags.checkout}, {self.article.sku})"


class CheckoutState(StrEnum):
    open = "open"
    """May still be paid."""
    completed = "completed"
    """Went through. A pack's payment may still be pending (bank transfers)."""
    expired = "expired"
    """Can no longer be paid, and was not."""


class Checkout(msgspec.Struct, frozen=True):
    """A page for paying, as it is now.

    Attributes:
        url: where the person pays; None when it can no longer be paid.
        payment: of a pack, once it went through.
        subscription: of a plan, once it went through.
        customer: the gateway's customer, once there is one.
    """

    id: str
    tags: Tags | None
    state: CheckoutState
    url: str | None
    payment: str | None = None
    subscription: str | None = None
    customer: str | None = None

    def __repr__(self) -> str:  # whoever has the address can see what is bought
        return f"Checkout({self.id}, {self.state})"


class PaymentState(StrEnum):
    pending = "pending"
    """Not settled yet."""
    succeeded = "succeeded"
    """The money was paid. Stays so when it is refunded or disputed."""
    failed = "failed"
    """Was not paid; final, or until the gateway tries again."""


class Reason(StrEnum):
    """What a payment is for."""

    purchase = "purchase"
    """A pack."""
    period = "period"
    """An interval of a subscription."""
    change = "change"
    """The difference to a dearer plan, for the rest of an interval."""
    other = "other"
    """Something that was not sold through us."""


class RefundState(StrEnum):
    pending = "pending"
    succeeded = "succeeded"
    failed = "failed"
    """It did not reach the person: the money is back with the operator."""


class Refund(msgspec.Struct, frozen=True):
    """Money given back."""

    id: str
    amount: Money
    state: RefundState
    created_at: datetime


class DisputeState(StrEnum):
    open = "open"
    """The person's bank has taken the money back until it is decided."""
    won = "won"
    """The operator has it again."""
    lost = "lost"
    """It is gone."""


class Dispute(msgspec.Struct, frozen=True):
    """The person's bank wants the money back.

    Attributes:
        reason: the gateway's own code, lower snake case.
        evidence_due_at: until when the operator may answer.
    """

    id: str
    amount: Money
    state: DisputeState
    reason: str
    created_at: datetime
    evidence_due_at: datetime | None = None


class Payment(msgspec.Struct, frozen=True):
    """Money for one thing, as it is now, with everything that became of it.

    Attributes:
        id: the canonical one: whatever of it an event names (a charge, a refund, a dispute), `fetch` answers with this.
        tags: None for a payment that was not begun by us.
        amount: what was paid or is to be paid, in all.
        discount: what was taken off before tax.
        tax: the part of `amount` that is tax.
        article: the sku that was paid for, None if it is not told.
        subscription: of which it pays an interval or a change.
        covers: the interval paid for; of a change, from then to the interval's end.
        refunds: oldest first, failed ones too.
        disputes: oldest first.
        customer: the gateway's customer.
        document: the number of the invoice or receipt.
        document_url: where it can be read; an address at the gateway.
        retry_at: when the gateway tries a failed payment again; None: it does not.
    """

    id: str
    tags: Tags | None
    state: PaymentState
    reason: Reason
    amount: Money
    created_at: datetime
    discount: Money | None = None
    tax: Money | None = None
    article: str | None = None
    subscription: str | None = None
    covers: Period | None = None
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    customer: str | None = None
    document: str | None = None
    document_url: str | None = None
    retry_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Payment({self.id}, {self.reason}, {self.state})"


class SubscriptionState(StrEnum):
    incomplete = "incomplete"
    """The first payment has not gone through."""
    trialing = "trialing"
    active = "active"
    past_due = "past_due"
    """A renewal was not paid; the gateway is still trying."""
    paused = "paused"
    """Nothing is charged and nothing is due."""
    ended = "ended"
    """Cancelled, or given up by the gateway; final."""


class Subscription(msgspec.Struct, frozen=True):
    """A plan that somebody pays for again and again, as it is now.

    Attributes:
        article: sku and price of the plan in force.
        next_article: sku of the plan from the next interval on, where it is another one.
        period: the interval or the trial that runs now.
        ends_at_period_end: it is cancelled and not yet over.
        latest_payment: the last invoice's, paid or not.
    """

    id: str
    tags: Tags | None
    state: SubscriptionState
    article: str
    period: Period
    next_article: str | None = None
    ends_at_period_end: bool = False
    ended_at: datetime | None = None
    customer: str | None = None
    latest_payment: str | None = None


GatewayObject = Checkout | Payment | Subscription


class Event(msgspec.Struct, frozen=True):
    """That something became of an object. Says what to look at, never how it is.

    Attributes:
        id: unique at the gateway.
        type: the gateway's own name for it, at most 100 characters.
        about: what to ask for; None for a type that concerns nothing of ours.
        live: whether it is about real money.
    """

    id: str
    type: str
    created_at: datetime
    about: Reference | None
    live: bool


class EventPage(msgspec.Struct, frozen=True):
    """Events, oldest first. `cursor` goes on after the last of them, also when there are no more yet."""

    events: tuple[Event, ...]
    cursor: str
    more: bool


class Movement(msgspec.Struct, frozen=True):
    """Money that came to or left the operator's balance at the gateway.

    Attributes:
        id: the gateway's.
        kind: `dispute` goes out and may come back.
        amount: before fees; negative when it leaves.
        fee: what the gateway keeps of it.
        payment: the canonical id of the payment it belongs to.
    """

    id: str
    kind: Literal["payment", "refund", "dispute", "other"]
    amount: Money
    fee: Money
    created_at: datetime
    payment: str | None = None


class MovementPage(msgspec.Struct, frozen=True):
    """Movements, oldest first; `cursor` as for events."""

    movements: tuple[Movement, ...]
    cursor: str
    more: bool


class CatalogueChange(msgspec.Struct, frozen=True):
    """One difference between what is on sale here and at the gateway."""

    sku: str
    action: Literal["create", "update", "retire"]
    what: str
    """What it is about: `product`, or `price EUR`."""
    before: str | None = None
    after: str | None = None


class PaymentUnavailable(StatuetteError):
    """The gateway is down, slow or asks us to come back. Retryable with the same idempotency key; it may have happened."""

    code = "payment_unavailable"
    retryable = True
    summary = "The payment gateway is not available."


class PaymentRefused(StatuetteError):
    """The gateway will not do this. Final. Attribute `reason`: its own code, lower snake case."""

    code = "payment_refused"
    summary = "The payment gateway refused this."


class GatewayMisconfigured(StatuetteError):
    """The gateway does not take the brand's key, or the key lacks a permission. Final until an operator sees to it.

    Attribute `setting` names the key's setting. The key itself is in no message.
    """

    code = "gateway_misconfigured"
    summary = "The payment gateway does not accept this site's key."


class UnknownReference(StatuetteError):
    """The gateway has no such object for this merchant. Final."""

    code = "unknown_reference"
    summary = "The payment gateway does not know this."


class NotOffered(StatuetteError):
    """The gateway has no such thing. Final. Attribute `operation`."""

    code = "not_offered"
    summary = "This payment gateway cannot do that."


class EventRefused(InvalidInput):
    """An event's signature, age or form is wrong. Final; the sender gets 400. Nothing of it is kept.

    Attribute `why`: `signature`, `stale`, `malformed` or `mode` (real money at a test endpoint, or the reverse).
    """

    code = "event_refused"
    summary = "This event is not accepted."


class Merchant(ABC):
    """One brand's account at a gateway.

    Called concurrently on one event loop. Every method may raise `PaymentUnavailable`, `GatewayMisconfigured` and, where it
    changes something, `PaymentRefused`. Retries within a call are bounded and carry the same idempotency key.
    """

    @property
    @abstractmethod
    def live(self) -> bool:
        """Whether it takes real money."""

    @property
    @abstractmethod
    def hears_events(self) -> bool:
        """Whether `parse_event` has what it needs. Where it has not, the address for events does not exist."""

    @abstractmethod
    async def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Make a page for paying. Idempotent by its key. Called before anything is owed, and again after a crash."""

    @abstractmethod
    async def create_portal(self, customer: str, return_url: str, locale: str) -> str:
        """The address of a page where the person sees invoices, changes the card and cancels. Each call makes a new one.

        Raises:
            UnknownReference: no such customer.
            NotOffered: the gateway has no such page.
        """

    @abstractmethod
    async def cancel_subscription(
        self, subscription: str, *, at_period_end: bool, idempotency_key: str
    ) -> Subscription:
        """End it now, without money back, or when the paid time is over. Idempotent; of one that has ended, nothing changes.

        Raises:
            UnknownReference.
        """

    @abstractmethod
    async def keep_subscription(self, subscription: str, *, idempotency_key: str) -> Subscription:
        """Take back a cancellation at the period's end, and a plan that was to begin then. Idempotent.

        Raises:
            UnknownReference.
            PaymentRefused: it has ended.
        """

    @abstractmethod
    async def change_subscription(
        self, subscription: str, article: Article, *, at_period_end: bool, idempotency_key: str
    ) -> Subscription:
        """Go over to another plan of the same currency and interval.

        At once: the difference for the rest of the interval is charged at once, and where that fails nothing changes. At the
        period's end: the next interval costs the other price. Idempotent by its key.

        Raises:
            UnknownReference.
            PaymentRefused: the difference was not paid (`reason` `declined`), or the subscription is not active.
        """

    @abstractmethod
    async def refund(self, payment: str, amount: Money, *, idempotency_key: str) -> Refund:
        """Give back `amount` of a payment. Idempotent by its key.

        Raises:
            UnknownReference.
            PaymentRefused: more than what is left of it, or too late.
        """

    @abstractmethod
    def parse_event(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Verify and read an event. No I/O; secrets are compared in constant time.

        Args:
            headers: names in lower case.
            body: as it came.

        Raises:
            EventRefused.
        """

    @abstractmethod
    async def fetch(self, reference: Reference) -> GatewayObject:
        """The object as it is now.

        Raises:
            UnknownReference.
        """

    @abstractmethod
    async def events_since(self, cursor: str | None, since: datetime) -> EventPage:
        """What happened, oldest first; some events may come again.

        Args:
            cursor: of the page before; None begins at `since`.
            since: gateways forget: older ones may be missing.
        """

    @abstractmethod
    async def movements_since(self, cursor: str | None, since: datetime) -> MovementPage:
        """How the balance came about, oldest first.

        Raises:
            NotOffered: the gateway does not tell.
        """

    async def sync_catalogue(
        self, articles: tuple[Article, ...], brand: str, *, apply: bool
    ) -> tuple[CatalogueChange, ...]:
        """Make what is on sale known to the gateway. Idempotent.

        Args:
            articles: all of them, each price an article of its own.
            brand: the brand's slug.
            apply: False only tells what would be done.

        Raises:
            NotOffered: the gateway keeps no catalogue.
        """
        raise NotOffered(operation="sync_catalogue")

    @abstractmethod
    async def erase_customer(self, customer: str) -> Erasure:
        """Have the gateway forget the person as far as the law lets it. Idempotent; running subscriptions were ended before."""

    async def aclose(self) -> None:
        """Release connections. Idempotent."""


class PaymentProvider(ABC):
    """A kind of gateway. Instances are created once a process; constructors do no I/O and do not import the vendor's SDK."""

    name: str
    """Unique among payment providers; part of the address for events, so `[a-z][a-z0-9_]*`."""

    sandbox: bool = False
    """Whether it never takes real money, whatever it is set to. A live brand does not sell through such a one."""

    @property
    @abstractmethod
    def processor(self) -> Processor:
        """Who receives the data, for what, and what they keep."""

    @abstractmethod
    def merchant(self, brand: str) -> Merchant | None:
        """The account of the brand with that slug; None while it is not set up. Called often; the same object each time."""

    async def aclose(self) -> None:
        """Release what merchants opened. Called once, at shutdown; idempotent."""

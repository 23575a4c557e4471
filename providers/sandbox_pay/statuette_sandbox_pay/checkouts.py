"""Pages for paying: made, paid, declined, approved, given up. Functions take an open transaction."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from msgspec.structs import replace

from statuette.ports.payment import (
    Checkout,
    CheckoutRequest,
    CheckoutState,
    Kind,
    PaymentRefused,
    PaymentState,
    Period,
    Reason,
    UnknownReference,
)
from statuette_sandbox_pay import subscriptions
from statuette_sandbox_pay.books import Transaction
from statuette_sandbox_pay.cards import Card
from statuette_sandbox_pay.months import after
from statuette_sandbox_pay.payments import bill, charge, new_token, payment_of
from statuette_sandbox_pay.prices import Quote, quote
from statuette_sandbox_pay.records import CheckoutRecord, CustomerRecord, Entry, PaymentRecord

_SHORTEST = timedelta(minutes=30)
_LONGEST = timedelta(hours=24)
_SLACK = timedelta(minutes=1)  # the request took a moment to come here
_LONGEST_TRIAL_DAYS = 730


class Outcome(StrEnum):
    """What became of an attempt to pay."""

    paid = "paid"
    declined = "declined"
    asks = "asks"
    """The person has to approve it on another page."""
    over = "over"
    """The page can no longer be paid: it was, or it has expired."""


def create(tx: Transaction, request: CheckoutRequest, pay_url: str) -> str:
    """A new page; answers with its id.

    Raises:
        PaymentRefused: what is asked for makes no sense.
        UnknownReference: the customer.
    """
    _check(tx, request)
    if request.customer is not None:
        customer_of(tx, request.customer)
    token = new_token()
    shown = Checkout(
        id=tx.new_id("checkout"),
        tags=request.tags,
        state=CheckoutState.open,
        url=f"{pay_url}/{token}",
        customer=request.customer,
    )
    tx.put(CheckoutRecord(request, shown, token))
    tx.at(request.expires_at, "checkout_expires", shown.id)
    return shown.id


def _check(tx: Transaction, request: CheckoutRequest) -> None:
    article, discount = request.article, request.discount
    if article.price.amount_minor <= 0:
        raise PaymentRefused("What is sold costs more than nothing.", reason="amount_invalid")
    if discount is not None and (
        discount.currency != article.price.currency or not 0 < discount.amount_minor < article.price.amount_minor
    ):
        raise PaymentRefused("A discount is below the price, in its currency.", reason="discount_invalid")
    if not 0 <= request.trial_days <= _LONGEST_TRIAL_DAYS or (request.trial_days and article.interval is None):
        raise PaymentRefused("Only plans have a trial, of two years at most.", reason="trial_invalid")
    if not _SHORTEST - _SLACK <= request.expires_at - tx.now <= _LONGEST + _SLACK:
        raise PaymentRefused("A checkout lasts between 30 minutes and 24 hours.", reason="expires_at_invalid")
    for url in (request.success_url, request.cancel_url):
        if not _is_web_address(url):
            raise PaymentRefused("The browser is sent to http and https addresses only.", reason="url_invalid")


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not any(letter in url for letter in " ;,\"'<>\\")
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def due_now(record: CheckoutRecord, *, promotion: bool = False) -> Quote | None:
    """What is charged when the page is paid; None for a trial, which is free."""
    request = record.request
    if request.trial_days:
        return None
    taken = promotion and request.promotion_codes
    return quote(request.article.price, request.discount, promotion=taken, taxed=request.automatic_tax)


def pay(tx: Transaction, id: str, entry: Entry, receipt_url: str) -> Outcome:
    """Somebody entered a card and pressed the button. Raises `UnknownReference`."""
    record = tx.get(CheckoutRecord, id)
    if record.shown.state is not CheckoutState.open:
        return Outcome.over
    if entry.card is Card.asks:
        tx.put(replace(record, asked=entry, declined=False))
        return Outcome.asks
    return _attempt(tx, record, entry, receipt_url, approved=True)


def answer(tx: Transaction, id: str, receipt_url: str, *, approved: bool) -> Outcome:
    """Somebody was asked to approve what they entered, and did or did not. Raises `UnknownReference`."""
    record = tx.get(CheckoutRecord, id)
    if record.shown.state is not CheckoutState.open or record.asked is None:
        return Outcome.over
    return _attempt(tx, record, record.asked, receipt_url, approved=approved)


def _attempt(tx: Transaction, record: CheckoutRecord, entry: Entry, receipt_url: str, *, approved: bool) -> Outcome:
    card = entry.card if approved else Card.declines
    quoted = due_now(record, promotion=entry.promotion)
    request = record.request
    if quoted is None:  # nothing is charged, and a card that would be declined is noticed all the same
        payment, paid = None, card.is_charged(present=True)
    else:
        payment = charge(tx, _payment(tx, record, quoted), card, present=True, receipt_url=receipt_url)
        paid = payment.shown.state is PaymentState.succeeded
    if not paid:
        attempt = None if payment is None else payment.id
        tx.put(replace(record, attempt=attempt, asked=None, declined=True))
        return Outcome.declined
    customer = _customer(tx, record, entry)
    subscription = None if request.article.interval is None else tx.new_id("subscription")
    if payment is not None:
        payment = replace(payment, shown=replace(payment.shown, customer=customer, subscription=subscription))
        tx.put(payment)
    if subscription is not None:
        subscriptions.begin(tx, record, customer, payment, subscription)
    shown = replace(
        record.shown,
        state=CheckoutState.completed,
        url=None,
        payment=payment.id if payment is not None and subscription is None else None,
        subscription=subscription,
        customer=customer,
    )
    tx.put(replace(record, request=replace(request, email=None), shown=shown, asked=None, declined=False))
    tx.never("checkout_expires", record.id)
    tx.tell("checkout.completed", Kind.checkout, record.id)
    return Outcome.paid


def _payment(tx: Transaction, record: CheckoutRecord, quoted: Quote) -> PaymentRecord:
    """Of the first attempt, or as it is after the last one, for what it costs now."""
    article = record.request.article
    period = None if article.interval is None else Period(tx.now, after(tx.now, article.interval, 1))
    if record.attempt is not None:
        before = payment_of(tx, record.attempt)
        money = replace(before.shown, amount=quoted.total, discount=quoted.discount, tax=quoted.tax, covers=period)
        return replace(before, shown=money)
    return bill(
        tx,
        quoted,
        tags=record.request.tags,
        reason=Reason.purchase if period is None else Reason.period,
        title=article.title,
        article=article.sku,
        customer=record.shown.customer,
        covers=period,
    )


def _customer(tx: Transaction, record: CheckoutRecord, entry: Entry) -> str:
    if record.shown.customer is not None:
        known = tx.get(CustomerRecord, record.shown.customer)
        tx.put(replace(known, card=entry.card, email=known.email or entry.email))
        return known.id
    made = CustomerRecord(tx.new_id("customer"), entry.email, entry.card)
    tx.put(made)
    tx.tell("customer.created")
    return made.id


def expire(tx: Transaction, id: str) -> None:
    """Its time is over. Of one that was paid, nothing changes."""
    record = tx.get(CheckoutRecord, id)
    if record.shown.state is not CheckoutState.open:
        return
    shown = replace(record.shown, state=CheckoutState.expired, url=None)
    tx.put(replace(record, request=replace(record.request, email=None), shown=shown, asked=None, declined=False))
    tx.tell("checkout.expired", Kind.checkout, id)


def customer_of(tx: Transaction, id: str) -> CustomerRecord:
    """Raises `UnknownReference`, also where the person was forgotten."""
    record = tx.get(CustomerRecord, id)
    if record.erased:
        raise UnknownReference()
    return record


def erase(tx: Transaction, id: str) -> None:
    """Forget the person. Nothing happens where they are not known."""
    try:
        record = tx.get(CustomerRecord, id)
    except UnknownReference:
        return
    for checkout in tx.of_customer(CheckoutRecord, id):
        expire(tx, checkout.id)
    tx.put(replace(record, email=None, card=None, erased=True))
    if not record.erased:
        tx.tell("customer.erased")

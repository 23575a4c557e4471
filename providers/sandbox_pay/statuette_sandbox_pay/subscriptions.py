"""Subscriptions: intervals that turn, payments that are tried again, other plans, the end. Functions take an open transaction."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from statuette.ports.payment import (
    Article,
    Kind,
    PaymentRefused,
    PaymentState,
    Period,
    Reason,
    Subscription,
    SubscriptionState,
)
from statuette_sandbox_pay.books import Transaction
from statuette_sandbox_pay.cards import Card
from statuette_sandbox_pay.months import after
from statuette_sandbox_pay.payments import bill, charge, payment_of
from statuette_sandbox_pay.prices import difference, quote
from statuette_sandbox_pay.records import CheckoutRecord, CustomerRecord, PaymentRecord, SubscriptionRecord

RETRIES = 3
BETWEEN_RETRIES = timedelta(days=1)
_RUNS = (SubscriptionState.trialing, SubscriptionState.active)


def begin(
    tx: Transaction, checkout: CheckoutRecord, customer: str, payment: PaymentRecord | None, id: str
) -> SubscriptionRecord:
    """What was bought on a page begins: with a paid interval, or with a trial where there is no payment."""
    request = checkout.request
    interval = request.article.interval
    assert interval is not None
    trial_ends = tx.now + timedelta(days=request.trial_days)
    period = Period(tx.now, trial_ends) if payment is None else payment.shown.covers
    assert period is not None
    record = SubscriptionRecord(
        Subscription(
            id=id,
            tags=request.tags,
            state=SubscriptionState.trialing if payment is None else SubscriptionState.active,
            article=request.article.sku,
            period=period,
            customer=customer,
            latest_payment=None if payment is None else payment.id,
        ),
        plan=request.article,
        anchor=trial_ends if payment is None else tx.now,
        intervals=0 if payment is None else 1,
        discount=request.discount if payment is None else None,
        taxed=request.automatic_tax,
    )
    tx.put(record)
    tx.at(period.end, "period_ends", id)
    tx.tell("subscription.started", Kind.subscription, id)
    return record


def turn(tx: Transaction, id: str, receipt_url: str) -> None:
    """The interval is over: the next one begins and is charged, unless it was cancelled."""
    record = tx.get(SubscriptionRecord, id)
    if record.shown.state is SubscriptionState.ended:
        return
    if record.shown.ends_at_period_end:
        end(tx, record)
        return
    plan, count = record.next_plan or record.plan, record.intervals + 1
    assert plan.interval is not None
    period = Period(
        after(record.anchor, plan.interval, count - 1) if count > 1 else record.anchor,
        after(record.anchor, plan.interval, count),
    )
    payment = bill(
        tx,
        quote(plan.price, record.discount, taxed=record.taxed),
        tags=record.shown.tags,
        reason=Reason.period,
        title=plan.title,
        article=plan.sku,
        customer=record.customer,
        subscription=id,
        covers=period,
    )
    shown = replace(record.shown, article=plan.sku, next_article=None, period=period, latest_payment=payment.id)
    record = replace(record, shown=shown, plan=plan, next_plan=None, intervals=count, discount=None)
    tx.at(period.end, "period_ends", id)
    _collect(tx, record, payment, receipt_url)


def retry(tx: Transaction, id: str, receipt_url: str) -> None:
    """An interval that was not paid is charged again. Of a subscription without one, nothing changes."""
    record = tx.get(SubscriptionRecord, id)
    if record.shown.state is not SubscriptionState.past_due or record.shown.latest_payment is None:
        return
    _collect(tx, record, payment_of(tx, record.shown.latest_payment), receipt_url)


def _collect(tx: Transaction, record: SubscriptionRecord, payment: PaymentRecord, receipt_url: str) -> None:
    payment = charge(tx, payment, _card(tx, record), present=False, receipt_url=receipt_url)
    tx.never("retry", record.id)
    if payment.shown.state is PaymentState.succeeded:
        tx.put(replace(record, shown=replace(record.shown, state=SubscriptionState.active)))
        tx.tell("subscription.renewed", Kind.subscription, record.id)
        return
    if payment.attempts > RETRIES:
        end(tx, record)
        return
    retry_at = tx.now + BETWEEN_RETRIES
    tx.put(replace(payment, shown=replace(payment.shown, retry_at=retry_at)))
    tx.put(replace(record, shown=replace(record.shown, state=SubscriptionState.past_due)))
    tx.at(retry_at, "retry", record.id)
    tx.tell("subscription.past_due", Kind.subscription, record.id)


def end(tx: Transaction, record: SubscriptionRecord) -> None:
    """It is over, for good; nothing is tried again."""
    tx.never("period_ends", record.id)
    tx.never("retry", record.id)
    _give_up(tx, record)
    shown = replace(
        record.shown,
        state=SubscriptionState.ended,
        ended_at=tx.now,
        next_article=None,
        ends_at_period_end=False,
    )
    tx.put(replace(record, shown=shown, next_plan=None))
    tx.tell("subscription.ended", Kind.subscription, record.id)


def _give_up(tx: Transaction, record: SubscriptionRecord) -> None:
    if record.shown.latest_payment is None:
        return
    payment = payment_of(tx, record.shown.latest_payment)
    if payment.shown.retry_at is not None:
        tx.put(replace(payment, shown=replace(payment.shown, retry_at=None)))
        tx.tell("payment.failed", Kind.payment, payment.id)


def cancel(tx: Transaction, id: str, *, at_period_end: bool) -> None:
    """Raises `UnknownReference`."""
    record = tx.get(SubscriptionRecord, id)
    if record.shown.state is SubscriptionState.ended:
        return
    if not at_period_end:
        end(tx, record)
    elif not record.shown.ends_at_period_end:
        shown = replace(record.shown, ends_at_period_end=True, next_article=None)
        tx.put(replace(record, shown=shown, next_plan=None))
        tx.tell("subscription.changed", Kind.subscription, id)


def keep(tx: Transaction, id: str) -> None:
    """Raises `UnknownReference`, `PaymentRefused`."""
    record = tx.get(SubscriptionRecord, id)
    if record.shown.state is SubscriptionState.ended:
        raise PaymentRefused("The subscription has ended.", reason="subscription_ended")
    shown = replace(record.shown, ends_at_period_end=False, next_article=None)
    if shown != record.shown:
        tx.put(replace(record, shown=shown, next_plan=None))
        tx.tell("subscription.changed", Kind.subscription, id)


def change(tx: Transaction, id: str, plan: Article, receipt_url: str, *, at_period_end: bool) -> None:
    """Go over to another plan. Raises `UnknownReference`, `PaymentRefused`."""
    record = tx.get(SubscriptionRecord, id)
    shown = record.shown
    if shown.state not in _RUNS:
        raise PaymentRefused("The subscription is not active.", reason="subscription_not_active")
    if plan.interval != record.plan.interval or plan.price.currency != record.plan.price.currency:
        raise PaymentRefused("The plan has another interval or currency.", reason="plan_incompatible")
    if plan.price.amount_minor <= 0:
        raise PaymentRefused("A plan costs more than nothing.", reason="amount_invalid")
    if at_period_end:
        if shown.ends_at_period_end:
            raise PaymentRefused("The subscription ends with this interval.", reason="subscription_not_active")
        same = plan == record.plan
        shown = replace(shown, next_article=None if same else plan.sku)
        tx.put(replace(record, shown=shown, next_plan=None if same else plan))
    else:
        payment = _pay_difference(tx, record, plan, receipt_url)
        latest = shown.latest_payment if payment is None else payment.id
        shown = replace(shown, article=plan.sku, next_article=None, latest_payment=latest)
        tx.put(replace(record, shown=shown, plan=plan, next_plan=None))
    tx.tell("subscription.changed", Kind.subscription, id)


def _pay_difference(
    tx: Transaction, record: SubscriptionRecord, plan: Article, receipt_url: str
) -> PaymentRecord | None:
    shown = record.shown
    more = difference(record.plan.price, plan.price, shown.period.start, shown.period.end, tx.now)
    if more is None or shown.state is SubscriptionState.trialing:
        return None
    card = _card(tx, record)
    if not card.is_charged(present=False):
        raise PaymentRefused("The difference was not paid.", reason="declined")
    payment = bill(
        tx,
        quote(more, taxed=record.taxed),
        tags=shown.tags,
        reason=Reason.change,
        title=plan.title,
        article=plan.sku,
        customer=record.customer,
        subscription=record.id,
        covers=Period(tx.now, shown.period.end),
    )
    return charge(tx, payment, card, present=False, receipt_url=receipt_url)


def _card(tx: Transaction, record: SubscriptionRecord) -> Card:
    assert record.customer is not None
    return tx.get(CustomerRecord, record.customer).card or Card.declines

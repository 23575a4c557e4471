"""Payments: settling them, giving money back, and what the person's bank wants back. Functions take an open transaction."""

from __future__ import annotations

import secrets
from datetime import timedelta

from msgspec.structs import replace

from statuette.ports.payment import (
    Dispute,
    DisputeState,
    Kind,
    Payment,
    PaymentRefused,
    PaymentState,
    Period,
    Reason,
    Refund,
    RefundState,
    Tags,
    UnknownReference,
)
from statuette.values import Money
from statuette_sandbox_pay.books import Transaction
from statuette_sandbox_pay.cards import Card
from statuette_sandbox_pay.prices import Quote, fee_minor
from statuette_sandbox_pay.records import PaymentRecord

DISPUTED_AFTER = timedelta(days=1)
TIME_FOR_EVIDENCE = timedelta(days=7)


def new_token() -> str:
    """The secret part of a page's address: whoever has it may open the page."""
    return secrets.token_urlsafe(32)


def bill(
    tx: Transaction,
    quoted: Quote,
    *,
    tags: Tags | None,
    reason: Reason,
    title: str,
    article: str,
    customer: str | None = None,
    subscription: str | None = None,
    covers: Period | None = None,
) -> PaymentRecord:
    """A payment that nobody has tried to make yet."""
    token = new_token()
    shown = Payment(
        id=tx.new_id("payment"),
        tags=tags,
        state=PaymentState.pending,
        reason=reason,
        amount=quoted.total,
        created_at=tx.now,
        discount=quoted.discount,
        tax=quoted.tax,
        article=article,
        subscription=subscription,
        covers=covers,
        customer=customer,
    )
    return PaymentRecord(shown, title, token, attempts=0)


def charge(tx: Transaction, record: PaymentRecord, card: Card, *, present: bool, receipt_url: str) -> PaymentRecord:
    """Try to make a payment, and note what became of it."""
    if not card.is_charged(present=present):
        failed = replace(record.shown, state=PaymentState.failed, retry_at=None)
        record = replace(record, shown=failed, attempts=record.attempts + 1)
        tx.put(record)
        tx.tell("payment.failed", Kind.payment, record.id)
        return record
    paid = replace(
        record.shown,
        state=PaymentState.succeeded,
        retry_at=None,
        document=tx.next_document(),
        document_url=f"{receipt_url}/{record.token}",
    )
    record = replace(record, shown=paid, attempts=record.attempts + 1)
    tx.put(record)
    if paid.amount.amount_minor:
        tx.move("payment", paid.amount, fee_minor(paid.amount), record.id)
    tx.tell("payment.succeeded", Kind.payment, record.id)
    if card is Card.disputes:
        tx.at(tx.now + DISPUTED_AFTER, "dispute_opens", record.id)
    return record


def payment_of(tx: Transaction, id: str) -> PaymentRecord:
    """By its own id, or that of a refund or a dispute of it. Raises `UnknownReference`."""
    return tx.get(PaymentRecord, tx.payment_of(id) or id)


def refund(tx: Transaction, payment: str, amount: Money) -> str:
    """Give money back; answers with the refund's id.

    Raises:
        UnknownReference.
        PaymentRefused.
    """
    record = payment_of(tx, payment)
    shown = record.shown
    if shown.state is not PaymentState.succeeded:
        raise PaymentRefused("Nothing was paid that could be given back.", reason="payment_not_paid")
    if any(dispute.state is not DisputeState.won for dispute in shown.disputes):
        raise PaymentRefused("The person's bank has taken this money back.", reason="payment_disputed")
    if amount.currency != shown.amount.currency or amount.amount_minor <= 0:
        raise PaymentRefused("A refund is more than nothing, in the payment's currency.", reason="amount_invalid")
    if amount.amount_minor > left_minor(shown):
        raise PaymentRefused("That is more than what is left of the payment.", reason="amount_too_large")
    given = Refund(tx.new_id("refund"), amount, RefundState.succeeded, tx.now)
    tx.put(replace(record, shown=replace(shown, refunds=(*shown.refunds, given))))
    tx.belongs(given.id, record.id)
    tx.move("refund", Money(amount.currency, -amount.amount_minor), 0, record.id)
    tx.tell("refund.succeeded", Kind.payment, given.id)
    return given.id


def fail_refund(tx: Transaction, id: str) -> None:
    """The money does not reach the person: it comes back to the operator. Raises `UnknownReference`."""
    record = payment_of(tx, id)
    refunded = refund_in(record, id)
    if refunded.state is RefundState.failed:
        return
    refunds = tuple(replace(each, state=RefundState.failed) if each.id == id else each for each in record.shown.refunds)
    tx.put(replace(record, shown=replace(record.shown, refunds=refunds)))
    tx.move("refund", refunded.amount, 0, record.id)
    tx.tell("refund.failed", Kind.payment, id)


def refund_in(record: PaymentRecord, id: str) -> Refund:
    """Raises `UnknownReference`."""
    found = next((each for each in record.shown.refunds if each.id == id), None)
    if found is None:
        raise UnknownReference()
    return found


def left_minor(payment: Payment) -> int:
    """What has not been given back."""
    given = sum(each.amount.amount_minor for each in payment.refunds if each.state is not RefundState.failed)
    return payment.amount.amount_minor - given


def open_dispute(tx: Transaction, payment: str, amount: Money | None = None, reason: str = "fraudulent") -> str | None:
    """The person's bank takes back what is left of a payment, or `amount` of it; answers with the dispute's id.

    None where nothing is left, or where it has done so before.
    """
    record = payment_of(tx, payment)
    shown = record.shown
    most = Money(shown.amount.currency, left_minor(shown))
    wanted = most if amount is None else min(amount, most)
    if shown.state is not PaymentState.succeeded or shown.disputes or wanted.amount_minor <= 0:
        return None
    opened = Dispute(
        tx.new_id("dispute"), wanted, DisputeState.open, reason, tx.now, evidence_due_at=tx.now + TIME_FOR_EVIDENCE
    )
    tx.put(replace(record, shown=replace(shown, disputes=(*shown.disputes, opened))))
    tx.belongs(opened.id, record.id)
    tx.move("dispute", Money(wanted.currency, -wanted.amount_minor), 0, record.id)
    tx.at(tx.now + TIME_FOR_EVIDENCE, "dispute_lapses", opened.id)
    tx.tell("dispute.opened", Kind.payment, opened.id)
    return opened.id


def decide_dispute(tx: Transaction, id: str, *, won: bool) -> None:
    """The bank has decided. Of one that is decided, nothing changes. Raises `UnknownReference`."""
    record = payment_of(tx, id)
    disputed = next((each for each in record.shown.disputes if each.id == id), None)
    if disputed is None:
        raise UnknownReference()
    if disputed.state is not DisputeState.open:
        return
    state = DisputeState.won if won else DisputeState.lost
    disputes = tuple(replace(each, state=state) if each.id == id else each for each in record.shown.disputes)
    tx.put(replace(record, shown=replace(record.shown, disputes=disputes)))
    tx.never("dispute_lapses", id)
    if won:
        tx.move("dispute", disputed.amount, 0, record.id)
    tx.tell(f"dispute.{state}", Kind.payment, id)

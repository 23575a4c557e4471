"""The gateway as a whole: what merchants ask of it, what people do on its pages, and what its operator would do on a dashboard.

Tests and demonstrations use the same methods as the pages do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from statuette.ports.payment import (
    Article,
    Checkout,
    CheckoutRequest,
    EventPage,
    GatewayObject,
    Kind,
    MovementPage,
    Reference,
    Refund,
    Subscription,
)
from statuette.values import Clock, Money
from statuette_sandbox_pay import checkouts, payments, subscriptions
from statuette_sandbox_pay.books import Books, Due, Transaction
from statuette_sandbox_pay.cards import Card
from statuette_sandbox_pay.checkouts import Outcome
from statuette_sandbox_pay.courier import Courier
from statuette_sandbox_pay.records import (
    CheckoutRecord,
    Entry,
    PortalRecord,
    SubscriptionRecord,
)
from statuette_sandbox_pay.signing import Seal

T = TypeVar("T")

_PORTAL_LASTS = timedelta(hours=1)


class SandboxGateway:
    """Every brand's account at the sandbox.

    Args:
        path: the file of its books; None keeps them in memory.
        public_url: where the platform is reached, without a trailing slash.
        secret: what events are signed with.
        page_size: events or movements a page.
        deliver_to: where events are posted, without the brand; None: nowhere.
    """

    def __init__(
        self,
        path: Path | None,
        clock: Clock,
        public_url: str,
        secret: bytes,
        *,
        page_size: int = 100,
        deliver_to: str | None = None,
    ) -> None:
        self._books = Books(path)
        self._clock = clock
        self._secret = secret
        self._page_size = page_size
        self.pages_url = f"{public_url}/x/sandbox_pay"
        self._receipt_url = f"{self.pages_url}/receipt"
        self._courier = None if deliver_to is None else Courier(self._books, self.seal, deliver_to, clock)

    def seal(self, brand: str) -> Seal:
        """What signs and reads the brand's events."""
        return Seal(self._secret, brand, self._clock)

    async def create_checkout(self, brand: str, request: CheckoutRequest) -> Checkout:
        """Raises `PaymentRefused`, `UnknownReference`."""
        asked = replace(request, email=None)  # what is kept of it cannot tell of the person
        return await self._run(
            brand,
            lambda tx: (
                tx.get(
                    CheckoutRecord,
                    tx.once(
                        request.idempotency_key,
                        ["checkout", asked],
                        lambda: checkouts.create(tx, request, f"{self.pages_url}/pay"),
                    ),
                ).shown
            ),
        )

    async def pay(
        self, brand: str, checkout: str, card: Card, *, email: str = "person@example.org", promotion: bool = False
    ) -> Outcome:
        """What pressing the button on the page does. Raises `UnknownReference`."""
        entry = Entry(card, email, promotion)
        return await self._run(brand, lambda tx: checkouts.pay(tx, checkout, entry, self._receipt_url))

    async def answer(self, brand: str, checkout: str, *, approved: bool) -> Outcome:
        """What the person does where the card asks for a step. Raises `UnknownReference`."""
        return await self._run(brand, lambda tx: checkouts.answer(tx, checkout, self._receipt_url, approved=approved))

    async def create_portal(self, brand: str, customer: str, return_url: str) -> str:
        """The address of a new page, for an hour. Raises `UnknownReference`."""

        def act(tx: Transaction) -> str:
            checkouts.customer_of(tx, customer)
            token = payments.new_token()
            opened = PortalRecord(tx.new_id("portal"), customer, token, return_url, tx.now + _PORTAL_LASTS)
            tx.put(opened)
            tx.at(opened.expires_at, "portal_closes", opened.id)
            return f"{self.pages_url}/portal/{token}"

        return await self._run(brand, act)

    async def change_card(self, brand: str, customer: str, card: Card) -> None:
        """What is due is charged to it at once. Raises `UnknownReference`."""

        def act(tx: Transaction) -> None:
            tx.put(replace(checkouts.customer_of(tx, customer), card=card))
            tx.tell("customer.card_changed")
            for subscription in tx.of_customer(SubscriptionRecord, customer):
                subscriptions.retry(tx, subscription.id, self._receipt_url)

        await self._run(brand, act)

    async def cancel(
        self, brand: str, subscription: str, *, at_period_end: bool, key: str | None = None
    ) -> Subscription:
        """Raises `UnknownReference`."""
        asked = ["cancel", subscription, at_period_end]
        return await self._on_subscription(
            brand,
            subscription,
            key,
            asked,
            lambda tx: subscriptions.cancel(tx, subscription, at_period_end=at_period_end),
        )

    async def keep(self, brand: str, subscription: str, *, key: str | None = None) -> Subscription:
        """Raises `UnknownReference`, `PaymentRefused`."""
        return await self._on_subscription(
            brand, subscription, key, ["keep", subscription], lambda tx: subscriptions.keep(tx, subscription)
        )

    async def change(
        self, brand: str, subscription: str, plan: Article, *, at_period_end: bool, key: str | None = None
    ) -> Subscription:
        """Raises `UnknownReference`, `PaymentRefused`."""
        return await self._on_subscription(
            brand,
            subscription,
            key,
            ["change", subscription, plan, at_period_end],
            lambda tx: subscriptions.change(tx, subscription, plan, self._receipt_url, at_period_end=at_period_end),
        )

    async def _on_subscription(
        self, brand: str, id: str, key: str | None, asked: list[Any], change: Callable[[Transaction], None]
    ) -> Subscription:
        def changed(tx: Transaction) -> str:
            change(tx)
            return id

        def act(tx: Transaction) -> Subscription:
            if key is None:
                changed(tx)
            else:
                tx.once(key, asked, lambda: changed(tx))
            return tx.get(SubscriptionRecord, id).shown

        return await self._run(brand, act)

    async def refund(self, brand: str, payment: str, amount: Money, *, key: str | None = None) -> Refund:
        """Without a key as from a dashboard. Raises `UnknownReference`, `PaymentRefused`."""

        def act(tx: Transaction) -> Refund:
            if key is None:
                given = payments.refund(tx, payment, amount)
            else:
                given = tx.once(key, ["refund", payment, amount], lambda: payments.refund(tx, payment, amount))
            return payments.refund_in(payments.payment_of(tx, given), given)

        return await self._run(brand, act)

    async def fail_refund(self, brand: str, refund: str) -> None:
        """The money could not be given back. Raises `UnknownReference`."""
        await self._run(brand, lambda tx: payments.fail_refund(tx, refund))

    async def open_dispute(self, brand: str, payment: str, amount: Money | None = None) -> str | None:
        """The person's bank wants the money back; the dispute's id. Raises `UnknownReference`."""
        return await self._run(brand, lambda tx: payments.open_dispute(tx, payment, amount))

    async def decide_dispute(self, brand: str, dispute: str, *, won: bool) -> None:
        """Raises `UnknownReference`."""
        await self._run(brand, lambda tx: payments.decide_dispute(tx, dispute, won=won))

    async def fetch(self, brand: str, reference: Reference) -> GatewayObject:
        """Raises `UnknownReference`."""

        def act(tx: Transaction) -> GatewayObject:
            match reference.kind:
                case Kind.checkout:
                    return tx.get(CheckoutRecord, reference.id).shown
                case Kind.subscription:
                    return tx.get(SubscriptionRecord, reference.id).shown
                case Kind.payment:
                    return payments.payment_of(tx, reference.id).shown

        return await self._run(brand, act)

    async def events_since(self, brand: str, cursor: str | None, since: datetime) -> EventPage:
        return await self._run(brand, lambda tx: tx.events(cursor, since, self._page_size))

    async def movements_since(self, brand: str, cursor: str | None, since: datetime) -> MovementPage:
        return await self._run(brand, lambda tx: tx.movements(cursor, since, self._page_size))

    async def erase_customer(self, brand: str, customer: str) -> None:
        """Forget the person; amounts and times stay. Idempotent."""
        await self._run(brand, lambda tx: checkouts.erase(tx, customer))
        await asyncio.to_thread(self._books.forget)

    async def tell(self, brand: str, type: str) -> None:
        """Have something happen that is about nothing that was sold."""
        await self._run(brand, lambda tx: tx.tell(type))

    async def deliveries_done(self) -> None:
        """Return when nothing is being delivered any more."""
        if self._courier is not None:
            await self._courier.idle()

    async def aclose(self) -> None:
        """Idempotent."""
        if self._courier is not None:
            await self._courier.aclose()
        await asyncio.to_thread(self._books.close)

    async def _run(self, brand: str, act: Callable[[Transaction], T]) -> T:
        """In one transaction: first what was due before now, then `act`."""
        now = self._clock.now()

        def caught_up(tx: Transaction) -> T:
            while (due := tx.next_due(now)) is not None:
                tx.now = due.at
                self._carry_out(tx, due)
            tx.now = now
            return act(tx)

        try:
            return await asyncio.to_thread(self._books.run, brand, now, caught_up)
        finally:
            if self._courier is not None:
                self._courier.nudge()

    def _carry_out(self, tx: Transaction, due: Due) -> None:
        match due.what:
            case "checkout_expires":
                checkouts.expire(tx, due.id)
            case "period_ends":
                subscriptions.turn(tx, due.id, self._receipt_url)
            case "retry":
                subscriptions.retry(tx, due.id, self._receipt_url)
            case "dispute_opens":
                payments.open_dispute(tx, due.id)
            case "dispute_lapses":
                payments.decide_dispute(tx, due.id, won=False)
            case "portal_closes":
                tx.drop(PortalRecord, due.id)

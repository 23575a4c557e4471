"""What every payment provider must do. A provider's tests subclass it and supply a rig:

    class TestMine(PaymentProviderSuite):
        @pytest_asyncio.fixture
        async def rig(self): ...     # a `statuette.testing.payment_rig.PaymentRig` of a fresh gateway

Tests are coroutines: run pytest-asyncio with `asyncio_mode = "auto"`.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from statuette.ports.payment import (
    Article,
    Checkout,
    CheckoutRequest,
    CheckoutState,
    DisputeState,
    Event,
    EventRefused,
    GatewayObject,
    Interval,
    Kind,
    Merchant,
    Movement,
    NotOffered,
    Payment,
    PaymentRefused,
    PaymentState,
    Reason,
    Reference,
    RefundState,
    Subscription,
    SubscriptionState,
    Tags,
    UnknownReference,
)
from statuette.ports.processor import Erased, Residual
from statuette.testing.payment_rig import Payer, PaymentRig
from statuette.values import Money, new_id

PACK = Article("pack:suite", "Suite pack", Money("USD", 1999))
PLAN = Article("plan:suite", "Suite plan", Money("USD", 900), Interval.month)
DEARER = Article("plan:suite_plus", "Suite plan, plus", Money("USD", 1800), Interval.month)
_IN_CURRENCIES = {
    currency: Article("pack:suite", "Suite pack", Money(currency, minor))
    for currency, minor in (("USD", 1999), ("EUR", 1850), ("JPY", 2980), ("KWD", 6150))
}
ARTICLES = (*_IN_CURRENCIES.values(), PLAN, DEARER)
"""What a gateway with a catalogue is told before anything is sold."""

_MONTH = timedelta(days=31, hours=1)
_DAY = timedelta(days=1)
_NOT_OURS = {Kind.checkout: "nope_1", Kind.payment: "nope_2", Kind.subscription: "nope_3"}


class PaymentProviderSuite:
    """Conformance of a `Merchant`.

    Attributes:
        offers_portal: whether the gateway has a page where people look after their subscriptions.
        keeps_catalogue: whether the gateway has to be told what is on sale.
        tells_movements: whether the gateway tells how its balance came about.
    """

    offers_portal = True
    keeps_catalogue = False
    tells_movements = True

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def rig(self) -> PaymentRig:
        raise NotImplementedError("override the fixture `rig`")

    @pytest_asyncio.fixture
    async def merchant(self, rig: PaymentRig) -> Merchant:
        """Of a brand whose articles the gateway knows."""
        if self.keeps_catalogue:
            for_sale = tuple(each for each in ARTICLES if each.price.currency in rig.expected_currencies)
            await rig.merchant.sync_catalogue(for_sale, rig.brand, apply=True)
        return rig.merchant

    def request(self, rig: PaymentRig, article: Article = PACK, **changes: Any) -> CheckoutRequest:
        """A request for a page; `changes` replace fields."""
        now = rig.clock.now()
        checkout = new_id("chk", now)
        fields: dict[str, Any] = {
            "idempotency_key": checkout,
            "tags": Tags(new_id("brd", now), new_id("acc", now), checkout),
            "article": article,
            "success_url": "https://suite.example/paid?checkout=1",
            "cancel_url": "https://suite.example/back",
            "locale": "en",
            "expires_at": now + timedelta(hours=1),
        }
        return CheckoutRequest(**{**fields, **changes})

    async def bought(
        self, rig: PaymentRig, article: Article = PACK, payer: Payer = Payer.pays, **changes: Any
    ) -> Checkout:
        """A page that somebody has been on, as it is then."""
        checkout = await rig.merchant.create_checkout(self.request(rig, article, **changes))
        await rig.pay(checkout, payer)
        return await _checkout(rig.merchant, checkout.id)

    async def paid_pack(self, rig: PaymentRig) -> Payment:
        return await _payment(rig.merchant, (await self.bought(rig)).payment)

    async def subscribed(
        self, rig: PaymentRig, article: Article = PLAN, payer: Payer = Payer.pays, **changes: Any
    ) -> Subscription:
        checkout = await self.bought(rig, article, payer, **changes)
        return await _subscription(rig.merchant, checkout.subscription)

    # Pages for paying.

    async def test_a_page_is_made_once_for_a_key(self, rig: PaymentRig, merchant: Merchant) -> None:
        request = self.request(rig)

        made = [await merchant.create_checkout(request) for _ in range(2)]
        made += await asyncio.gather(*(merchant.create_checkout(request) for _ in range(4)))
        other = await merchant.create_checkout(self.request(rig))

        assert len({checkout.id for checkout in made}) == 1
        assert other.id != made[0].id
        assert made[0].state is CheckoutState.open
        assert made[0].url is not None
        assert made[0].url.startswith(("https://", "http://127.0.0.1", "http://localhost"))
        assert await _checkout(merchant, made[0].id) == made[0]

    async def test_a_pack_that_is_paid_comes_back_with_its_tags(self, rig: PaymentRig, merchant: Merchant) -> None:
        request = self.request(rig, email="ada@example.org")
        checkout = await merchant.create_checkout(request)

        await rig.pay(checkout)

        done = await _checkout(merchant, checkout.id)
        assert (done.state, done.tags, done.url, done.subscription) == (
            CheckoutState.completed,
            request.tags,
            None,
            None,
        )
        payment = await _payment(merchant, done.payment)
        assert (payment.state, payment.reason) == (PaymentState.succeeded, Reason.purchase)
        assert (payment.tags, payment.article, payment.amount) == (request.tags, PACK.sku, PACK.price)
        assert (payment.customer, payment.subscription) == (done.customer, None)
        assert done.customer is not None
        assert (payment.refunds, payment.disputes) == ((), ())
        assert await _payment(merchant, payment.id) == payment

    async def test_a_person_pays_twice_as_one_customer(self, rig: PaymentRig, merchant: Merchant) -> None:
        first = await self.bought(rig)

        second = await self.bought(rig, customer=first.customer)

        assert second.customer == first.customer
        assert second.payment != first.payment

    async def test_a_declined_page_may_still_be_paid(self, rig: PaymentRig, merchant: Merchant) -> None:
        for payer in (Payer.declined, Payer.refuses):
            checkout = await self.bought(rig, payer=payer)
            assert (checkout.state, checkout.payment) == (CheckoutState.open, None)

            await rig.pay(checkout, Payer.approves)

            done = await _checkout(merchant, checkout.id)
            assert done.state is CheckoutState.completed
            assert (await _payment(merchant, done.payment)).state is PaymentState.succeeded

    async def test_a_page_that_nobody_pays_expires(self, rig: PaymentRig, merchant: Merchant) -> None:
        expires_at = rig.clock.now() + timedelta(minutes=31)
        checkout = await merchant.create_checkout(self.request(rig, expires_at=expires_at))

        await rig.advance(timedelta(minutes=32))

        gone = await _checkout(merchant, checkout.id)
        assert (gone.state, gone.url, gone.payment) == (CheckoutState.expired, None, None)

    @pytest.mark.parametrize("currency", _IN_CURRENCIES)
    async def test_amounts_are_exact_in_every_currency(
        self, rig: PaymentRig, merchant: Merchant, currency: str
    ) -> None:
        if currency not in rig.expected_currencies:
            return  # nothing can be sold in it here
        article = _IN_CURRENCIES[currency]

        payment = await _payment(merchant, (await self.bought(rig, article)).payment)
        part = Money(currency, article.price.amount_minor // 3 // 10 * 10)
        refund = await merchant.refund(payment.id, part, idempotency_key="part")

        assert payment.amount == article.price
        assert refund.amount == part

    async def test_a_discount_is_taken_off_a_pack(self, rig: PaymentRig, merchant: Merchant) -> None:
        off = Money("USD", 500)

        payment = await _payment(merchant, (await self.bought(rig, discount=off)).payment)

        assert payment.amount == Money("USD", PACK.price.amount_minor - 500)
        assert payment.discount == off

    async def test_a_discount_is_taken_off_the_first_interval_only(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig, discount=Money("USD", 400))

        first = await _payment(merchant, subscription.latest_payment)
        await rig.advance(_MONTH)
        second = await _payment(merchant, (await _subscription(merchant, subscription.id)).latest_payment)

        assert (first.amount, second.amount) == (Money("USD", 500), PLAN.price)

    # Events.

    async def test_every_event_leads_to_the_object_as_it_is(self, rig: PaymentRig, merchant: Merchant) -> None:
        checkout = await self.bought(rig)
        subscription = await self.subscribed(rig)
        payment = await _payment(merchant, checkout.payment)
        await rig.refund(payment.id, Money("USD", 500))

        deliveries = await rig.deliveries()
        # Doubled, and in no order at all: what they lead to is the same.
        shuffled = [*deliveries, *deliveries]
        random.Random(7).shuffle(shuffled)  # noqa: S311 -- an order, not a secret
        events = [merchant.parse_event(delivery.headers, delivery.body) for delivery in shuffled]
        reached: dict[str, set[GatewayObject]] = {}
        for event in events:
            assert event.created_at.tzinfo is not None
            assert event.live == merchant.live
            if event.about is not None:
                found = await merchant.fetch(event.about)
                reached.setdefault(found.id, set()).add(found)

        assert len({event.id for event in events}) == len(deliveries) > 0
        assert {checkout.id, payment.id, subscription.id} <= set(reached)
        assert all(len(states) == 1 for states in reached.values())
        (refunded,) = reached[payment.id]
        assert isinstance(refunded, Payment)
        assert [each.amount for each in refunded.refunds] == [Money("USD", 500)]

    async def test_an_event_that_comes_late_is_read_as_long_as_it_is_signed_anew(
        self, rig: PaymentRig, merchant: Merchant
    ) -> None:
        await self.bought(rig)
        delivery = (await rig.deliveries())[-1]
        event = merchant.parse_event(delivery.headers, delivery.body)

        await rig.advance(timedelta(days=2))

        assert _why(merchant, delivery.headers, delivery.body) == "stale"
        assert merchant.parse_event(rig.sign(delivery.body), delivery.body) == event

    async def test_an_event_that_was_not_sent_by_the_gateway_is_refused(
        self, rig: PaymentRig, merchant: Merchant
    ) -> None:
        await self.bought(rig)
        delivery = (await rig.deliveries())[-1]
        body = delivery.body

        assert merchant.parse_event(delivery.headers, body).id
        assert _why(merchant, rig.forge(body), body) == "signature"
        assert _why(merchant, {}, body) == "signature"
        assert _why(merchant, dict.fromkeys(delivery.headers, ""), body) == "signature"
        assert _why(merchant, delivery.headers, body + b" ") == "signature"
        assert _why(merchant, delivery.headers, b"") == "signature"
        assert _why(merchant, delivery.headers, body[:-1] + bytes([body[-1] ^ 1])) == "signature"
        assert _why(rig.stranger, delivery.headers, body) == "signature"

    @pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"id": 7}', b"null", b"{" * 500])
    async def test_nonsense_is_refused_even_if_it_is_signed(
        self, rig: PaymentRig, merchant: Merchant, body: bytes
    ) -> None:
        assert _why(merchant, rig.sign(body), body) == "malformed"

    async def test_an_event_about_the_other_kind_of_money_is_refused(self, rig: PaymentRig, merchant: Merchant) -> None:
        await self.bought(rig)
        other = rig.other_mode((await rig.deliveries())[-1].body)

        assert _why(merchant, rig.sign(other), other) == "mode"

    async def test_an_event_that_concerns_nothing_of_ours_is_about_nothing(
        self, rig: PaymentRig, merchant: Merchant
    ) -> None:
        body = rig.unknown_event()

        event = merchant.parse_event(rig.sign(body), body)

        assert event.about is None
        assert event.type

    async def test_what_happened_is_told_in_order_and_nothing_is_missed(
        self, rig: PaymentRig, merchant: Merchant
    ) -> None:
        began = rig.clock.now()
        first = await self.bought(rig)
        await rig.advance(timedelta(minutes=1))
        told, cursor = await _events(merchant, None, began)

        second = await self.subscribed(rig)
        more, cursor = await _events(merchant, cursor, began)
        nothing, cursor = await _events(merchant, cursor, began)
        await rig.advance(timedelta(minutes=1))
        third = await self.paid_pack(rig)
        rest, _ = await _events(merchant, cursor, began)

        about = [{event.about.id for event in part if event.about is not None} for part in (told, more, rest)]
        assert first.id in about[0] and first.payment in about[0]
        assert second.id in about[1] and second.latest_payment in about[1]
        assert third.id in about[2]
        assert nothing == []
        everything, _ = await _events(merchant, None, began)
        assert {event.id for event in everything} == {event.id for event in (*told, *more, *rest)}
        for part in (told, more, rest, everything):
            assert [event.created_at for event in part] == sorted(event.created_at for event in part)
        sent = [merchant.parse_event(each.headers, each.body).id for each in await rig.deliveries()]
        assert set(sent) <= {event.id for event in everything}

    async def test_what_was_long_ago_is_not_told_again(self, rig: PaymentRig, merchant: Merchant) -> None:
        old = await self.bought(rig)
        await rig.advance(timedelta(days=2))
        new = await self.bought(rig)

        events, _ = await _events(merchant, None, rig.clock.now() - timedelta(hours=1))

        about = {event.about.id for event in events if event.about is not None}
        assert new.id in about
        assert old.id not in about

    # Money that goes back.

    async def test_a_refund_happens_once_for_a_key(self, rig: PaymentRig, merchant: Merchant) -> None:
        payment = await self.paid_pack(rig)

        refunds = [await merchant.refund(payment.id, Money("USD", 700), idempotency_key="one") for _ in range(2)]
        refunds += await asyncio.gather(
            *(merchant.refund(payment.id, Money("USD", 700), idempotency_key="one") for _ in range(3))
        )

        assert len({refund.id for refund in refunds}) == 1
        after = await _payment(merchant, payment.id)
        assert [(each.id, each.amount) for each in after.refunds] == [(refunds[0].id, Money("USD", 700))]
        assert after.refunds[0].state in (RefundState.succeeded, RefundState.pending)
        assert after.state is PaymentState.succeeded

    async def test_a_payment_is_refunded_in_parts_and_never_by_more_than_it_was(
        self, rig: PaymentRig, merchant: Merchant
    ) -> None:
        payment = await self.paid_pack(rig)
        total_minor = payment.amount.amount_minor

        await merchant.refund(payment.id, Money("USD", 999), idempotency_key="part")
        for too_much in (total_minor, total_minor - 998):
            with pytest.raises(PaymentRefused):
                await merchant.refund(payment.id, Money("USD", too_much), idempotency_key=f"much-{too_much}")
        await merchant.refund(payment.id, Money("USD", total_minor - 999), idempotency_key="rest")
        with pytest.raises(PaymentRefused):
            await merchant.refund(payment.id, Money("USD", 1), idempotency_key="one more")

        after = await _payment(merchant, payment.id)
        assert [each.amount.amount_minor for each in after.refunds] == [999, total_minor - 999]

    async def test_a_refund_at_the_gateway_is_told_and_leads_to_its_payment(
        self, rig: PaymentRig, merchant: Merchant
    ) -> None:
        payment = await self.paid_pack(rig)
        before = len(await rig.deliveries())

        await rig.refund(payment.id, payment.amount)

        reached = await _reached(merchant, (await rig.deliveries())[before:])
        assert set(reached) == {payment.id}
        refunded = await _payment(merchant, payment.id)
        assert [each.amount for each in refunded.refunds] == [payment.amount]
        by_part = await merchant.fetch(Reference(Kind.payment, refunded.refunds[0].id))
        assert by_part == refunded

    @pytest.mark.parametrize("won", [True, False], ids=["won", "lost"])
    async def test_a_dispute_is_opened_and_decided(self, rig: PaymentRig, merchant: Merchant, won: bool) -> None:
        payment = await self.paid_pack(rig)
        before = len(await rig.deliveries())

        await rig.open_dispute(payment.id)
        opened = await _payment(merchant, payment.id)
        await rig.advance(timedelta(minutes=1))
        await rig.decide_dispute(payment.id, won=won)
        decided = await _payment(merchant, payment.id)

        assert [(each.state, each.amount) for each in opened.disputes] == [(DisputeState.open, payment.amount)]
        assert opened.disputes[0].reason
        assert [each.state for each in decided.disputes] == [DisputeState.won if won else DisputeState.lost]
        assert decided.disputes[0].id == opened.disputes[0].id
        assert decided.state is PaymentState.succeeded
        assert set(await _reached(merchant, (await rig.deliveries())[before:])) == {payment.id}
        assert await merchant.fetch(Reference(Kind.payment, decided.disputes[0].id)) == decided

    # Subscriptions.

    async def test_a_plan_begins_with_a_paid_interval(self, rig: PaymentRig, merchant: Merchant) -> None:
        request = self.request(rig, PLAN)
        checkout = await merchant.create_checkout(request)
        now = rig.clock.now()

        await rig.pay(checkout)

        done = await _checkout(merchant, checkout.id)
        assert (done.state, done.payment) == (CheckoutState.completed, None)
        subscription = await _subscription(merchant, done.subscription)
        assert (subscription.state, subscription.article) == (SubscriptionState.active, PLAN.sku)
        assert (subscription.tags, subscription.customer) == (request.tags, done.customer)
        assert abs(subscription.period.start - now) < timedelta(minutes=1)
        assert timedelta(days=28) <= subscription.period.end - subscription.period.start <= timedelta(days=31)
        payment = await _payment(merchant, subscription.latest_payment)
        assert (payment.state, payment.reason) == (PaymentState.succeeded, Reason.period)
        assert (payment.tags, payment.article, payment.amount) == (request.tags, PLAN.sku, PLAN.price)
        assert (payment.subscription, payment.covers) == (subscription.id, subscription.period)

    async def test_a_trial_is_free_and_then_paid(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig, trial_days=7)

        assert subscription.state is SubscriptionState.trialing
        assert subscription.period.end - subscription.period.start == timedelta(days=7)
        if subscription.latest_payment is not None:
            assert (await _payment(merchant, subscription.latest_payment)).amount.amount_minor == 0
        await rig.advance(timedelta(days=7, hours=2))
        after = await _subscription(merchant, subscription.id)
        assert (after.state, after.period.start) == (SubscriptionState.active, subscription.period.end)
        payment = await _payment(merchant, after.latest_payment)
        assert (payment.amount, payment.covers) == (PLAN.price, after.period)

    async def test_a_plan_is_renewed(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig)
        before = len(await rig.deliveries())

        await rig.advance(_MONTH)

        after = await _subscription(merchant, subscription.id)
        assert (after.state, after.period.start) == (SubscriptionState.active, subscription.period.end)
        payment = await _payment(merchant, after.latest_payment)
        assert payment.id != subscription.latest_payment
        assert (payment.state, payment.reason) == (PaymentState.succeeded, Reason.period)
        assert (payment.covers, payment.amount, payment.tags) == (after.period, PLAN.price, subscription.tags)
        reached = await _reached(merchant, (await rig.deliveries())[before:])
        assert {payment.id, subscription.id} <= set(reached)

    async def test_a_renewal_that_failed_is_tried_again(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig, payer=Payer.pays_once)
        await rig.advance(_MONTH)
        due = await _subscription(merchant, subscription.id)
        failed = await _payment(merchant, due.latest_payment)
        assert due.state is SubscriptionState.past_due
        assert failed.state is PaymentState.failed
        assert failed.retry_at is not None
        assert failed.retry_at > rig.clock.now()

        assert due.customer is not None
        await rig.change_card(due.customer, Payer.pays)
        await rig.advance(failed.retry_at - rig.clock.now() + timedelta(hours=2))

        after = await _subscription(merchant, subscription.id)
        assert (after.state, after.latest_payment) == (SubscriptionState.active, failed.id)
        payment = await _payment(merchant, failed.id)
        assert (payment.state, payment.retry_at, payment.covers) == (PaymentState.succeeded, None, after.period)

    async def test_a_renewal_that_keeps_failing_is_given_up(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig, payer=Payer.pays_once)
        await rig.advance(_MONTH)

        gives_up_at = rig.clock.now() + rig.tries_for
        while rig.clock.now() < gives_up_at:
            await rig.advance(_DAY)
            if (await _subscription(merchant, subscription.id)).state is SubscriptionState.ended:
                break

        ended = await _subscription(merchant, subscription.id)
        assert ended.state is SubscriptionState.ended
        assert ended.ended_at is not None
        payment = await _payment(merchant, ended.latest_payment)
        assert (payment.state, payment.retry_at) == (PaymentState.failed, None)

    async def test_a_dearer_plan_at_once_charges_the_difference(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig)
        length = subscription.period.end - subscription.period.start
        await rig.advance(length / 3)

        for _ in range(2):
            after = await merchant.change_subscription(
                subscription.id, DEARER, at_period_end=False, idempotency_key="up"
            )

        assert (after.article, after.next_article, after.state) == (DEARER.sku, None, SubscriptionState.active)
        assert after.period == subscription.period
        payments = [each for each in await _payments(merchant, rig) if each.reason is Reason.change]
        assert len(payments) == 1
        assert (payments[0].state, payments[0].subscription) == (PaymentState.succeeded, subscription.id)
        assert abs(payments[0].amount.amount_minor - 600) <= 1
        assert payments[0].tags == subscription.tags
        assert payments[0].covers is not None
        assert payments[0].covers.end == subscription.period.end
        assert abs(payments[0].covers.start - rig.clock.now()) < timedelta(hours=1)
        await rig.advance(length)
        renewed = await _subscription(merchant, subscription.id)
        assert (await _payment(merchant, renewed.latest_payment)).amount == DEARER.price

    async def test_a_difference_that_is_not_paid_changes_nothing(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig, payer=Payer.pays_once)
        await rig.advance(timedelta(days=5))

        with pytest.raises(PaymentRefused) as refused:
            await merchant.change_subscription(subscription.id, DEARER, at_period_end=False, idempotency_key="up")

        assert refused.value.attributes["reason"] == "declined"
        after = await _subscription(merchant, subscription.id)
        assert (after.article, after.state) == (PLAN.sku, SubscriptionState.active)
        assert [each for each in await _payments(merchant, rig) if each.reason is Reason.change and _ok(each)] == []

    async def test_another_plan_begins_with_the_next_interval(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig, DEARER)

        for _ in range(2):
            after = await merchant.change_subscription(
                subscription.id, PLAN, at_period_end=True, idempotency_key="down"
            )

        assert (after.article, after.next_article) == (DEARER.sku, PLAN.sku)
        await rig.advance(_MONTH)
        renewed = await _subscription(merchant, subscription.id)
        assert (renewed.article, renewed.next_article) == (PLAN.sku, None)
        payment = await _payment(merchant, renewed.latest_payment)
        assert (payment.amount, payment.article) == (PLAN.price, PLAN.sku)

    async def test_a_plan_that_was_to_begin_is_taken_back(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig, DEARER)
        await merchant.change_subscription(subscription.id, PLAN, at_period_end=True, idempotency_key="down")

        kept = [await merchant.keep_subscription(subscription.id, idempotency_key="keep") for _ in range(2)]

        assert [(each.article, each.next_article) for each in kept] == [(DEARER.sku, None)] * 2
        await rig.advance(_MONTH)
        assert (await _subscription(merchant, subscription.id)).article == DEARER.sku

    async def test_it_is_cancelled_now(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig)

        for _ in range(2):
            ended = await merchant.cancel_subscription(subscription.id, at_period_end=False, idempotency_key="cancel")
            assert ended.state is SubscriptionState.ended
            assert ended.ended_at is not None
        again = await merchant.cancel_subscription(subscription.id, at_period_end=True, idempotency_key="other")

        assert again.state is SubscriptionState.ended
        paid = await _payment(merchant, again.latest_payment)
        assert paid.refunds == ()
        with pytest.raises(PaymentRefused):
            await merchant.keep_subscription(subscription.id, idempotency_key="keep")
        with pytest.raises(PaymentRefused):
            await merchant.change_subscription(subscription.id, DEARER, at_period_end=False, idempotency_key="up")

    async def test_it_is_cancelled_for_the_periods_end(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig)

        for _ in range(2):
            leaving = await merchant.cancel_subscription(subscription.id, at_period_end=True, idempotency_key="cancel")
            assert (leaving.state, leaving.ends_at_period_end) == (SubscriptionState.active, True)
        await rig.advance(_MONTH)

        ended = await _subscription(merchant, subscription.id)
        assert (ended.state, ended.latest_payment) == (SubscriptionState.ended, subscription.latest_payment)
        assert ended.ended_at is not None

    async def test_a_cancellation_is_taken_back(self, rig: PaymentRig, merchant: Merchant) -> None:
        subscription = await self.subscribed(rig)
        await merchant.cancel_subscription(subscription.id, at_period_end=True, idempotency_key="cancel")

        kept = await merchant.keep_subscription(subscription.id, idempotency_key="keep")
        await rig.advance(_MONTH)

        assert kept.ends_at_period_end is False
        after = await _subscription(merchant, subscription.id)
        assert (after.state, after.period.start) == (SubscriptionState.active, subscription.period.end)

    # What is not there, and what is others'.

    async def test_what_is_not_there_is_unknown(self, rig: PaymentRig, merchant: Merchant) -> None:
        await _knows_nothing(merchant, _NOT_OURS)
        if self.offers_portal:
            with pytest.raises(UnknownReference):
                await merchant.create_portal("nope_4", "https://suite.example/account", "en")

    async def test_what_is_another_brands_is_unknown(self, rig: PaymentRig, merchant: Merchant) -> None:
        checkout = await self.bought(rig)
        subscription = await self.subscribed(rig)
        assert checkout.payment is not None and checkout.customer is not None

        theirs = {Kind.checkout: checkout.id, Kind.payment: checkout.payment, Kind.subscription: subscription.id}
        await _knows_nothing(rig.stranger, theirs)
        if self.offers_portal:
            with pytest.raises(UnknownReference):
                await rig.stranger.create_portal(checkout.customer, "https://suite.example/account", "en")

        events, _ = await _events(rig.stranger, None, rig.clock.now() - _DAY)
        assert events == []
        assert (await _payment(merchant, checkout.payment)).refunds == ()
        assert (await _subscription(merchant, subscription.id)).state is SubscriptionState.active

    # Everything else.

    async def test_movements_add_up_to_what_was_paid_less_what_went_back(
        self, rig: PaymentRig, merchant: Merchant
    ) -> None:
        began = rig.clock.now()
        if not self.tells_movements:
            with pytest.raises(NotOffered):
                await merchant.movements_since(None, began)
            return
        refunded, won, lost, kept = [await self.paid_pack(rig) for _ in range(4)]
        total_minor = PACK.price.amount_minor

        await merchant.refund(refunded.id, Money("USD", 999), idempotency_key="part")
        for disputed in (won, lost):
            await rig.open_dispute(disputed.id)
            await rig.decide_dispute(disputed.id, won=disputed is won)
        movements, cursor = await _movements(merchant, None, began)

        left: dict[str | None, int] = {}
        for movement in movements:
            assert movement.amount.currency == "USD"
            left[movement.payment] = left.get(movement.payment, 0) + movement.amount.amount_minor
        assert left == {refunded.id: total_minor - 999, won.id: total_minor, lost.id: 0, kept.id: total_minor}
        assert len({movement.id for movement in movements}) == len(movements)
        assert await _movements(merchant, cursor, began) == ([], cursor)

    async def test_a_page_for_the_customer_is_new_each_time(self, rig: PaymentRig, merchant: Merchant) -> None:
        checkout = await self.bought(rig)
        assert checkout.customer is not None
        if not self.offers_portal:
            with pytest.raises(NotOffered):
                await merchant.create_portal(checkout.customer, "https://suite.example/account", "en")
            return

        urls = [
            await merchant.create_portal(checkout.customer, "https://suite.example/account", "en") for _ in range(2)
        ]

        assert urls[0] != urls[1]
        assert all(url.startswith(("https://", "http://127.0.0.1", "http://localhost")) for url in urls)

    async def test_what_is_on_sale_is_made_known_once(self, rig: PaymentRig) -> None:
        for_sale = tuple(each for each in ARTICLES if each.price.currency in rig.expected_currencies)
        if not self.keeps_catalogue:
            with pytest.raises(NotOffered):
                await rig.merchant.sync_catalogue(for_sale, rig.brand, apply=True)
            return

        told = await rig.merchant.sync_catalogue(for_sale, rig.brand, apply=False)
        done = await rig.merchant.sync_catalogue(for_sale, rig.brand, apply=True)
        again = await rig.merchant.sync_catalogue(for_sale, rig.brand, apply=True)

        assert told == done
        assert {change.sku for change in done} == {article.sku for article in for_sale}
        assert again == ()

    async def test_a_person_is_forgotten_and_what_they_paid_is_not(self, rig: PaymentRig, merchant: Merchant) -> None:
        checkout = await self.bought(rig, email="ada@example.org")
        assert checkout.customer is not None
        before = await _payment(merchant, checkout.payment)

        erasures = [await merchant.erase_customer(checkout.customer) for _ in range(2)]

        for erasure in erasures:
            assert isinstance(erasure, Erased | Residual)
        after = await _payment(merchant, checkout.payment)
        assert (after.state, after.amount, after.tags) == (before.state, before.amount, before.tags)

    async def test_closing_twice_is_fine(self, rig: PaymentRig, merchant: Merchant) -> None:
        await merchant.create_checkout(self.request(rig))

        await merchant.aclose()
        await merchant.aclose()


def _ok(payment: Payment) -> bool:
    return payment.state is PaymentState.succeeded


async def _checkout(merchant: Merchant, id: str) -> Checkout:
    found = await merchant.fetch(Reference(Kind.checkout, id))
    assert isinstance(found, Checkout)
    return found


async def _payment(merchant: Merchant, id: str | None) -> Payment:
    assert id is not None
    found = await merchant.fetch(Reference(Kind.payment, id))
    assert isinstance(found, Payment)
    return found


async def _subscription(merchant: Merchant, id: str | None) -> Subscription:
    assert id is not None
    found = await merchant.fetch(Reference(Kind.subscription, id))
    assert isinstance(found, Subscription)
    return found


async def _payments(merchant: Merchant, rig: PaymentRig) -> list[Payment]:
    """Every payment that an event was about."""
    events, _ = await _events(merchant, None, rig.clock.now() - timedelta(days=29))
    found = {each.id: each for each in [await merchant.fetch(about) for about in _abouts(events, Kind.payment)]}
    return [each for each in found.values() if isinstance(each, Payment)]


def _abouts(events: list[Event], kind: Kind) -> list[Reference]:
    return [event.about for event in events if event.about is not None and event.about.kind is kind]


async def _reached(merchant: Merchant, deliveries: Any) -> dict[str, GatewayObject]:
    """What events lead to, by its id."""
    reached = {}
    for delivery in deliveries:
        event = merchant.parse_event(delivery.headers, delivery.body)
        if event.about is not None:
            found = await merchant.fetch(event.about)
            reached[found.id] = found
    return reached


async def _events(merchant: Merchant, cursor: str | None, since: Any) -> tuple[list[Event], str]:
    """Every page from there on."""
    events: list[Event] = []
    for _ in itertools.count():
        page = await merchant.events_since(cursor, since)
        events += page.events
        cursor = page.cursor
        if not page.more:
            break
    assert cursor is not None
    return events, cursor


async def _movements(merchant: Merchant, cursor: str | None, since: Any) -> tuple[list[Movement], str]:
    movements: list[Movement] = []
    for _ in itertools.count():
        page = await merchant.movements_since(cursor, since)
        movements += page.movements
        cursor = page.cursor
        if not page.more:
            break
    assert cursor is not None
    return movements, cursor


async def _knows_nothing(merchant: Merchant, ids: dict[Kind, str]) -> None:
    """Neither tells of these nor changes them."""
    for kind, name in ids.items():
        with pytest.raises(UnknownReference):
            await merchant.fetch(Reference(kind, name))
    with pytest.raises(UnknownReference):
        await merchant.refund(ids[Kind.payment], Money("USD", 1), idempotency_key="x1")
    subscription = ids[Kind.subscription]
    with pytest.raises(UnknownReference):
        await merchant.cancel_subscription(subscription, at_period_end=False, idempotency_key="x2")
    with pytest.raises(UnknownReference):
        await merchant.keep_subscription(subscription, idempotency_key="x3")
    with pytest.raises(UnknownReference):
        await merchant.change_subscription(subscription, DEARER, at_period_end=False, idempotency_key="x4")


def _why(merchant: Merchant, headers: Any, body: bytes) -> str:
    with pytest.raises(EventRefused) as refused:
        merchant.parse_event(headers, body)
    return str(refused.value.attributes["why"])

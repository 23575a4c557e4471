"""A brand's account at the sandbox, as the port wants it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from statuette.ports.payment import (
    Article,
    Checkout,
    CheckoutRequest,
    Event,
    EventPage,
    GatewayObject,
    Merchant,
    MovementPage,
    Reference,
    Refund,
    Subscription,
)
from statuette.ports.processor import Erased, Erasure
from statuette.values import Money
from statuette_sandbox_pay.gateway import SandboxGateway


class SandboxMerchant(Merchant):
    """Args:
    brand: the brand's slug; things of other brands are not known here.
    """

    live = False
    hears_events = True

    def __init__(self, gateway: SandboxGateway, brand: str) -> None:
        self._gateway = gateway
        self._brand = brand
        self._seal = gateway.seal(brand)

    async def create_checkout(self, request: CheckoutRequest) -> Checkout:
        return await self._gateway.create_checkout(self._brand, request)

    async def create_portal(self, customer: str, return_url: str, locale: str) -> str:
        return await self._gateway.create_portal(self._brand, customer, return_url)

    async def cancel_subscription(
        self, subscription: str, *, at_period_end: bool, idempotency_key: str
    ) -> Subscription:
        return await self._gateway.cancel(self._brand, subscription, at_period_end=at_period_end, key=idempotency_key)

    async def keep_subscription(self, subscription: str, *, idempotency_key: str) -> Subscription:
        return await self._gateway.keep(self._brand, subscription, key=idempotency_key)

    async def change_subscription(
        self, subscription: str, article: Article, *, at_period_end: bool, idempotency_key: str
    ) -> Subscription:
        return await self._gateway.change(
            self._brand, subscription, article, at_period_end=at_period_end, key=idempotency_key
        )

    async def refund(self, payment: str, amount: Money, *, idempotency_key: str) -> Refund:
        return await self._gateway.refund(self._brand, payment, amount, key=idempotency_key)

    def parse_event(self, headers: Mapping[str, str], body: bytes) -> Event:
        return self._seal.read(headers, body)

    async def fetch(self, reference: Reference) -> GatewayObject:
        return await self._gateway.fetch(self._brand, reference)

    async def events_since(self, cursor: str | None, since: datetime) -> EventPage:
        return await self._gateway.events_since(self._brand, cursor, since)

    async def movements_since(self, cursor: str | None, since: datetime) -> MovementPage:
        return await self._gateway.movements_since(self._brand, cursor, since)

    async def erase_customer(self, customer: str) -> Erasure:
        await self._gateway.erase_customer(self._brand, customer)
        return Erased()

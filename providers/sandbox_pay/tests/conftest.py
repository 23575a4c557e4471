"""A sandbox that posts its events to a real server, and people who pay on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from statuette.ports.payment import Checkout, Event, Kind, Payment, Reference
from statuette.testing import FrozenClock
from statuette.testing.payment_rig import Delivery, Payer, PaymentRig
from statuette.testing.wire import WireReply, WireRequest, WireServer
from statuette.values import Money
from statuette_sandbox_pay.cards import Card
from statuette_sandbox_pay.checkouts import Outcome
from statuette_sandbox_pay.gateway import SandboxGateway
from statuette_sandbox_pay.provider import SandboxPay

BRAND = "alpha"
SECRET = b"a secret of the tests, 32 bytes."
PUBLIC_URL = "http://127.0.0.1:1"
_CARDS = {
    Payer.pays: Card.succeeds,
    Payer.declined: Card.declines,
    Payer.approves: Card.asks,
    Payer.refuses: Card.asks,
    Payer.pays_once: Card.fails_later,
}


class Receiver:
    """Where events are posted. Answers with `status`."""

    def __init__(self) -> None:
        self.status = 204
        self.received: list[tuple[str, Delivery]] = []

    async def __call__(self, request: WireRequest, reply: WireReply) -> None:
        if self.status < 300:
            self.received.append((request.path, Delivery(request.headers, request.body)))
        await reply.send(self.status, b"")


class SandboxRig(PaymentRig):
    def __init__(self, provider: SandboxPay, clock: FrozenClock, receiver: Receiver) -> None:
        self.provider = provider
        self.gateway = provider.gateway
        self.merchant = provider.merchant(BRAND)
        self.brand = BRAND
        self.stranger = provider.merchant("beta")
        self.clock = clock
        self.receiver = receiver

    async def pay(self, checkout: Checkout, payer: Payer = Payer.pays) -> None:
        outcome = await self.gateway.pay(BRAND, checkout.id, _CARDS[payer])
        if outcome is Outcome.asks:
            await self.gateway.answer(BRAND, checkout.id, approved=payer is Payer.approves)

    async def change_card(self, customer: str, payer: Payer) -> None:
        await self.gateway.change_card(BRAND, customer, _CARDS[payer])

    async def refund(self, payment: str, amount: Money) -> None:
        await self.gateway.refund(BRAND, payment, amount)

    async def open_dispute(self, payment: str) -> None:
        assert await self.gateway.open_dispute(BRAND, payment) is not None

    async def decide_dispute(self, payment: str, *, won: bool) -> None:
        found = await self.merchant.fetch(Reference(Kind.payment, payment))
        assert isinstance(found, Payment)
        await self.gateway.decide_dispute(BRAND, found.disputes[-1].id, won=won)

    async def deliveries(self) -> list[Delivery]:
        await self.gateway.deliveries_done()
        return [delivery for path, delivery in self.receiver.received if path.endswith(f"/{BRAND}")]

    def sign(self, body: bytes) -> Mapping[str, str]:
        return self.gateway.seal(BRAND).headers(body)

    def forge(self, body: bytes) -> Mapping[str, str]:
        stranger = SandboxGateway(None, self.clock, PUBLIC_URL, b"another secret altogether")
        return stranger.seal(BRAND).headers(body)

    def unknown_event(self) -> bytes:
        return msgspec.json.encode(Event("event_1", "weather.changed", self.clock.now(), None, live=False))

    def other_mode(self, body: bytes) -> bytes:
        return msgspec.json.encode(msgspec.structs.replace(msgspec.json.decode(body, type=Event), live=True))


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest_asyncio.fixture
async def rig(clock: FrozenClock, tmp_path: Path) -> AsyncIterator[SandboxRig]:
    receiver = Receiver()
    async with WireServer(receiver) as server:
        gateway = SandboxGateway(
            tmp_path / "sandbox" / "books.db",
            clock,
            PUBLIC_URL,
            SECRET,
            page_size=3,
            deliver_to=f"{server.base_url}/v1/payment-events/sandbox_pay",
        )
        provider = SandboxPay(gateway)
        yield SandboxRig(provider, clock, receiver)
        await provider.aclose()

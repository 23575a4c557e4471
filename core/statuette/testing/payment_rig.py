"""What a payment provider's tests supply to the conformance suite: a gateway that does as it is told, and people who pay."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

import msgspec

from statuette.ports.payment import Checkout, Merchant
from statuette.testing.clock import FrozenClock
from statuette.values import Money


class Payer(StrEnum):
    """How somebody pays, by what becomes of it."""

    pays = "pays"
    declined = "declined"
    approves = "approves"
    """Their bank asks them for a step, which they take."""
    refuses = "refuses"
    """Their bank asks them for a step, which they do not take: as good as declined."""
    pays_once = "pays_once"
    """The page is paid; whatever is charged later, when they are not there, is declined."""


class Delivery(msgspec.Struct, frozen=True):
    """An event as it was sent: header names in lower case, and the body as it was."""

    headers: Mapping[str, str]
    body: bytes


class PaymentRig(ABC):
    """A gateway under test, or its simulator, with one provider connected to it.

    Attributes:
        merchant: of the brand whose slug is `brand`.
        brand: its slug.
        stranger: the merchant of another brand at the same gateway.
        clock: what the provider was made with.
        expected_currencies: in which of them things can be sold here.
        tries_for: after which time at most the gateway gives up a payment that keeps being declined.
    """

    merchant: Merchant
    brand: str
    stranger: Merchant
    clock: FrozenClock
    expected_currencies: Sequence[str] = ("USD", "EUR", "JPY", "KWD")
    tries_for: timedelta = timedelta(days=40)

    @abstractmethod
    async def pay(self, checkout: Checkout, payer: Payer = Payer.pays) -> None:
        """Do on the page what that person does. Whatever comes of it, return."""

    @abstractmethod
    async def change_card(self, customer: str, payer: Payer) -> None:
        """What is charged later is charged to the card of such a person."""

    @abstractmethod
    async def refund(self, payment: str, amount: Money) -> None:
        """Give money back at the gateway itself, as an operator does on its dashboard."""

    @abstractmethod
    async def open_dispute(self, payment: str) -> None:
        """The person's bank takes the whole payment back until it is decided."""

    @abstractmethod
    async def decide_dispute(self, payment: str, *, won: bool) -> None:
        """The bank decides on the payment's open dispute."""

    async def advance(self, duration: timedelta) -> None:
        """Time passes, at the gateway, too: what falls due there happens."""
        self.clock.advance(duration)

    @abstractmethod
    async def deliveries(self) -> list[Delivery]:
        """Every event that the gateway has sent for `merchant` so far, in the order in which they were sent.

        Waits for those that are on their way. Those of `stranger` are not among them.
        """

    @abstractmethod
    def sign(self, body: bytes) -> Mapping[str, str]:
        """The headers that the gateway sends with `body`, signed now with `merchant`'s secret."""

    @abstractmethod
    def forge(self, body: bytes) -> Mapping[str, str]:
        """The same, signed now by somebody who does not know the secret."""

    @abstractmethod
    def unknown_event(self) -> bytes:
        """The body of an event of a type that concerns nothing of ours."""

    @abstractmethod
    def other_mode(self, body: bytes) -> bytes:
        """The body of the same event, had it been about real money where `merchant` takes none, or the reverse."""

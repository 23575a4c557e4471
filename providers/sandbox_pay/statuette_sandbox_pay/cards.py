"""Test cards: numbers that are published for trying out payments, and what each of them does."""

from __future__ import annotations

from enum import StrEnum


class Card(StrEnum):
    """What becomes of payments by a card."""

    succeeds = "succeeds"
    declines = "declines"
    """Is never charged."""
    asks = "asks"
    """Has the person approve the first payment on another page; later ones succeed."""
    disputes = "disputes"
    """Succeeds; a day after each payment the bank wants it back."""
    fails_later = "fails_later"
    """Succeeds on the page for paying, and is declined whenever nobody is there."""

    @property
    def number(self) -> str:
        return _NUMBERS[self]

    @property
    def label(self) -> str:
        """As a person knows it: its last four digits."""
        return f"•••• {self.number[-4:]}"

    def is_charged(self, *, present: bool) -> bool:
        """Whether a payment goes through.

        Args:
            present: the person is there, and approves what is asked.
        """
        return self is not Card.declines and (present or self is not Card.fails_later)


# docs.stripe.com/testing publishes these; no bank gives them to anybody.
_NUMBERS = {
    Card.succeeds: "4242424242424242",
    Card.declines: "4000000000000002",
    Card.asks: "4000002500003155",
    Card.disputes: "4000000000000259",
    Card.fails_later: "4000000000000341",
}


def card_of(number: str) -> Card | None:
    """The test card with that number, spaces and hyphens aside; None for any other number."""
    digits = number.replace(" ", "").replace("-", "")
    return next((card for card, known in _NUMBERS.items() if known == digits), None)

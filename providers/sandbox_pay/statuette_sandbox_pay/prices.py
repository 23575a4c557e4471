"""What is to be paid: whole minor units, halves rounded up."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from statuette.values import Money

PROMOTION_CODE = "SANDBOX10"
PROMOTION_PERCENT = 10
TAX_PERCENT = 20
_FEE_PER_MILLE = 15


class Quote(msgspec.Struct, frozen=True):
    """Attributes:
    discount: taken off the price, before tax.
    tax: added; None where none is asked for.
    total: what is charged.
    """

    price: Money
    discount: Money | None
    tax: Money | None
    total: Money


def quote(price: Money, discount: Money | None = None, *, promotion: bool = False, taxed: bool = False) -> Quote:
    """The bill for something at `price`."""
    off_minor = 0 if discount is None else discount.amount_minor
    if promotion:
        off_minor = min(price.amount_minor, off_minor + share(price.amount_minor, PROMOTION_PERCENT, 100))
    net_minor = price.amount_minor - off_minor
    tax_minor = share(net_minor, TAX_PERCENT, 100) if taxed else 0
    return Quote(
        price,
        Money(price.currency, off_minor) if off_minor else None,
        Money(price.currency, tax_minor) if taxed else None,
        Money(price.currency, net_minor + tax_minor),
    )


def difference(old: Money, new: Money, start: datetime, end: datetime, now: datetime) -> Money | None:
    """What going over to a dearer price costs for the rest of an interval; None where there is nothing to pay."""
    dearer_minor = new.amount_minor - old.amount_minor
    second = timedelta(seconds=1)
    minor = share(max(0, dearer_minor), max(0, (end - now) // second), max(1, (end - start) // second))
    return Money(new.currency, minor) if minor else None


def fee_minor(amount: Money) -> int:
    """What the gateway keeps of a payment."""
    return share(amount.amount_minor, _FEE_PER_MILLE, 1000)


def share(amount_minor: int, of: int, whole: int) -> int:
    """`of` parts in `whole` of a non-negative amount."""
    return (2 * amount_minor * of + whole) // (2 * whole)

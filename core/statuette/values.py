"""Values every part of Statuette shares: typed ids, money, credits and the source of time."""

from __future__ import annotations

import asyncio
import os
import re
import time
from datetime import UTC, datetime, timedelta
from typing import NewType, Protocol

import msgspec

BrandId = NewType("BrandId", str)
AccountId = NewType("AccountId", str)
UploadId = NewType("UploadId", str)
GenerationId = NewType("GenerationId", str)
FigurineId = NewType("FigurineId", str)
AttemptId = NewType("AttemptId", str)
DeadlineId = NewType("DeadlineId", str)

# Clocks that also count while the machine sleeps: Linux has one of its own, elsewhere the monotonic one does.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,12})(\.(?P<part>[0-9]{1,3}))?")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_ID_BODY_LENGTH = 26


class Clock(Protocol):
    """The only source of time. Nothing else asks the process what time it is."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def monotonic_seconds(self) -> float:
        """Seconds that never go backwards and also pass while the machine sleeps; only differences mean something."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return once `duration` has passed on this clock."""
        ...


class SystemClock:
    """Process time, corrected by a fixed offset to the database's clock where there is one."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def monotonic_seconds(self) -> float:
        return time.clock_gettime(_STEADY)

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(max(0.0, duration.total_seconds()))


def new_id(prefix: str, now: datetime) -> str:
    """A typed, time-ordered id such as `gen_01jd…`.

    The body is 128 bits in 26 characters: 48 bits of milliseconds since 1970, then 80 random bits, as a ULID orders
    them (https://github.com/ulid/spec), in lower case.

    Args:
        prefix: the type, without the underscore.
        now: the moment of creation, from a `Clock`.
    """
    number = (int(now.timestamp() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    body = [""] * _ID_BODY_LENGTH
    for place in range(_ID_BODY_LENGTH - 1, -1, -1):
        number, digit = divmod(number, 32)
        body[place] = _ALPHABET[digit]
    return f"{prefix}_{''.join(body)}"


def is_id(value: str, prefix: str) -> bool:
    """Whether `value` has the shape of an id of that type. Says nothing about whether the thing exists."""
    head, _, body = value.partition("_")
    return head == prefix and len(body) == _ID_BODY_LENGTH and all(c in _ALPHABET for c in body)


# ISO 4217 minor-unit exponents that are not 2.
_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}


def exponent_of(currency: str) -> int:
    """How many decimals the currency's minor unit has (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount in the minor unit of its currency: 1999 USD is $19.99, 1999 JPY is ¥1999, 1999 KWD is 1.999 KD."""

    currency: str
    amount_minor: int

    @classmethod
    def parse(cls, currency: str, text: str) -> Money:
        """An amount in decimal writing, with a point and no more decimals than the currency has: `Money.parse("KWD", "1.999")`.

        Raises:
            ValueError: it is no such amount, or of more than fifteen digits.
        """
        match = _AMOUNT.fullmatch(text)
        exponent = exponent_of(currency)
        if match is None or len(match["part"] or "") > exponent:
            raise ValueError(f"{text[:40]!r} is not an amount of {currency}")
        minor = int(match["whole"] + (match["part"] or "").ljust(exponent, "0"))
        return cls(currency, -minor if match["sign"] else minor)

    @property
    def decimal(self) -> str:
        """In decimal writing, without the currency: `19.99`."""
        exponent = exponent_of(self.currency)
        sign = "-" if self.amount_minor < 0 else ""
        whole, part = divmod(abs(self.amount_minor), 10**exponent)
        return f"{sign}{whole}{f'.{part:0{exponent}d}' if exponent else ''}"

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"


class CostMicros(msgspec.Struct, frozen=True):
    """What a provider charges the operator, in millionths of a major unit: image tokens cost fractions of a cent."""

    currency: str
    micros: int


Credits = NewType("Credits", int)
"""A whole, non-negative number of credits. What one buys is a brand's business; the ledger counts units."""

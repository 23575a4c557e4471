"""The column kinds our tables are made of, so that a table reads as a list of facts.

Ids and codes are text, times are aware and UTC, amounts are whole numbers: nothing that the two engines store differently.
"""

from __future__ import annotations

from piccolo.columns import BigInt, Boolean, Bytea, Integer, Text, Timestamptz, Varchar


def key() -> Varchar:
    """The primary key."""
    return Varchar(length=120, primary_key=True, default="")


def ident() -> Varchar:
    """An id, slug, code or hash."""
    return Varchar(length=120, default="")


def optional_ident() -> Varchar:
    return Varchar(length=120, null=True, default=None)


def moment() -> Timestamptz:
    return Timestamptz(default=None)


def optional_moment() -> Timestamptz:
    return Timestamptz(null=True, default=None)


def text() -> Text:
    return Text(default="")


def optional_text() -> Text:
    return Text(null=True, default=None)


def whole() -> BigInt:
    """A count, an amount of credits, or micros of money."""
    return BigInt(default=0)


def optional_whole() -> BigInt:
    return BigInt(null=True, default=None)


def small() -> Integer:
    return Integer(default=0)


def flag() -> Boolean:
    return Boolean(default=False)


def position() -> BigInt:
    """The primary key of rows that are numbered from 0 without a gap."""
    return BigInt(primary_key=True, default=0)


def octets() -> Bytea:
    """Bytes that are no secret, such as hashes."""
    return Bytea(default=b"")


def optional_octets() -> Bytea:
    return Bytea(null=True, default=None)


class Ciphertext(Bytea):
    """Told apart from other bytes by the probe that looks whether they are encrypted."""


def ciphertext() -> Bytea:
    """Bytes encrypted with the account's data key."""
    return Ciphertext(null=True, default=None)

"""The catalogue: which kinds of data exist, and what for. Packs and plugins add to it; nothing is ever taken away."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Sensitivity(StrEnum):
    """How much harm a disclosure does."""

    none = "none"
    """Says nothing about a person: settings, versions, prices."""
    pseudonymous = "pseudonymous"
    """Ids and facts that lead to a person only with the account table."""
    personal = "personal"
    """Identifies or pictures a person."""
    secret = "secret"  # noqa: S105 - a degree of sensitivity
    """Credentials, hashed or encrypted."""


class Category(msgspec.Struct, frozen=True):
    """A category of data, such as `photo`."""

    id: str
    title: str
    sensitivity: Sensitivity


class Basis(StrEnum):
    """Legal basis of a purpose (GDPR Art. 6(1))."""

    consent = "consent"
    contract = "contract"
    legal_obligation = "legal_obligation"
    legitimate_interest = "legitimate_interest"


class Purpose(msgspec.Struct, frozen=True):
    """Why data is used.

    Attributes:
        basis: with `consent`, a permit needs a live grant; otherwise none.
        statement: what the person agrees to or is told, in plain English.
    """

    id: str
    title: str
    basis: Basis
    statement: str


class Catalogue(msgspec.Struct, frozen=True):
    categories: tuple[Category, ...] = ()
    purposes: tuple[Purpose, ...] = ()

"""The catalogue: which kinds of data exist, what for, who gets them and what people may ask.

Packs and plugins add to it; nothing is ever taken away. What is declared twice is declared in the same words. Titles and
statements are in English, and in the fields ending in `_in` by other locales.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from statuette.ports.processor import Processor


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
    title_in: dict[str, str] = {}


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
        statement: what the person agrees to or is told, in plain English; `title_in` and `statement_in` by other locales.
        opt_out: it does not rest on consent, and yet ends as soon as the person says no.
        signal: `Sec-GPC: 1` counts as a no.
        optional: in force only for brands that offer it.
    """

    id: str
    title: str
    basis: Basis
    statement: str
    title_in: dict[str, str] = {}
    statement_in: dict[str, str] = {}
    opt_out: bool = False
    signal: bool = False
    optional: bool = False

    @property
    def decidable(self) -> bool:
        """Whether people have a say in it."""
        return self.opt_out or self.basis is Basis.consent


class PersonalRight(msgspec.Struct, frozen=True):
    """Something a person may ask for, such as `access`. Rules of the kind `Right` say how soon and what they get."""

    id: str
    title: str
    title_in: dict[str, str] = {}


class Catalogue(msgspec.Struct, frozen=True):
    """Attributes:
    processors: who receives data, as `statuette.ports.processor.Processor`. Providers bring theirs by themselves.
    """

    categories: tuple[Category, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    processors: tuple[Processor, ...] = ()
    rights: tuple[PersonalRight, ...] = ()

"""What may be found after an erasure, where, and by which rule or for which reason. Anything else is a leak."""

from __future__ import annotations

import re

import msgspec

from statuette.kernel.drill.needles import Kind
from statuette.kernel.drill.places import Found, Place

_PSEUDONYM = (
    "It is kept for as long as its rule says, under a pseudonym that only the deployment's master key leads to."
)
_JOURNAL = (
    "The erasure journal names what was erased, by id alone, until no backup is left that could bring it back"
    " (`backup_days`, `key_backup_days`)."
)


class Kept(msgspec.Struct, frozen=True):
    """Attributes:
    place: name of one, or a part of it.
    where: a regular expression.
    rule: the one that ends it, if there is one.
    """

    place: str
    where: str
    kind: Kind
    rule: str | None
    reason: str


_KEPT = (
    Kept("database", r"journal_(mark|note)\.", Kind.id, "backup.erase", _JOURNAL),
    Kept("object store", r"journal/", Kind.id, "backup.erase", _JOURNAL),
    Kept("folder", r"(.*/)?journal[+]?/", Kind.id, "backup.erase", _JOURNAL),
    Kept(
        "folder",
        r"(.*/)?keys/",
        Kind.id,
        "backup.erase",
        "That a key was destroyed is remembered by the id of whose it was, so that none is ever made for it again.",
    ),
    Kept(
        "database",
        r"privacy_request(_event)?\.",
        Kind.id,
        "request.keep",
        "That an erasure was asked for and carried out is kept three years, without anything that says whose it was.",
    ),
    Kept("database", r"privacy_request\.", Kind.hash, "request.keep", _PSEUDONYM),
    Kept(
        "database",
        r"deadline\.account_id",
        Kind.hash,
        "request.keep",
        "By this deadline goes what is kept under a pseudonym.",
    ),
    Kept("database", r"consent_record\.", Kind.hash, "consent.proof", _PSEUDONYM),
    Kept("database", r"(wallet|ledger_|credit_)", Kind.hash, "ledger.keep", _PSEUDONYM),
    Kept(
        "restored copy: database",
        r"upkeep\.id",
        Kind.id,
        None,
        "The mark of the synthetic account was in the backup; the next drill at the restored site takes it away.",
    ),
    Kept(
        "database",
        r"tombstone\.",
        Kind.hash,
        "tombstone.keep",
        "That the address once had what is given once is remembered by a keyed hash, two years.",
    ),
)
_TOLD = "Ids may be told; what was told stays for as long as whoever keeps logs, traces or Redis says."


def residual(place: Place, found: Found, in_rows: dict[str, Kept]) -> Kept | None:
    """Why this may be here; None if it may not.

    Args:
        in_rows: what may be in the rows of a database that these are the files of, by the needle's name.
    """
    if place.told:
        return Kept(place.name, "", Kind.id, None, _TOLD) if found.needle.kind is Kind.id else None
    if place.unit == "files" and "database" in place.name:
        return in_rows.get(found.needle.name)  # the file holds the rows
    for kept in _KEPT:
        if kept.place in place.name and kept.kind is found.needle.kind and re.match(kept.where, found.where):
            return kept
    return None

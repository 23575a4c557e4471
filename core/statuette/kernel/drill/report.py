"""What a drill saw, for whoever answers for privacy: place by place, before and after, with what remains and why."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from statuette.kernel.drill.kept import Kept, residual
from statuette.kernel.drill.needles import Kind
from statuette.kernel.drill.places import Found, Place, Seen


class Verdict(StrEnum):
    """Of a place, and of the drill: the worst of its places. In this order."""

    clean = "clean"
    residual = "residual"
    """Something is left that a rule of the policy lets stay."""
    not_searched = "not_searched"
    blind = "blind"
    """What was there was not found: that nothing is found says nothing."""
    leak = "leak"


_WORST_FIRST = tuple(reversed(Verdict))


class Trace(msgspec.Struct, frozen=True):
    """Something of the canary, somewhere. What it is, never its value.

    Attributes:
        form: how it was written: plain, base64, in compressed data.
        rule, reason: of what may stay.
    """

    what: str
    where: str
    form: str
    count: int
    rule: str | None = None
    reason: str | None = None


class PlaceReport(msgspec.Struct, frozen=True):
    """One place.

    Attributes:
        items_before, items_after: how many rows, objects, files, keys or lines were looked at, and how large they were together.
        found_before: how many traces there were while the account lived.
        leaks: what must not be there.
        residuals: what may.
        reason: of what is blind or was not searched.
    """

    place: str
    unit: str
    verdict: Verdict
    items_before: int = 0
    bytes_before: int = 0
    found_before: int = 0
    items_after: int = 0
    bytes_after: int = 0
    found_after: int = 0
    leaks: list[Trace] = []
    residuals: list[Trace] = []
    reason: str | None = None


class Elsewhere(msgspec.Struct, frozen=True):
    """What a provider keeps by its own declaration, which nobody can look for from here."""

    processor: str
    categories: list[str]
    until: datetime | None


class Report(msgspec.Struct, frozen=True):
    """A drill.

    Attributes:
        steps: of the road, as far as it was walked.
        broken: why it ended early, if it did; the account is erased all the same.
        elsewhere: by the receipt of the erasure.
        not_shown: what a drill like this says nothing about.
    """

    brand: str
    mode: str
    profile: str
    policy_digest: str
    started_at: datetime
    ended_at: datetime
    verdict: Verdict
    steps: list[str]
    places: list[PlaceReport]
    elsewhere: list[Elsewhere]
    not_shown: list[str]
    broken: str | None = None


def worst(verdicts: list[Verdict]) -> Verdict:
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), Verdict.blind)


def judged(
    place: Place,
    before: Seen | str,
    after: Seen | str,
    *,
    expected: frozenset[str],
    in_rows: dict[str, Kept],
) -> PlaceReport:
    """What two looks at a place say.

    Args:
        before, after: what was seen, or why it could not be.
        expected: names of needles that are there for certain while the account lives; empty where nothing can show it.
        in_rows: see `kept.residual`.
    """
    if isinstance(before, str) or isinstance(after, str):
        reason = before if isinstance(before, str) else str(after)
        return PlaceReport(place.name, place.unit, Verdict.not_searched, reason=reason)
    leaks = [_trace(found, count) for found, count in before.found.items() if _never(place, found)]
    residuals = []
    for found, count in after.found.items():
        if found.needle.kind is Kind.control:
            continue
        kept = residual(place, found, in_rows)
        if kept is None:
            leaks.append(_trace(found, count))
        else:
            residuals.append(_trace(found, count, kept))
    there = {found.needle.name for found in before.found}
    missing = sorted(expected - there)
    if leaks:
        verdict = Verdict.leak
    elif missing:
        verdict = Verdict.blind
    else:
        verdict = Verdict.residual if residuals else Verdict.clean
    return PlaceReport(
        place.name,
        place.unit,
        verdict,
        before.items,
        before.bytes,
        _number(before),
        after.items,
        after.bytes,
        _number(after),
        sorted(set(leaks), key=_order),
        sorted(residuals, key=_order),
        f"while the account lived, this was not found: {', '.join(missing)}" if missing else None,
    )


def rows_that_stay(place: Place, seen: Seen | str) -> dict[str, Kept]:
    """By a needle's name, why it may be in rows of a database; nothing for one that is also where it may not be."""
    if isinstance(seen, str):
        return {}
    found = {each: residual(place, each, {}) for each in seen.found}
    bad = {each.needle.name for each, kept in found.items() if kept is None}
    return {each.needle.name: kept for each, kept in found.items() if kept is not None and each.needle.name not in bad}


def _never(place: Place, found: Found) -> bool:
    """Whether this is nowhere to be, also while the account lives."""
    if found.needle.kind in (Kind.control, Kind.id):
        return False
    return place.told or found.needle.sealed


def _number(seen: Seen) -> int:
    return sum(count for found, count in seen.found.items() if found.needle.kind is not Kind.control)


def _trace(found: Found, count: int, kept: Kept | None = None) -> Trace:
    rule, reason = (kept.rule, kept.reason) if kept is not None else (None, None)
    return Trace(found.needle.name, found.where, found.form, count, rule, reason)


def _order(trace: Trace) -> tuple[str, str, str]:
    return trace.where, trace.what, trace.form

"""Lengths of time and lists in words, in the languages the notice is written in."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from statuette.errors import ConfigurationError
from statuette.policy.periods import Floor, Period
from statuette.policy.rules import Retain

LOCALES = ("en", "de")
"""The languages that sentences are rendered in; a text of another language is shown by nobody yet."""

_DAY = timedelta(days=1)


class _Unit(msgspec.Struct, frozen=True):
    """Forms of a word: one of it, several, and several after "within"."""

    one: str
    many: str
    many_within: str


class _Words(msgspec.Struct, frozen=True):
    year: _Unit
    month: _Unit
    day: _Unit
    hour: _Unit
    minute: _Unit
    at_once: str
    first: str
    last: str
    not_before: str


def _unit(one: str, many: str, many_within: str | None = None) -> _Unit:
    return _Unit(one, many, many_within or many)


_IN = {
    "en": _Words(
        _unit("year", "years"),
        _unit("month", "months"),
        _unit("day", "days"),
        _unit("hour", "hours"),
        _unit("minute", "minutes"),
        at_once="immediately",
        first="{0} or {1} (whichever is shorter)",
        last="{0} or {1} (whichever is longer)",
        not_before="{0} (at the earliest {1})",
    ),
    "de": _Words(
        _unit("Jahr", "Jahre", "Jahren"),
        _unit("Monat", "Monate", "Monaten"),
        _unit("Tag", "Tage", "Tagen"),
        _unit("Stunde", "Stunden"),
        _unit("Minute", "Minuten"),
        at_once="unmittelbar",
        first="{0} oder {1} (je nachdem, was kürzer ist)",
        last="{0} oder {1} (je nachdem, was länger ist)",
        not_before="{0} (frühestens {1})",
    ),
}


def in_words(length: Period | Floor, locale: str = "en", *, within: bool = False) -> str:
    """`immediately`, `1 hour`, `24 hours`, `7 days`, `1 hour 30 minutes`, `2 years`. Never shorter than it is.

    A single day stays 24 hours: that is how it is counted, and a date would promise something else.

    Args:
        within: the form that stands after "within" (German: "innerhalb von 7 Tagen").

    Raises:
        ConfigurationError: a locale that is not among `LOCALES`.
    """
    words = _words(locale)
    parts = []
    if length.duration is not None:
        parts.append(_duration(length.duration, words, within))
    if length.months is not None:
        years = length.months % 12 == 0
        unit, count = (words.year, length.months // 12) if years else (words.month, length.months)
        parts.append(_counted(count, unit, within))
    if len(parts) == 1:
        return parts[0]
    return (words.first if isinstance(length, Period) else words.last).format(*parts)


def time_in_force(rule: Retain, locale: str = "en") -> str:
    """The rule's time in words, lifted by its legal floor where it has one."""
    if rule.minimum is None or rule.minimum.within(rule.after):
        return in_words(rule.after, locale)
    if rule.minimum.never_before(rule.after):
        return in_words(rule.minimum, locale)
    return _words(locale).not_before.format(in_words(rule.after, locale), in_words(rule.minimum, locale))


def _words(locale: str) -> _Words:
    if locale not in _IN:
        raise ConfigurationError(
            f"Policies are not rendered in the language {locale!r}.", cure=f"Use one of: {', '.join(LOCALES)}."
        )
    return _IN[locale]


def _duration(duration: timedelta, words: _Words, within: bool) -> str:
    if not duration:
        return words.at_once
    rest = -(-duration // timedelta(minutes=1)) * timedelta(minutes=1)
    parts = []
    for unit, lasts in ((words.day, _DAY), (words.hour, timedelta(hours=1)), (words.minute, timedelta(minutes=1))):
        if lasts == _DAY and rest < 2 * _DAY:
            continue
        count, rest = divmod(rest, lasts)
        if count:
            parts.append(_counted(count, unit, within))
    return " ".join(parts)


def _counted(count: int, unit: _Unit, within: bool) -> str:
    return f"{count} {unit.one if count == 1 else unit.many_within if within else unit.many}"

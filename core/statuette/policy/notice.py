"""What people read: each rule in words, rendered from the rule in force and from nothing else."""

from __future__ import annotations

from datetime import timedelta

from statuette.policy.rules import Egress, Retain

_UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))


def render_sentence(rule: Retain | Egress) -> str:
    """The rule's sentence with the time in force, in English."""
    return rule.sentence.replace("{after}", in_words(rule.after)) if isinstance(rule, Retain) else rule.sentence


def in_words(duration: timedelta) -> str:
    """`immediately`, `1 hour`, `24 hours`, `7 days`, `1 hour 30 minutes`. Never shorter than the duration.

    A single day stays 24 hours: that is how it is counted, and a date would promise something else.
    """
    if duration <= timedelta(0):
        return "immediately"
    rest = -(-duration // timedelta(minutes=1)) * timedelta(minutes=1)
    parts = []
    for name, unit in _UNITS:
        if unit == timedelta(days=1) and rest < 2 * unit:
            continue
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(parts)

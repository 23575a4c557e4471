"""The meet of rules: what holds when several packs speak of the same thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Generic, TypeVar

import msgspec

from statuette.errors import ConfigurationError
from statuette.policy.catalogue import Category, Purpose
from statuette.policy.rules import Carry, Egress, Retain, Trigger

_Item = TypeVar("_Item")
_Exact = TypeVar("_Exact", Category, Purpose, Egress)
_Ordered = TypeVar("_Ordered", Retain, Egress)


class Declared(msgspec.Struct, Generic[_Item], frozen=True):
    """Something a pack declares, and the pack's source."""

    item: _Item
    source: str


def declare(into: dict[str, Declared[_Exact]], item: _Exact, kind: str, source: str) -> None:
    """Note what may be declared again only in the same words."""
    known = into.setdefault(item.id, Declared(item, source))
    if known.item != item:
        raise ConfigurationError(f"The {kind} {item.id!r} is declared differently in {known.source} and in {source}.")


def in_order(rule: _Ordered) -> _Ordered:
    """The rule with its sets sorted and each member once, so that equal rules are equal."""
    if isinstance(rule, Retain):
        return msgspec.structs.replace(rule, triggers=tuple(sorted(set(rule.triggers))))
    return msgspec.structs.replace(rule, categories=tuple(sorted(set(rule.categories))))


def meet(claims: Sequence[Declared[Retain]]) -> Retain:
    """The strictest of each field. Commutative, associative, idempotent.

    Raises:
        ConfigurationError: a claim contradicts itself, or two speak of different data; names the sources.
    """
    for claim in claims:
        _refuse_contradiction(claim.item, claim.source)
    first, rules = claims[0], [claim.item for claim in claims]
    for other in claims[1:]:
        if (other.item.dataset, other.item.carry) != (first.item.dataset, first.item.carry):
            raise ConfigurationError(
                f"The rule {first.item.id!r} speaks of different data in {first.source} and in {other.source}."
            )
    return msgspec.structs.replace(
        first.item,
        triggers=tuple(sorted({trigger for rule in rules for trigger in rule.triggers})),
        after=min(rule.after for rule in rules),
        maximum=min(rule.maximum for rule in rules),
        action=max((rule.action for rule in rules), key=lambda action: action.strength),
        exempt_while_saved=all(rule.exempt_while_saved for rule in rules),
        longest_job_added=all(rule.longest_job_added for rule in rules),
        # The words of the rule whose time holds; between equals any choice will do that does not depend on order.
        sentence=min(rules, key=lambda rule: (rule.after, rule.sentence)).sentence,
    )


def _refuse_contradiction(rule: Retain, source: str) -> None:
    wrong = None
    if not timedelta(0) <= rule.after <= rule.maximum:
        wrong = f"its time of {rule.after} is not between nothing and its maximum of {rule.maximum}"
    elif not rule.triggers:
        wrong = "nothing arms it"
    elif rule.carry is Carry.sweep and rule.triggers != (Trigger.created,):
        wrong = "a sweep counts from creation alone"
    elif set(re.findall(r"\{(.*?)\}", rule.sentence)) != {"after"}:
        wrong = "its sentence must say {after}, and no other place"
    if wrong is not None:
        raise ConfigurationError(f"The rule {rule.id!r} in {source} contradicts itself: {wrong}.")

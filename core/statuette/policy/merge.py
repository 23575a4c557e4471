"""The meet of rules: what holds when several packs speak of the same thing. Commutative, associative, idempotent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, Generic, TypeVar

import msgspec

from statuette.errors import ConfigurationError
from statuette.policy.catalogue import Category, PersonalRight, Purpose
from statuette.policy.periods import Floor, Period
from statuette.policy.rules import Carry, Egress, Moment, Notify, Retain, Right, Rule, Safeguard, Trigger
from statuette.policy.sources import place
from statuette.ports.processor import Processor

_Item = TypeVar("_Item")
_Exact = TypeVar("_Exact", Category, Purpose, Processor, PersonalRight, Notify, Safeguard)

KIND: dict[Any, str] = {
    Retain: "retention",
    Egress: "egress",
    Right: "a right",
    Notify: "word to people",
    Safeguard: "a safeguard",
}


class Declared(msgspec.Struct, Generic[_Item], frozen=True):
    """Something a pack declares, and the pack's source."""

    item: _Item
    source: str

    def place(self, field: str | None = None) -> str:
        """Where it is written, with file and line if these can be found."""
        return place(self.source, getattr(self.item, "id", ""), field)


def declare(into: dict[str, Declared[_Exact]], item: _Exact, kind: str, source: str) -> None:
    """Note what may be declared again only in the same words. Raises `ConfigurationError`, which names both places."""
    known = into.setdefault(item.id, Declared(item, source))
    if known.item != item:
        other = Declared(item, source)
        raise ConfigurationError(
            f"The {kind} {item.id!r} is declared differently in {known.place()} and in {other.place()}."
        )


def in_order(rule: Rule) -> Rule:
    """The rule with its sets sorted and each member once, so that equal rules are equal."""
    if isinstance(rule, Retain):
        return msgspec.structs.replace(
            rule,
            triggers=_set(rule.triggers),
            exemptions=_set(rule.exemptions),
            stores=_set(rule.stores),
        )
    if isinstance(rule, Egress):
        processors = _set(rule.processors) if rule.processors is not None else None
        return msgspec.structs.replace(rule, categories=_set(rule.categories), processors=processors)
    return rule


def meet(claims: Sequence[Declared[Retain]]) -> Retain:
    """The strictest of each field; the floor is the latest of all.

    Raises:
        ConfigurationError: two claims speak of different data, or one's floor lies above another's maximum; names both.
    """
    first, rules = claims[0], [claim.item for claim in claims]
    _refuse_difference(claims, lambda rule: (rule.dataset, rule.carry), "different data")
    for low in claims:
        for high in claims:
            if low.item.minimum is not None and not low.item.minimum.within(high.item.maximum):
                raise ConfigurationError(
                    f"The rule {first.item.id!r} cannot be kept: {low.place('minimum')} wants at least"
                    f" {low.item.minimum}, and {high.place('maximum')} allows {high.item.maximum} at most."
                )
    # The words of the rule whose time holds; between equals any choice will do that does not depend on order.
    words = min(rules, key=lambda rule: (rule.after.shortest, *_words(rule)))
    return msgspec.structs.replace(
        first.item,
        triggers=_set(trigger for rule in rules for trigger in rule.triggers),
        after=_least(rule.after for rule in rules),
        maximum=_least(rule.maximum for rule in rules),
        minimum=_highest(rule.minimum for rule in rules),
        action=max((rule.action for rule in rules), key=lambda action: action.strength),
        exemptions=_in_all([rule.exemptions for rule in rules]),
        longest_job_added=all(rule.longest_job_added for rule in rules),
        stores=_set(store for rule in rules for store in rule.stores),
        sentence=words.sentence,
        sentence_in=words.sentence_in,
    )


def meet_egress(claims: Sequence[Declared[Egress]]) -> Egress:
    """What every claim lets out, to whom every claim allows. Raises `ConfigurationError` for different purposes."""
    _refuse_difference(claims, lambda rule: rule.purpose, "different purposes")
    rules = [claim.item for claim in claims]
    named = [rule.processors for rule in rules if rule.processors is not None]
    words = min(rules, key=_words)
    return msgspec.structs.replace(
        rules[0],
        categories=_in_all([rule.categories for rule in rules]),
        processors=_in_all(named) if named else None,
        sentence=words.sentence,
        sentence_in=words.sentence_in,
    )


def meet_right(claims: Sequence[Declared[Right]]) -> Right:
    """The soonest answer. Raises `ConfigurationError` where different things are asked for or given."""
    _refuse_difference(claims, lambda rule: (rule.request, rule.answer), "different requests or answers")
    rules = [claim.item for claim in claims]
    words = min(rules, key=lambda rule: (rule.within.shortest, *_words(rule)))
    return msgspec.structs.replace(
        rules[0],
        within=_least(rule.within for rule in rules),
        sentence=words.sentence,
        sentence_in=words.sentence_in,
    )


def refuse_contradiction(claim: Declared[Any]) -> None:
    """Raises `ConfigurationError`, with its place, for a rule that is wrong by itself."""
    rule: Rule = claim.item
    wrong, field = _contradiction(rule)
    if wrong is None:
        wrong, field = _wrong_words(rule)
    if wrong is not None:
        raise ConfigurationError(f"The rule {rule.id!r} in {claim.place(field)} contradicts itself: {wrong}.")


def _contradiction(rule: Rule) -> tuple[str | None, str | None]:
    if isinstance(rule, Retain):
        if not rule.after <= rule.maximum:
            return f"its time of {rule.after} can be longer than its maximum of {rule.maximum}", "after"
        if rule.minimum is not None and not rule.minimum.within(rule.maximum):
            return f"its minimum of {rule.minimum} can be longer than its maximum of {rule.maximum}", "minimum"
        if not rule.triggers:
            return "nothing arms it", "triggers"
        if rule.carry is Carry.sweep and rule.triggers != (Trigger.created,):
            return "a sweep counts from creation alone", "triggers"
        if not rule.stores:
            return "it reaches no store", "stores"
    if isinstance(rule, Notify) and rule.within is not None and rule.moment is Moment.before:
        return "word that comes before has no time after", "within"
    return None, None


def _wrong_words(rule: Rule) -> tuple[str | None, str | None]:
    needed, allowed = places_of(rule)
    for locale, sentence in {"en": rule.sentence, **rule.sentence_in}.items():
        found = set(re.findall(r"\{(.*?)\}", sentence))
        if not needed <= found <= allowed:
            shown = " and ".join(f"{{{name}}}" for name in sorted(needed)) or "nothing in braces"
            field = "sentence" if locale == "en" else "sentence_in"
            return f"its sentence ({locale}) must say {shown}, and no other place", field
    return None, None


def places_of(rule: Rule) -> tuple[set[str], set[str]]:
    """What its sentences must have in braces, and what they may have."""
    if isinstance(rule, Retain):
        return {"after"}, {"after", "unless"}
    if isinstance(rule, Egress):
        return {"categories"}, {"categories", "processors"}
    if isinstance(rule, Right) or (isinstance(rule, Notify) and rule.within is not None):
        return {"within"}, {"within"}
    return set(), set()


def _refuse_difference(claims: Sequence[Declared[Any]], about: Any, what: str) -> None:
    first = claims[0]
    for other in claims[1:]:
        if about(other.item) != about(first.item):
            raise ConfigurationError(
                f"The rule {first.item.id!r} speaks of {what} in {first.place()} and in {other.place()}."
            )


def _words(rule: Rule) -> tuple[str, list[tuple[str, str]]]:
    return rule.sentence, sorted(rule.sentence_in.items())


_Member = TypeVar("_Member", bound=str)


def _set(members: Iterable[_Member]) -> tuple[_Member, ...]:
    return tuple(sorted(set(members)))


def _in_all(sets: Sequence[tuple[_Member, ...]]) -> tuple[_Member, ...]:
    return tuple(sorted(set(sets[0]).intersection(*sets[1:])))


def _least(periods: Iterable[Period]) -> Period:
    return reduce(lambda one, other: one & other, periods)


def _highest(floors: Iterable[Floor | None]) -> Floor | None:
    known = [floor for floor in floors if floor is not None]
    return reduce(lambda one, other: one | other, known) if known else None

"""Packs of rules, and what is in force for one brand once packs and the brand's own choices are merged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, TypeVar

import msgspec

from statuette.errors import ConfigurationError
from statuette.policy.canonical import encode
from statuette.policy.catalogue import Catalogue, Category, PersonalRight, Purpose
from statuette.policy.merge import (
    KIND,
    Declared,
    declare,
    in_order,
    meet,
    meet_egress,
    meet_right,
    refuse_contradiction,
)
from statuette.policy.periods import Period
from statuette.policy.promises import Promise
from statuette.policy.publication import Publication
from statuette.policy.rules import Egress, Notify, Option, Retain, Right, Rule, Safeguard
from statuette.ports.processor import Processor

_Item = TypeVar("_Item")


class PolicyPack(msgspec.Struct, frozen=True):
    """A named, versioned module of rules.

    Attributes:
        source: the module or package where the pack is written (`statuette_policies.baseline`): error messages name it, and
            look there for the line of a rule.
        since: the first day (UTC) on which it is in force; None: always.
        promises: what the pack promises people, and which rule keeps it.
        tests: for each rule the tests that go red when nothing carries it out, as pytest names them.
        by_hand: ids of rules that nothing in the platform carries out, but the operator does; `policy check` lists them.
    """

    name: str
    version: str
    source: str
    catalogue: Catalogue = Catalogue()
    rules: tuple[Rule, ...] = ()
    since: date | None = None
    promises: tuple[Promise, ...] = ()
    by_hand: tuple[str, ...] = ()
    tests: dict[str, tuple[str, ...]] = {}

    def in_force(self, on: date | None) -> bool:
        """Whether it is in force on that day (UTC); None asks for no day, and every pack is."""
        return on is None or self.since is None or self.since <= on


class BrandChoice(msgspec.Struct, frozen=True):
    """A brand's time for one rule, up to the rule's maximum, and the place it was written at (`brands/demo.toml:41`)."""

    rule: str
    after: Period
    source: str


class EffectivePolicy(msgspec.Struct, frozen=True):
    """What is in force. Compare by `digest`.

    Attributes:
        categories, purposes, processors, personal_rights: the catalogue.
        retain, egress, rights, notify, safeguards: the rules, by kind.
        publication: what the brand published of it, if it has published anything; no part of `digest`.
    """

    categories: dict[str, Category]
    purposes: dict[str, Purpose]
    processors: dict[str, Processor]
    personal_rights: dict[str, PersonalRight]
    retain: dict[str, Retain]
    egress: dict[str, Egress]
    rights: dict[str, Right]
    notify: dict[str, Notify]
    safeguards: dict[str, Safeguard]
    digest: str
    publication: Publication | None = None

    def rule(self, rule_id: str) -> Retain:
        try:
            return self.retain[rule_id]
        except KeyError:
            raise ConfigurationError(
                f"No policy pack declares the rule {rule_id!r}.",
                cure="Install and allow the pack `baseline` (distribution statuette-policies).",
            ) from None

    def rules(self) -> Iterator[Rule]:
        """Every rule of every kind."""
        kinds: tuple[Mapping[str, Rule], ...] = (self.retain, self.egress, self.rights, self.notify, self.safeguards)
        for kind in kinds:
            yield from kind.values()

    def allows_egress(self, purpose: str, categories: Iterable[str], processor: str | None = None) -> bool:
        """Whether one rule lets `purpose` carry all of `categories` out: to that processor, or to any at all."""
        allowed = self.receivers(purpose, categories)
        return allowed is None or (bool(allowed) if processor is None else processor in allowed)

    def receivers(self, purpose: str, categories: Iterable[str]) -> frozenset[str] | None:
        """The processors that `purpose` may give all of `categories`; None: any that declares both by itself."""
        wanted = set(categories)
        found: set[str] = set()
        for rule in self.egress.values():
            if rule.purpose == purpose and wanted <= set(rule.categories):
                if rule.processors is None:
                    return None
                found.update(rule.processors)
        return frozenset(found)


class Claims(msgspec.Struct):
    """Everything the packs say, each with its source: what `compile_policy` merges and `explain` shows."""

    categories: dict[str, Declared[Category]] = {}
    purposes: dict[str, Declared[Purpose]] = {}
    processors: dict[str, Declared[Processor]] = {}
    personal_rights: dict[str, Declared[PersonalRight]] = {}
    retain: dict[str, list[Declared[Retain]]] = {}
    egress: dict[str, list[Declared[Egress]]] = {}
    rights: dict[str, list[Declared[Right]]] = {}
    notify: dict[str, Declared[Notify]] = {}
    safeguards: dict[str, Declared[Safeguard]] = {}


def gather(packs: Iterable[PolicyPack], *, on: date | None = None) -> Claims:
    """What the packs in force on that day say.

    Raises:
        ConfigurationError: a rule that contradicts itself, or one name for two things; names every source involved.
    """
    claims = Claims()
    kinds: dict[str, tuple[type, Declared[Any]]] = {}
    for pack in sorted(packs, key=lambda p: (p.name, p.version)):
        if not pack.in_force(on):
            continue
        for category in pack.catalogue.categories:
            declare(claims.categories, category, "category", pack.source)
        for purpose in pack.catalogue.purposes:
            declare(claims.purposes, purpose, "purpose", pack.source)
        for processor in pack.catalogue.processors:
            declare(claims.processors, _sorted(processor), "processor", pack.source)
        for right in pack.catalogue.rights:
            declare(claims.personal_rights, right, "right", pack.source)
        for rule in pack.rules:
            said: Declared[Any] = Declared(in_order(rule), pack.source)
            refuse_contradiction(said)
            kind, first = kinds.setdefault(rule.id, (type(rule), said))
            if kind is not type(rule):
                raise ConfigurationError(
                    f"The rule {rule.id!r} is about {KIND[kind]} in {first.place()} and about {KIND[type(rule)]} in"
                    f" {said.place()}."
                )
            _note(claims, said)
    return claims


def _note(claims: Claims, said: Declared[Any]) -> None:
    rule = said.item
    if isinstance(rule, Notify):
        declare(claims.notify, rule, "rule", said.source)
    elif isinstance(rule, Safeguard):
        declare(claims.safeguards, rule, "rule", said.source)
    else:
        by_kind: dict[type, dict[str, list[Any]]] = {
            Retain: claims.retain,
            Egress: claims.egress,
            Right: claims.rights,
        }
        by_kind[type(rule)].setdefault(rule.id, []).append(said)


def compile_policy(
    packs: Iterable[PolicyPack],
    choices: Iterable[BrandChoice] = (),
    *,
    offered: Iterable[str] | None = None,
    options: Iterable[Option] | None = None,
    on: date | None = None,
) -> EffectivePolicy:
    """Merge packs, then a brand's choices, into what is in force.

    The merge is a meet: in whatever order and however often packs are named, the stricter value of each field wins. A
    brand sets the time of a rule anywhere up to its maximum, the least that any pack allows; a legal floor lifts what is
    below it.

    Args:
        offered: ids of the optional purposes that are in force; None: all of them.
        options: what the brand asks for beyond that; None: everything it might.
        on: the day (UTC) that is asked about: packs that begin later are left out. None: every pack.

    Raises:
        ConfigurationError: a rule that contradicts itself or another of its name, a floor above a maximum, an unknown rule,
            a purpose, category, processor or right that nobody declares, two choices for one rule, or a choice that
            loosens; names every source involved.
    """
    claims = gather(packs, on=on)
    retain = {rule_id: meet(said) for rule_id, said in claims.retain.items()}
    for choice in _one_a_rule(choices):
        retain[choice.rule] = _narrow(retain, choice, claims.retain)
    for out in claims.egress.values():
        for each in out:
            _refuse_undeclared(each, claims)
    egress = {rule_id: meet_egress(said) for rule_id, said in claims.egress.items()}
    for rights in claims.rights.values():
        for right in rights:
            if right.item.request not in claims.personal_rights:
                raise ConfigurationError(
                    f"The rule {right.item.id!r} ({right.place('request')}) names the right {right.item.request!r},"
                    " which no pack declares."
                )
    for name in _left_out(claims.purposes, offered):
        del claims.purposes[name]
        egress = {rule_id: rule for rule_id, rule in egress.items() if rule.purpose != name}
    wanted = None if options is None else frozenset(options)
    safeguards = {
        rule_id: rule
        for rule_id, rule in _items(claims.safeguards).items()
        if rule.option is None or wanted is None or rule.option in wanted
    }
    in_force = (
        _items(claims.categories),
        _items(claims.purposes),
        _items(claims.processors),
        _items(claims.personal_rights),
        retain,
        egress,
        {rule_id: meet_right(said) for rule_id, said in claims.rights.items()},
        _items(claims.notify),
        safeguards,
    )
    return EffectivePolicy(*in_force, digest=digest_of(*in_force))


def _sorted(processor: Processor) -> Processor:
    return msgspec.structs.replace(
        processor,
        purposes=tuple(sorted(set(processor.purposes))),
        categories=tuple(sorted(set(processor.categories))),
    )


def _left_out(purposes: Mapping[str, Declared[Purpose]], offered: Iterable[str] | None) -> list[str]:
    optional = {name for name, entry in purposes.items() if entry.item.optional}
    chosen = optional if offered is None else set(offered)
    if unknown := sorted(chosen - optional):
        raise ConfigurationError(
            f"{unknown[0]!r} is no purpose that can be offered.",
            cure=f"Use one of: {', '.join(sorted(optional)) or 'none'}.",
        )
    return sorted(optional - chosen)


def _items(declared: Mapping[str, Declared[_Item]]) -> dict[str, _Item]:
    return {name: entry.item for name, entry in declared.items()}


def _one_a_rule(choices: Iterable[BrandChoice]) -> Iterable[BrandChoice]:
    by_rule: dict[str, BrandChoice] = {}
    for choice in choices:
        known = by_rule.setdefault(choice.rule, choice)
        if known.after != choice.after:
            raise ConfigurationError(
                f"The rule {choice.rule!r} is set to {known.after} by {known.source} and to {choice.after} by"
                f" {choice.source}.",
                cure="Keep one of them.",
            )
    return by_rule.values()


def _narrow(retain: Mapping[str, Retain], choice: BrandChoice, claims: Mapping[str, list[Declared[Retain]]]) -> Retain:
    rule = retain.get(choice.rule)
    if rule is None:
        raise ConfigurationError(
            f"{choice.source} sets a time for the rule {choice.rule!r}, which no pack declares.",
            cure=f"Use one of: {', '.join(sorted(retain))}.",
        )
    if not choice.after <= rule.maximum:
        bound_by = min(
            (claim for claim in claims[choice.rule] if not choice.after <= claim.item.maximum),
            key=lambda claim: (claim.item.maximum.shortest, claim.source),
        )
        raise ConfigurationError(
            f"{choice.source} loosens the rule {choice.rule!r} to {choice.after}; {bound_by.place('maximum')} allows"
            f" {bound_by.item.maximum} at most.",
            cure=f"Choose {rule.maximum} or less.",
        )
    return msgspec.structs.replace(rule, after=choice.after)


def _refuse_undeclared(rule: Declared[Egress], claims: Claims) -> None:
    missing = [] if rule.item.purpose in claims.purposes else [("purpose", rule.item.purpose)]
    missing += [("categories", name) for name in rule.item.categories if name not in claims.categories]
    missing += [("processors", name) for name in rule.item.processors or () if name not in claims.processors]
    for field, name in missing[:1]:
        what = {"purpose": "purpose", "categories": "category", "processors": "processor"}[field]
        raise ConfigurationError(
            f"The rule {rule.item.id!r} ({rule.place(field)}) names the {what} {name!r}, which no pack declares."
        )


def digest_of(*parts: Mapping[str, msgspec.Struct]) -> str:
    """SHA-256 over canonical JSON (all names sorted), as `sha256:<hex>`. The same in every process and release."""
    return f"sha256:{hashlib.sha256(encode(parts)).hexdigest()}"

"""Packs of rules, and what is in force for one brand once packs and the brand's own choices are merged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TypeVar

import msgspec

from statuette.errors import ConfigurationError
from statuette.policy.catalogue import Catalogue, Category, Purpose
from statuette.policy.merge import Declared, declare, in_order, meet
from statuette.policy.rules import Egress, Retain, Rule

_Item = TypeVar("_Item")


class PolicyPack(msgspec.Struct, frozen=True):
    """A named, versioned module of rules.

    Attributes:
        source: where the pack is written, for error messages (`statuette_policies.baseline`).
    """

    name: str
    version: str
    source: str
    catalogue: Catalogue = Catalogue()
    rules: tuple[Rule, ...] = ()


class BrandChoice(msgspec.Struct, frozen=True):
    """A brand's time for one rule, up to the rule's maximum, and the place it was written at (`brands/demo.toml:41`)."""

    rule: str
    after: timedelta
    source: str


class EffectivePolicy(msgspec.Struct, frozen=True):
    """What is in force. Compare by `digest`."""

    categories: dict[str, Category]
    purposes: dict[str, Purpose]
    retain: dict[str, Retain]
    egress: dict[str, Egress]
    digest: str

    def rule(self, rule_id: str) -> Retain:
        try:
            return self.retain[rule_id]
        except KeyError:
            raise ConfigurationError(
                f"No policy pack declares the rule {rule_id!r}.",
                cure="Install and allow the pack `baseline` (distribution statuette-policies).",
            ) from None

    def allows_egress(self, purpose: str, categories: Iterable[str]) -> bool:
        """Whether one rule lets `purpose` carry all of `categories` out."""
        wanted = set(categories)
        return any(rule.purpose == purpose and wanted <= set(rule.categories) for rule in self.egress.values())


def compile_policy(packs: Iterable[PolicyPack], choices: Iterable[BrandChoice] = ()) -> EffectivePolicy:
    """Merge packs, then a brand's choices, into what is in force.

    The merge is a meet: in whatever order and however often packs are named, the stricter value of each field wins. A
    brand sets the time of a rule anywhere up to its maximum, the least that any pack allows.

    Raises:
        ConfigurationError: a rule that contradicts itself or another of its name, an unknown rule, a purpose or category
            that nobody declares, two choices for one rule, or a choice that loosens; names every source involved.
    """
    categories: dict[str, Declared[Category]] = {}
    purposes: dict[str, Declared[Purpose]] = {}
    egress: dict[str, Declared[Egress]] = {}
    claims: dict[str, list[Declared[Retain]]] = {}
    for pack in sorted(packs, key=lambda p: (p.name, p.version)):
        for category in pack.catalogue.categories:
            declare(categories, category, "category", pack.source)
        for purpose in pack.catalogue.purposes:
            declare(purposes, purpose, "purpose", pack.source)
        for rule in pack.rules:
            if isinstance(rule, Egress):
                declare(egress, in_order(rule), "rule", pack.source)
            else:
                claims.setdefault(rule.id, []).append(Declared(in_order(rule), pack.source))
    for rule_id in claims.keys() & egress.keys():
        raise ConfigurationError(
            f"The rule {rule_id!r} is one of retention in {claims[rule_id][0].source} and one of egress in"
            f" {egress[rule_id].source}."
        )
    retain = {rule_id: meet(rules) for rule_id, rules in claims.items()}
    for choice in _one_a_rule(choices):
        retain[choice.rule] = _narrow(retain, choice, claims)
    for allowed in egress.values():
        _refuse_undeclared(allowed, purposes, categories)
    in_force = (_items(categories), _items(purposes), retain, _items(egress))
    return EffectivePolicy(*in_force, digest=_digest(*in_force))


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
    if choice.after > rule.maximum:
        bound_by = min(claims[choice.rule], key=lambda claim: (claim.item.maximum, claim.source))
        raise ConfigurationError(
            f"{choice.source} loosens the rule {choice.rule!r} to {choice.after}; {bound_by.source} allows"
            f" {rule.maximum} at most.",
            cure=f"Choose {rule.maximum} or less.",
        )
    if choice.after < timedelta(0):
        raise ConfigurationError(f"{choice.source} sets a negative time for the rule {choice.rule!r}.")
    return msgspec.structs.replace(rule, after=choice.after)


def _refuse_undeclared(
    rule: Declared[Egress], purposes: Mapping[str, object], categories: Mapping[str, object]
) -> None:
    missing = [] if rule.item.purpose in purposes else [f"purpose {rule.item.purpose!r}"]
    missing += [f"category {name!r}" for name in rule.item.categories if name not in categories]
    if missing:
        raise ConfigurationError(
            f"The rule {rule.item.id!r} ({rule.source}) names the {missing[0]}, which no pack declares."
        )


def _digest(*parts: Mapping[str, msgspec.Struct]) -> str:
    """SHA-256 over canonical JSON (all names sorted), as `sha256:<hex>`. The same in every process and release."""
    body = msgspec.json.encode(parts, order="sorted")
    return f"sha256:{hashlib.sha256(body).hexdigest()}"

"""Packs of rules, and what is in force for one brand once packs and the brand's own choices are merged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TypeVar

import msgspec

from statuette.errors import ConfigurationError
from statuette.policy.catalogue import Catalogue, Category, Purpose
from statuette.policy.rules import Egress, Retain, Rule

_Declared = TypeVar("_Declared", Category, Purpose, Retain, Egress)


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
    """A brand's narrowing of one rule, and the place it was written at (`brands/demo.toml:41`)."""

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
        """Whether some rule lets `purpose` carry all of `categories` out."""
        wanted = set(categories)
        return any(rule.purpose == purpose and wanted <= set(rule.categories) for rule in self.egress.values())


def compile_policy(packs: Iterable[PolicyPack], choices: Iterable[BrandChoice] = ()) -> EffectivePolicy:
    """Merge packs, then a brand's choices, into what is in force.

    Two packs may declare the same retention rule: the stricter value of each field wins, whatever the order. A brand's
    choice may only shorten.

    Raises:
        ConfigurationError: an unknown rule, a purpose or category that nobody declares, or a choice that loosens; names
            both sources.
    """
    categories: dict[str, Category] = {}
    purposes: dict[str, Purpose] = {}
    retain: dict[str, Retain] = {}
    egress: dict[str, Egress] = {}
    sources: dict[str, str] = {}
    for pack in sorted(packs, key=lambda p: (p.name, p.version)):
        for category in pack.catalogue.categories:
            _declare(categories, category, "category", pack.source, sources)
        for purpose in pack.catalogue.purposes:
            _declare(purposes, purpose, "purpose", pack.source, sources)
        for rule in pack.rules:
            if isinstance(rule, Egress):
                _declare(egress, rule, "rule", pack.source, sources)
            elif rule.id in retain:
                retain[rule.id] = _stricter(retain[rule.id], rule, sources[f"rule {rule.id}"], pack.source)
            else:
                _declare(retain, rule, "rule", pack.source, sources)
    for choice in choices:
        retain[choice.rule] = _narrow(retain, choice, sources)
    for allowed in egress.values():
        if allowed.purpose not in purposes:
            raise ConfigurationError(
                f"Rule {allowed.id!r} ({sources[f'rule {allowed.id}']}) names the purpose {allowed.purpose!r},"
                " which no pack declares."
            )
        for name in allowed.categories:
            if name not in categories:
                raise ConfigurationError(
                    f"Rule {allowed.id!r} ({sources[f'rule {allowed.id}']}) names the category {name!r},"
                    " which no pack declares."
                )
    return EffectivePolicy(categories, purposes, retain, egress, _digest(categories, purposes, retain, egress))


def _declare(
    into: dict[str, _Declared], item: _Declared, kind: str, source: str, sources: dict[str, str]
) -> None:
    known = into.get(item.id)
    if known is not None and known != item:
        raise ConfigurationError(
            f"The {kind} {item.id!r} is declared differently in {sources[f'{kind} {item.id}']} and in {source}."
        )
    into[item.id] = item
    sources.setdefault(f"{kind} {item.id}", source)


def _stricter(one: Retain, other: Retain, one_source: str, other_source: str) -> Retain:
    if one.dataset != other.dataset or one.carry != other.carry:
        raise ConfigurationError(
            f"The rule {one.id!r} speaks of different data in {one_source} and in {other_source}."
        )
    return msgspec.structs.replace(
        one,
        triggers=tuple(sorted({*one.triggers, *other.triggers})),
        after=min(one.after, other.after),
        maximum=min(one.maximum, other.maximum),
        action=max(one.action, other.action, key=lambda action: action.strength),
        exempt_while_saved=one.exempt_while_saved and other.exempt_while_saved,
        longest_job_added=one.longest_job_added and other.longest_job_added,
        sentence=min((one, other), key=lambda rule: (rule.after, rule.sentence)).sentence,
    )


def _narrow(retain: Mapping[str, Retain], choice: BrandChoice, sources: Mapping[str, str]) -> Retain:
    rule = retain.get(choice.rule)
    if rule is None:
        raise ConfigurationError(
            f"{choice.source} sets a time for the rule {choice.rule!r}, which no pack declares.",
            cure=f"Use one of: {', '.join(sorted(retain))}.",
        )
    if choice.after > rule.maximum:
        raise ConfigurationError(
            f"{choice.source} loosens the rule {choice.rule!r} to {choice.after};"
            f" {sources[f'rule {choice.rule}']} allows {rule.maximum} at most.",
            cure=f"Choose {rule.maximum} or less.",
        )
    if choice.after < timedelta(0):
        raise ConfigurationError(f"{choice.source} sets a negative time for the rule {choice.rule!r}.")
    return msgspec.structs.replace(rule, after=choice.after)


def _digest(*parts: Mapping[str, msgspec.Struct]) -> str:
    """SHA-256 over canonical JSON (sorted keys), as `sha256:<hex>`."""
    body = msgspec.json.encode([dict(sorted(part.items())) for part in parts], order="deterministic")
    return f"sha256:{hashlib.sha256(body).hexdigest()}"

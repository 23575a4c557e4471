"""Why something lasts as long as it does: a rule with everybody who has a say in it, or a record with all of its deadlines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from statuette.errors import NotFound
from statuette.kernel.db.database import Reader
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.policy import BrandChoice, EffectivePolicy, PolicyPack, PromiseStatus, Retain
from statuette.policy.canonical import plain
from statuette.policy.enforcers import enforcers
from statuette.policy.notice import render_sentence
from statuette.policy.sources import place
from statuette.policy.words import time_in_force


class Claim(msgspec.Struct, frozen=True):
    """What one source says of a rule."""

    source: str
    says: dict[str, object]


class RuleExplained(msgspec.Struct, frozen=True):
    """A rule in force and where it comes from.

    Attributes:
        in_force: its fields after merging.
        claims: what each pack, and the brand, says of it.
        promises: ids of the promises that it keeps.
    """

    id: str
    brand: str
    digest: str
    sentence: str
    in_force: dict[str, object]
    claims: tuple[Claim, ...]
    enforcers: tuple[str, ...]
    tests: tuple[str, ...]
    promises: tuple[str, ...]


class DeadlineExplained(msgspec.Struct, frozen=True):
    """One deadline of a record. `due_at` is null while it is unarmed: then `waits_for` says what arms it."""

    rule: str
    state: str
    due_at: datetime | None
    armed_at: datetime | None
    waits_for: tuple[str, ...]
    held_by: str | None
    policy_digest: str
    sentence: str


class RecordExplained(msgspec.Struct, frozen=True):
    """A record, and what becomes of it.

    Attributes:
        at: the moment that is asked about.
        visible: whether any read shows it then.
        ended_by: the rule that ends it first, if one is armed.
    """

    id: str
    brand: str
    dataset: str
    at: datetime
    visible: bool
    ended_by: str | None
    ends_at: datetime | None
    deadlines: tuple[DeadlineExplained, ...]


class _Row(msgspec.Struct, frozen=True):
    brand_id: str
    dataset: str
    rule: str
    state: str
    due_at: datetime | None
    armed_at: datetime | None
    hold_id: str | None
    erased_at: datetime | None
    policy_digest: str


def explain_rule(
    rule_id: str,
    *,
    brand: str,
    policy: EffectivePolicy,
    packs: Sequence[PolicyPack],
    choices: Iterable[BrandChoice],
    locale: str = "en",
) -> RuleExplained:
    """Raises `NotFound` for a rule that nobody declares."""
    rule = next((each for each in policy.rules() if each.id == rule_id), None)
    if rule is None:
        raise NotFound(
            f"No rule in force for {brand!r} is called {rule_id!r}.",
            cure=f"Use the id of a record, or one of: {', '.join(sorted(each.id for each in policy.rules()))}.",
        )
    claims = [
        Claim(place(pack.source, rule_id), plain(said)) for pack in packs for said in pack.rules if said.id == rule_id
    ]
    claims += [Claim(choice.source, {"after": str(choice.after)}) for choice in choices if choice.rule == rule_id]
    kept = [
        promise.id
        for pack in packs
        for promise in pack.promises
        if promise.rule == rule_id and promise.status is not PromiseStatus.open
    ]
    return RuleExplained(
        id=rule_id,
        brand=brand,
        digest=policy.digest,
        sentence=render_sentence(rule, policy, locale),
        in_force=plain(rule),
        claims=tuple(claims),
        enforcers=tuple(str(each) for each in enforcers(rule)),
        tests=tuple(test for pack in packs for test in pack.tests.get(rule_id, ())),
        promises=tuple(kept),
    )


async def explain_record(
    reader: Reader, record_id: str, brands: Iterable[LoadedBrand], *, at: datetime | None = None, locale: str = "en"
) -> RecordExplained:
    """Raises `NotFound` for a record that never had a deadline."""
    rows = await reader.all(
        _Row,
        "SELECT brand_id, dataset, rule, state, due_at, armed_at, hold_id, erased_at, policy_digest FROM deadline"
        " WHERE record_id = :record_id ORDER BY id",
        record_id=record_id,
    )
    if not rows:
        raise NotFound(
            f"Nothing is known of {record_id[:60]!r}: no record of that id has, or ever had, a deadline.",
            cure="Rules: `statuette policy render --paper retention`. Rows that are swept by age have no deadline each.",
        )
    brand = next((each for each in brands if each.id == rows[0].brand_id), None)
    moment = at or reader.now
    armed = sorted((row for row in rows if row.due_at is not None), key=lambda row: (row.due_at, row.rule))
    first = armed[0] if armed else None
    erased = [row.erased_at for row in rows if row.erased_at is not None]
    gone = (first is not None and first.due_at is not None and first.due_at <= moment) or any(
        each <= moment for each in erased
    )
    return RecordExplained(
        id=record_id,
        brand=brand.slug if brand is not None else rows[0].brand_id,
        dataset=rows[0].dataset,
        at=moment,
        visible=not gone,
        ended_by=first.rule if first is not None else None,
        ends_at=first.due_at if first is not None else None,
        deadlines=tuple(_explained(row, brand.policy if brand is not None else None, locale) for row in rows),
    )


def _explained(row: _Row, policy: EffectivePolicy | None, locale: str) -> DeadlineExplained:
    rule = policy.retain.get(row.rule) if policy is not None else None
    return DeadlineExplained(
        rule=row.rule,
        state=row.state,
        due_at=row.due_at,
        armed_at=row.armed_at,
        waits_for=tuple(trigger.value for trigger in rule.triggers) if rule is not None and row.due_at is None else (),
        held_by=row.hold_id,
        policy_digest=row.policy_digest,
        sentence=render_sentence(rule, policy, locale) if rule is not None and policy is not None else "",
    )


def facts_of(rule: object) -> list[tuple[str, str]]:
    """What a rule says beside its words, as (name, value)."""
    hidden = ("id", "type", "sentence", "sentence_in")
    shown = [(name, _text(value)) for name, value in plain(rule).items() if name not in hidden]
    if isinstance(rule, Retain):
        shown.append(("in force", time_in_force(rule)))
    return [(name, value) for name, value in shown if value]


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    return "" if value is None or value is False else "yes" if value is True else str(value)

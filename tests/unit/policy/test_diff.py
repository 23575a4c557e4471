"""What has changed from one policy to the next, and what that asks of people."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from statuette.policy import (
    Action,
    Basis,
    EffectivePolicy,
    Exemption,
    Floor,
    Period,
    PolicyPack,
    Purpose,
    Trigger,
    compile_policy,
)
from statuette.policy.diff import ChangeClass, compare
from statuette.policy.document import PolicyDocument, document
from statuette.ports.processor import DeclaredResidual, Processor
from statuette_policies import BASELINE
from tests.unit.policy.making import packs, possible

POLICY = compile_policy([BASELINE])
MODEL = Processor("model", "A model", "EU", ("generation",), ("photo", "style_choices"))
POST = Processor("post", "A mail service", "EU", ("service_mail",), ("email",))


def published(policy: EffectivePolicy = POLICY, *processors: Processor) -> PolicyDocument:
    return document(policy, processors or (MODEL, POST))


def with_purpose(name: str, **changes: Any) -> EffectivePolicy:
    purpose = msgspec.structs.replace(POLICY.purposes[name], **changes)
    return msgspec.structs.replace(POLICY, purposes={**POLICY.purposes, name: purpose})


def with_rule(name: str, **changes: Any) -> EffectivePolicy:
    rule = msgspec.structs.replace(POLICY.retain[name], **changes)
    return msgspec.structs.replace(POLICY, retain={**POLICY.retain, name: rule})


def with_egress(name: str, **changes: Any) -> EffectivePolicy:
    rule = msgspec.structs.replace(POLICY.egress[name], **changes)
    return msgspec.structs.replace(POLICY, egress={**POLICY.egress, name: rule})


def without(kind: str, name: str) -> EffectivePolicy:
    rules = {key: rule for key, rule in getattr(POLICY, kind).items() if key != name}
    return msgspec.structs.replace(POLICY, **{kind: rules})


def test_equal_policies_are_equal_texts_whatever_order_they_are_told_in() -> None:
    assert published(POLICY, MODEL, POST).digest() == published(POLICY, POST, MODEL).digest()
    assert compare(published(), published()).differences == ()


def test_a_stored_document_is_the_document() -> None:
    stored = msgspec.json.decode(published().canonical(), type=PolicyDocument)

    assert stored == published() and stored.digest() == published().digest()


OTHER = msgspec.structs.replace
EVERY = ("generation", "improvement", "marketing")
CHANGES = {
    "other words of a rule": (with_rule("upload.used", sentence="Gone {after} later."), ChangeClass.editorial, ()),
    "other words of a purpose nobody agrees to": (
        with_purpose("billing", statement="Purchases are on record."),
        ChangeClass.editorial,
        (),
    ),
    "another title": (with_purpose("generation", title="Figurines"), ChangeClass.editorial, ()),
    "a shorter time": (with_rule("upload.used", after=Period(minutes=30)), ChangeClass.notify, ()),
    "a longer time": (
        with_rule("upload.used", after=Period(hours=2)),
        ChangeClass.ask_again,
        EVERY,
    ),
    "a rule that is gone": (without("retain", "upload.cap"), ChangeClass.ask_again, EVERY),
    "one trigger less": (
        with_rule("figurine.keep", triggers=(Trigger.deletion_asked,)),
        ChangeClass.ask_again,
        EVERY,
    ),
    "one trigger more": (
        with_rule("upload.asked", triggers=(Trigger.account_ended, Trigger.deletion_asked)),
        ChangeClass.notify,
        (),
    ),
    "a new exemption": (with_rule("upload.cap", exemptions=tuple(Exemption)), ChangeClass.ask_again, EVERY),
    "a weaker action": (with_rule("upload.used", action=Action.anonymise), ChangeClass.ask_again, EVERY),
    "a stronger action": (with_rule("upload.used", action=Action.shred), ChangeClass.notify, ()),
    "fewer stores": (with_rule("upload.used", stores=()), ChangeClass.ask_again, EVERY),
    "time for the longest job": (with_rule("upload.used", longest_job_added=True), ChangeClass.ask_again, EVERY),
    "a month where 30 days were": (with_rule("account.erase", after=Period(months=1)), ChangeClass.ask_again, EVERY),
    "a legal floor": (with_rule("upload.used", minimum=Floor(hours=2)), ChangeClass.notify, ()),
    "a right that is gone": (without("rights", "right.withdrawal"), ChangeClass.notify, ()),
    "less that leaves": (with_egress("processor.generation", categories=("photo",)), ChangeClass.notify, ()),
    "a receiver less": (with_egress("processor.generation", processors=()), ChangeClass.notify, ()),
    "a sentence about what leaves": (
        with_egress("processor.generation", sentence="It goes out: {categories}."),
        ChangeClass.editorial,
        (),
    ),
    "a translation": (with_purpose("billing", title_in={"de": "Geld"}), ChangeClass.editorial, ()),
    "a further language": (
        with_purpose("generation", statement_in={**POLICY.purposes["generation"].statement_in, "fr": "Je peux."}),
        ChangeClass.editorial,
        (),
    ),
    "other words to agree to in one language": (
        with_purpose("generation", statement_in={"de": "Ich erlaube mehr."}),
        ChangeClass.ask_again,
        ("generation",),
    ),
    "another basis than consent": (with_purpose("generation", basis=Basis.contract), ChangeClass.notify, ()),
    "consent as a new basis": (with_purpose("billing", basis=Basis.consent), ChangeClass.ask_again, ("billing",)),
    "a signal that no longer counts": (with_purpose("marketing", signal=False), ChangeClass.notify, ()),
    "a new purpose": (
        msgspec.structs.replace(
            POLICY,
            purposes={
                **POLICY.purposes,
                "research": Purpose("research", "Models", Basis.consent, "Learn from it."),
            },
        ),
        ChangeClass.notify,
        (),
    ),
    "other words to agree to": (
        with_purpose("generation", statement="I agree to more."),
        ChangeClass.ask_again,
        ("generation",),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_policy_asks_for_no_less_than_it_should(name: str) -> None:
    changed, change, asks = CHANGES[name]

    found = compare(published(), published(changed))

    assert (found.change, found.asks) == (change, asks)
    assert found.differences


@pytest.mark.parametrize(
    ("processors", "change", "asks"),
    [
        ((MODEL, POST, OTHER(MODEL, id="second")), ChangeClass.ask_again, ("generation",)),
        (
            (OTHER(MODEL, categories=("photo", "style_choices", "figurine")), POST),
            ChangeClass.ask_again,
            ("generation",),
        ),
        ((MODEL, OTHER(POST, id="second")), ChangeClass.notify, ()),
        ((OTHER(MODEL, region="US"), POST), ChangeClass.ask_again, ("generation",)),
        ((OTHER(MODEL, residuals=(DeclaredResidual("A log.", 55),)), POST), ChangeClass.ask_again, ("generation",)),
        ((OTHER(MODEL, id="second", categories=("billing",)), MODEL, POST), ChangeClass.notify, ()),
        ((MODEL, OTHER(POST, region="US")), ChangeClass.notify, ()),
        ((OTHER(MODEL, categories=("photo",)), POST), ChangeClass.notify, ()),
        ((OTHER(MODEL, name="The model"), POST), ChangeClass.editorial, ()),
        ((POST,), ChangeClass.notify, ()),
    ],
)
def test_whoever_agreed_is_asked_again_when_somebody_else_gets_it_or_more_of_it(
    processors: tuple[Processor, ...], change: ChangeClass, asks: tuple[str, ...]
) -> None:
    found = compare(published(), published(POLICY, *processors))

    assert (found.change, found.asks) == (change, asks)


def test_the_first_version_changes_nothing() -> None:
    assert compare(None, published()).change is ChangeClass.initial


@pytest.mark.parametrize(
    ("days", "change"),
    [
        ((55,), ChangeClass.editorial),
        ((30,), ChangeClass.notify),
        ((), ChangeClass.notify),
        ((56,), ChangeClass.ask_again),
        ((None,), ChangeClass.ask_again),
        ((30, 1), ChangeClass.ask_again),
    ],
)
def test_a_receiver_that_keeps_more_or_longer_asks_again(days: tuple[int | None, ...], change: ChangeClass) -> None:
    before = OTHER(MODEL, residuals=(DeclaredResidual("A log.", 55),))
    after = OTHER(MODEL, residuals=tuple(DeclaredResidual("Some log.", each) for each in days))

    assert compare(published(POLICY, before), published(POLICY, after)).change is change


def test_each_difference_says_what_it_asks_for_by_itself() -> None:
    changed = msgspec.structs.replace(
        with_rule("upload.used", after=Period(hours=2)), purposes=with_purpose("billing", title="Money").purposes
    )

    found = {each.path: (each.change, each.asks) for each in compare(published(), published(changed)).differences}

    assert found == {
        "purposes.billing.title": (ChangeClass.editorial, ()),
        "rules.upload.used.after": (ChangeClass.ask_again, EVERY),
    }


@given(packs, packs)
def test_what_asks_for_no_more_than_a_letter_lets_nothing_out_and_lets_nothing_live_longer(
    some: list[PolicyPack], others: list[PolicyPack]
) -> None:
    before = possible(some)
    for after in (possible(others), possible([*some, *others])):
        if compare(document(before), document(after)).change is ChangeClass.ask_again:
            continue
        for name, rule in before.retain.items():
            new = after.retain[name]
            assert new.after <= rule.after and new.action.strength >= rule.action.strength
            assert set(rule.triggers) <= set(new.triggers) and set(rule.stores) <= set(new.stores)
            assert set(new.exemptions) <= set(rule.exemptions)
        assert _let_out(after) <= _let_out(before)


@given(packs, packs)
def test_more_packs_ask_again_only_where_they_let_something_out_for_the_first_time(
    some: list[PolicyPack], others: list[PolicyPack]
) -> None:
    before, after = possible(some), possible([*some, *others])

    asks_again = compare(document(before), document(after)).change is ChangeClass.ask_again

    assert asks_again == (not _let_out(after) <= _let_out(before))


def _let_out(policy: EffectivePolicy) -> set[tuple[str, str]]:
    return {
        (name, category)
        for name, processor in policy.processors.items()
        for category in processor.categories
        if "generation" in processor.purposes and policy.allows_egress("generation", [category], name)
    }


@given(packs, packs)
def test_an_editorial_change_changes_nothing_but_words(some: list[PolicyPack], others: list[PolicyPack]) -> None:
    before, after = document(possible(some)), document(possible(others))

    # Nobody agrees to a sentence of a rule, so other sentences alone ask for nothing.
    same = _without_words(before) == _without_words(after)
    assert (compare(before, after).change is ChangeClass.editorial) == same


@given(packs, packs)
def test_what_is_added_one_way_is_removed_the_other(some: list[PolicyPack], others: list[PolicyPack]) -> None:
    one, other = document(possible(some)), document(possible(others))

    there = {(each.path, each.kind) for each in compare(one, other).differences}
    back = {(each.path, each.kind) for each in compare(other, one).differences}

    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert back == {(path, turned[kind]) for path, kind in there}
    assert bool(there) == (one.digest() != other.digest())


def _without_words(doc: PolicyDocument) -> Any:
    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: bare(inner) for name, inner in value.items() if name not in WORDS}
        return value

    return bare(msgspec.to_builtins(doc))


WORDS = ("title", "title_in", "statement", "statement_in", "sentence", "sentence_in", "name", "terms_url")

"""The pack every brand starts from: complete, in words, and true to the promises it lists."""

from __future__ import annotations

import itertools
from datetime import date

import pytest

from statuette.errors import ConfigurationError
from statuette.policy import (
    AT_ONCE,
    Action,
    Basis,
    BrandChoice,
    Carry,
    Exemption,
    Period,
    PolicyPack,
    Trigger,
    compile_policy,
)
from statuette.policy.canonical import decode, encode
from statuette.policy.notice import Issuer, as_markdown, notice, render_sentence
from statuette.policy.validity import check_pack
from statuette_policies import AI_ACT, BASELINE, BIPA, CCPA, GDPR, MINORS, PROMISES, PromiseStatus

POLICY = compile_policy([BASELINE])
RULES = list(POLICY.rules())


@pytest.mark.parametrize("locale", ["en", "de"])
def test_every_rule_is_rendered_without_a_place_left_open(locale: str) -> None:
    sentences = [render_sentence(rule, POLICY, locale) for rule in RULES]

    assert all(sentence.endswith(".") and "{" not in sentence for sentence in sentences)
    assert len(set(sentences)) == len(RULES)


def test_a_sentence_has_the_time_in_force() -> None:
    assert "deleted immediately after" in render_sentence(POLICY.rule("figurine.keep"), POLICY)
    assert "deleted 1 hour after the last job" in render_sentence(POLICY.rule("upload.used"), POLICY)
    assert "wird 1 Stunde nach dem Ende" in render_sentence(POLICY.rule("upload.used"), POLICY, "de")


@pytest.mark.parametrize(
    ("rule_id", "triggers", "after", "maximum", "action"),
    [
        ("upload.used", {Trigger.used}, Period(hours=1), Period(hours=24), Action.delete),
        ("upload.unused", {Trigger.created}, Period(hours=24), Period(hours=24), Action.delete),
        ("upload.cap", {Trigger.created}, Period(hours=24), Period(hours=24), Action.delete),
        ("upload.saved", {Trigger.unsaved}, Period(hours=1), Period(hours=24), Action.delete),
        ("upload.asked", {Trigger.deletion_asked}, AT_ONCE, AT_ONCE, Action.delete),
        (
            "figurine.keep",
            {Trigger.deletion_asked, Trigger.account_ended},
            AT_ONCE,
            AT_ONCE,
            Action.delete,
        ),
        ("account.erase", {Trigger.deletion_asked}, Period(days=7), Period(days=7), Action.shred),
        ("ledger.keep", {Trigger.account_ended}, Period(years=10), Period(years=10), Action.delete),
        ("consent.proof", {Trigger.account_ended}, Period(years=3), Period(years=3), Action.delete),
    ],
)
def test_records_end_as_promised(
    rule_id: str, triggers: set[Trigger], after: Period, maximum: Period, action: Action
) -> None:
    rule = POLICY.rule(rule_id)

    assert (set(rule.triggers), rule.after, rule.maximum, rule.action) == (triggers, after, maximum, action)
    assert rule.carry is Carry.deadline


def test_a_saved_photo_is_left_alone_by_every_clock_but_its_owners_wish() -> None:
    uploads = [rule for rule in POLICY.retain.values() if rule.dataset == "uploads"]

    assert {rule.id for rule in uploads if Exemption.saved not in rule.exemptions} == {"upload.asked"}
    assert {rule.id for rule in uploads if rule.longest_job_added} == {"upload.cap"}


@pytest.mark.parametrize(
    ("dataset", "lifetime"),
    [
        ("sessions", Period(days=30)),
        ("signin_codes", Period(hours=24)),
        ("idempotency_keys", Period(hours=24)),
        ("stream_tickets", Period(hours=1)),
    ],
)
def test_streams_are_swept(dataset: str, lifetime: Period) -> None:
    (rule,) = (rule for rule in POLICY.retain.values() if rule.dataset == dataset)

    assert (rule.carry, rule.after, rule.maximum) == (Carry.sweep, lifetime, lifetime)


def test_making_figurines_and_what_a_brand_may_offer_beside_it_need_consent() -> None:
    consented = [purpose for purpose in POLICY.purposes.values() if purpose.basis is Basis.consent]

    assert {purpose.id for purpose in consented if not purpose.optional} == {"generation"}
    assert {purpose.id for purpose in consented if purpose.optional} == {"improvement", "marketing"}


def test_nothing_leaves_but_what_a_rule_names() -> None:
    assert POLICY.allows_egress("generation", ["photo", "figurine", "style_choices", "prompt_variables"])
    assert POLICY.allows_egress("service_mail", ["email", "account_profile", "correspondence"])
    for category in POLICY.categories:
        assert POLICY.allows_egress("service_mail", [category]) == (
            category in ("email", "account_profile", "correspondence")
        )
        assert not POLICY.allows_egress("security", [category])


def test_a_brand_may_shorten_and_never_pass_a_day() -> None:
    shorter = compile_policy([BASELINE], [BrandChoice("upload.used", Period(minutes=10), "demo.toml:4")])

    assert "deleted 10 minutes after" in render_sentence(shorter.rule("upload.used"), shorter)
    with pytest.raises(ConfigurationError, match=r"demo\.toml:4.*statuette_policies\.baseline"):
        compile_policy([BASELINE], [BrandChoice("upload.used", Period(hours=25), "demo.toml:4")])


def test_promises_name_rules_that_exist_and_say_what_is_missing() -> None:
    known = {rule.id for rule in RULES}

    assert len({promise.id for promise in PROMISES}) == len(PROMISES)
    for promise in PROMISES:
        assert (promise.rule is None) == (promise.status is PromiseStatus.open)
        assert promise.rule is None or promise.rule in known
        assert bool(promise.remark) == (promise.status is not PromiseStatus.ruled)


def test_every_rule_about_a_record_or_a_processor_stands_behind_a_promise() -> None:
    promised = {promise.rule for promise in PROMISES}
    streams = {rule.id for rule in POLICY.retain.values() if rule.carry is Carry.sweep}

    assert {rule.id for rule in RULES} - streams <= promised


PACKS = [BASELINE, GDPR, CCPA, BIPA, AI_ACT, MINORS]


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_a_pack_is_plain_data_and_what_it_says(pack: PolicyPack) -> None:
    assert decode(encode(pack), type(pack)) == pack
    check_pack(pack)


@pytest.mark.parametrize("pack", PACKS[1:], ids=lambda pack: pack.name)
def test_a_further_pack_changes_something_and_says_it_in_each_language(pack: PolicyPack) -> None:
    policy = compile_policy([BASELINE, pack])

    assert policy.digest != POLICY.digest
    for locale in ("en", "de"):
        told = notice(policy, Issuer("Demo"), locale)
        assert told != notice(POLICY, Issuer("Demo"), locale)
        assert "{" not in as_markdown(told)


@pytest.mark.parametrize(
    "packs", [*itertools.combinations(PACKS, 3)], ids=lambda packs: "+".join(p.name for p in packs)
)
def test_all_packs_go_together(packs: tuple[PolicyPack, ...]) -> None:
    whole = compile_policy(PACKS)
    some = compile_policy({pack.name: pack for pack in (BASELINE, *packs)}.values())

    for name, rule in some.retain.items():
        assert whole.retain[name].after <= rule.after
        assert set(whole.retain[name].exemptions) <= set(rule.exemptions)


def test_where_minors_are_no_photo_can_be_saved_and_nothing_goes_out_for_marketing() -> None:
    policy = compile_policy([BASELINE, MINORS])

    assert all(Exemption.saved not in rule.exemptions for rule in policy.retain.values())
    assert not any(policy.allows_egress("marketing", [category]) for category in policy.categories)
    assert "unless" in render_sentence(POLICY.rule("upload.used"), POLICY)
    assert "unless" not in render_sentence(policy.rule("upload.used"), policy)
    assert "processor.marketing" not in {said.id for said in notice(policy, Issuer("Demo")).sharing}


def test_a_pack_tells_from_which_day_on_a_law_holds() -> None:
    before, after = (compile_policy([BASELINE, AI_ACT], on=date(2026, 8, day)) for day in (1, 2))

    assert "notify.ai_made" not in before.notify and "notify.ai_made" in after.notify


def test_the_month_of_one_law_holds_beside_the_45_days_of_another() -> None:
    within = compile_policy([BASELINE, GDPR, CCPA]).rights["right.access"].within

    assert within == Period(months=1) & Period(days=45) == Period(months=1)

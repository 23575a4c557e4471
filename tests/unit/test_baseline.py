"""The pack every brand starts from: complete, in words, and true to the promises it lists."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from statuette.policy import Action, Basis, Carry, Egress, Retain, Trigger, compile_policy
from statuette.policy.notice import render_sentence
from statuette.policy.pack import BrandChoice
from statuette_policies import BASELINE, PROMISES, PromiseStatus, plugin

POLICY = compile_policy(plugin.policy_packs())
RULES: list[Retain | Egress] = [*POLICY.retain.values(), *POLICY.egress.values()]


def test_every_rule_is_rendered_without_a_place_left_open() -> None:
    sentences = [render_sentence(rule) for rule in RULES]

    assert all(sentence.endswith(".") and "{" not in sentence for sentence in sentences)
    assert len(set(sentences)) == len(RULES)
    assert render_sentence(POLICY.rule("figurine.keep")).count("deleted immediately after") == 1
    assert "deleted 1 hour after the last job" in render_sentence(POLICY.rule("upload.used"))


@pytest.mark.parametrize(
    ("rule_id", "triggers", "after", "maximum", "action"),
    [
        ("upload.used", {Trigger.used}, timedelta(hours=1), timedelta(hours=24), Action.delete),
        ("upload.unused", {Trigger.created}, timedelta(hours=24), timedelta(hours=24), Action.delete),
        ("upload.cap", {Trigger.created}, timedelta(hours=24), timedelta(hours=24), Action.delete),
        ("upload.saved", {Trigger.unsaved}, timedelta(hours=1), timedelta(hours=24), Action.delete),
        ("upload.asked", {Trigger.deletion_asked}, timedelta(0), timedelta(0), Action.delete),
        (
            "figurine.keep",
            {Trigger.deletion_asked, Trigger.account_ended},
            timedelta(0),
            timedelta(0),
            Action.delete,
        ),
        ("account.erase", {Trigger.deletion_asked}, timedelta(days=7), timedelta(days=30), Action.shred),
    ],
)
def test_records_end_as_promised(
    rule_id: str, triggers: set[Trigger], after: timedelta, maximum: timedelta, action: Action
) -> None:
    rule = POLICY.rule(rule_id)

    assert (set(rule.triggers), rule.after, rule.maximum, rule.action) == (triggers, after, maximum, action)
    assert rule.carry is Carry.deadline


def test_a_saved_photo_is_left_alone_by_every_clock_but_its_owners_wish() -> None:
    uploads = [rule for rule in POLICY.retain.values() if rule.dataset == "uploads"]

    assert {rule.id for rule in uploads if not rule.exempt_while_saved} == {"upload.asked"}
    assert {rule.id for rule in uploads if rule.longest_job_added} == {"upload.cap"}


@pytest.mark.parametrize(
    ("dataset", "lifetime"),
    [
        ("sessions", timedelta(days=30)),
        ("signin_codes", timedelta(hours=24)),
        ("idempotency_keys", timedelta(hours=24)),
        ("stream_tickets", timedelta(hours=1)),
    ],
)
def test_streams_are_swept(dataset: str, lifetime: timedelta) -> None:
    (rule,) = (rule for rule in POLICY.retain.values() if rule.dataset == dataset)

    assert (rule.carry, rule.after, rule.maximum) == (Carry.sweep, lifetime, lifetime)


def test_only_making_figurines_needs_consent() -> None:
    assert {purpose.id for purpose in POLICY.purposes.values() if purpose.basis is Basis.consent} == {"generation"}


def test_nothing_leaves_but_what_a_rule_names() -> None:
    assert POLICY.allows_egress("generation", ["photo", "figurine", "style_choices", "prompt_variables"])
    assert POLICY.allows_egress("service_mail", ["email", "account_profile"])
    for category in POLICY.categories:
        assert POLICY.allows_egress("service_mail", [category]) == (category in ("email", "account_profile"))
        assert not POLICY.allows_egress("security", [category])


def test_a_brand_may_shorten_and_never_pass_a_day() -> None:
    shorter = compile_policy([BASELINE], [BrandChoice("upload.used", timedelta(minutes=10), "demo.toml:4")])

    assert "deleted 10 minutes after" in render_sentence(shorter.rule("upload.used"))
    with pytest.raises(Exception, match=r"demo\.toml:4.*statuette_policies\.baseline"):
        compile_policy([BASELINE], [BrandChoice("upload.used", timedelta(hours=25), "demo.toml:4")])


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


def test_the_pack_is_plain_data() -> None:
    assert msgspec.json.decode(msgspec.json.encode(BASELINE), type=type(BASELINE)) == BASELINE

"""Merging packs and choices: a meet that only tightens, in any order, with a digest that stays."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from statuette.errors import ConfigurationError
from statuette.policy import (
    AT_ONCE,
    Basis,
    BrandChoice,
    Carry,
    Catalogue,
    Exemption,
    Floor,
    Moment,
    Period,
    PolicyPack,
    Retain,
    Rule,
    Sensitivity,
    Store,
    Trigger,
    compile_policy,
)
from statuette.policy.notice import render_sentence
from statuette.policy.pack import digest_of
from tests.unit.policy.making import (
    COPY,
    EMAIL,
    MAKING,
    OUT,
    PAINTER,
    PHOTO,
    PROBED,
    TOLD,
    as_a_pack,
    compiled,
    pack,
    packs,
    periods,
    possible,
    retain,
)

moments = st.datetimes(datetime(2023, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def is_as_strict(new: Retain, old: Retain) -> bool:
    return (
        new.after <= old.after
        and new.maximum <= old.maximum
        and (old.minimum is None or (new.minimum is not None and old.minimum <= new.minimum))
        and new.action.strength >= old.action.strength
        and set(new.triggers) >= set(old.triggers)
        and set(new.exemptions) <= set(old.exemptions)
        and set(new.stores) >= set(old.stores)
        and new.longest_job_added <= old.longest_job_added
    )


@given(packs, st.randoms())
def test_neither_order_nor_repetition_of_packs_matters(some: list[PolicyPack], random: Any) -> None:
    shuffled = [*some, *some[::2]]
    random.shuffle(shuffled)

    assert compiled(shuffled) == compiled(some)


@given(packs, packs)
def test_merging_in_two_steps_is_merging_in_one(some: list[PolicyPack], others: list[PolicyPack]) -> None:
    halves = [compiled(some), compiled(others)]
    steps = None if None in halves else compiled([as_a_pack(half, str(n)) for n, half in enumerate(halves) if half])

    assert steps == compiled([*some, *others])


@given(packs)
def test_merging_what_is_merged_changes_nothing(some: list[PolicyPack]) -> None:
    merged = possible(some)

    assert compile_policy([as_a_pack(merged, "merged")]) == merged


@given(packs, packs)
def test_a_further_pack_only_tightens(some: list[PolicyPack], others: list[PolicyPack]) -> None:
    before, after = possible(some), possible([*some, *others])

    assert all(is_as_strict(after.retain[name], rule) for name, rule in before.retain.items())
    assert all(after.rights[name].within <= right.within for name, right in before.rights.items())
    assert all(after.notify[name] == rule for name, rule in before.notify.items())
    assert all(after.safeguards[name] == rule for name, rule in before.safeguards.items())
    for name, rule in before.egress.items():
        assert set(after.egress[name].categories) <= set(rule.categories)
        assert rule.processors is None or set(after.egress[name].processors or ()) <= set(rule.processors)


@given(packs)
def test_a_rule_is_as_strict_as_each_pack_demands(some: list[PolicyPack]) -> None:
    merged = possible(some)

    for one in some:
        for rule in one.rules:
            if isinstance(rule, Retain):
                assert is_as_strict(merged.retain[rule.id], rule)


@settings(suppress_health_check=[HealthCheck.filter_too_much])  # two lots of packs often contradict each other
@given(packs, packs, moments)
def test_nothing_ends_later_than_the_base_says_but_where_a_legal_floor_lifts_it(
    some: list[PolicyPack], others: list[PolicyPack], trigger: datetime
) -> None:
    before, after = possible(some), possible([*some, *others])

    for name, rule in before.retain.items():
        new = after.retain[name]
        lifted = new.minimum.due(trigger) if new.minimum is not None else datetime.min.replace(tzinfo=UTC)
        assert new.due(trigger) <= max(rule.due(trigger), lifted)
        assert new.due(trigger) <= rule.maximum.due(trigger)


@given(packs, moments, moments)
def test_a_sweep_takes_exactly_what_is_due_floors_included(
    some: list[PolicyPack], created: datetime, now: datetime
) -> None:
    for rule in possible(some).retain.values():
        assert (rule.due(created) <= now) == (created <= rule.cutoff(now))


@given(packs, periods, st.data(), moments)
def test_no_choice_of_a_brand_ever_passes_what_any_pack_allows(
    some: list[PolicyPack], chosen: Period, data: st.DataObject, trigger: datetime
) -> None:
    merged = possible(some)
    assume(merged.retain)
    name = data.draw(st.sampled_from(sorted(merged.retain)))
    limits = [rule.maximum for one in some for rule in one.rules if isinstance(rule, Retain) and rule.id == name]

    try:
        policy = compile_policy(some, [BrandChoice(name, chosen, "brands/demo.toml:7")])
    except ConfigurationError:
        assert not all(chosen <= limit for limit in limits)
        return

    assert policy.retain[name] == msgspec.structs.replace(merged.retain[name], after=chosen)
    assert all(policy.retain[name].due(trigger) <= limit.due(trigger) for limit in limits)
    assert {key: rule for key, rule in policy.retain.items() if key != name} == {
        key: rule for key, rule in merged.retain.items() if key != name
    }


def test_loosening_names_the_brand_file_and_the_pack_that_set_the_limit() -> None:
    # Given that the limit comes from the second pack, not from the one that declared the rule first
    both = [pack("baseline", retain()), pack("strict", retain(maximum=Period(hours=2)))]

    with pytest.raises(ConfigurationError) as caught:
        compile_policy(both, [BrandChoice("upload.used", Period(hours=3), "brands/demo.toml:41")])

    assert "brands/demo.toml:41" in str(caught.value)
    assert "packs.strict" in str(caught.value) and "packs.baseline" not in str(caught.value)
    assert "PT2H" in str(caught.value)


def test_a_choice_for_an_unknown_rule_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"demo\.toml:3.*upload\.used"):
        compile_policy([pack("baseline", retain())], [BrandChoice("upload.usd", AT_ONCE, "demo.toml:3")])


def test_two_choices_for_one_rule_are_a_mistake_that_names_both() -> None:
    choices = [BrandChoice("upload.used", Period(hours=n), f"demo.toml:{n}") for n in (2, 3)]

    for order in (choices, choices[::-1]):
        with pytest.raises(ConfigurationError, match=r"demo\.toml:[23].*demo\.toml:[23]"):
            compile_policy([pack("baseline", retain())], order)


def test_the_same_choice_twice_is_one() -> None:
    choice = BrandChoice("upload.used", Period(hours=2), "demo.toml:2")

    policy = compile_policy([pack("baseline", retain())], [choice, choice])

    assert policy.rule("upload.used").after == Period(hours=2)


def test_a_legal_floor_lifts_what_a_brand_chose_and_is_told() -> None:
    law = pack("law", retain(minimum=Floor(hours=6)))

    policy = compile_policy([pack("base", retain()), law], [BrandChoice("upload.used", Period(hours=2), "a.toml:1")])

    rule, now = policy.rule("upload.used"), datetime(2026, 1, 1, tzinfo=UTC)
    assert (rule.due(now) - now).total_seconds() == 6 * 3600
    assert render_sentence(rule, policy) == "Gone 6 hours later."


def test_a_floor_above_a_maximum_names_both_packs() -> None:
    law, base = pack("law", retain(minimum=Floor(hours=20))), pack("base", retain(maximum=Period(hours=2)))

    for order in ([law, base], [base, law]):
        with pytest.raises(ConfigurationError, match=r"packs\.law wants at least PT20H, and packs\.base allows PT2H"):
            compile_policy(order)


def test_a_floor_that_only_sometimes_passes_the_maximum_is_refused_too() -> None:
    law = pack("law", retain(minimum=Floor(days=30), maximum=Period(days=60)))
    base = pack("base", retain(maximum=Period(months=1)))

    with pytest.raises(ConfigurationError, match="cannot be kept"):
        compile_policy([law, base])


def test_exemptions_only_shrink_and_stores_only_grow() -> None:
    one = retain(exemptions=(Exemption.saved, Exemption.in_use), stores=(Store.objects,))
    two = retain(exemptions=(Exemption.in_use,), stores=(Store.database,))

    rule = compile_policy([pack("one", one), pack("two", two)]).rule("upload.used")

    assert (rule.exemptions, rule.stores) == ((Exemption.in_use,), (Store.database, Store.objects))


@pytest.mark.parametrize(
    "other",
    [
        retain(dataset="figurines"),
        retain(triggers=(Trigger.created,), carry=Carry.sweep),
        OUT,
        COPY,
        TOLD,
        PROBED,
    ],
)
def test_one_name_for_two_things_is_a_mistake_that_names_both(other: Rule) -> None:
    other = msgspec.structs.replace(other, id="upload.used")

    with pytest.raises(ConfigurationError, match=r"packs\.(one|two).*packs\.(one|two)"):
        compile_policy([pack("one", retain()), pack("two", other)])


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        (OUT, msgspec.structs.replace(OUT, purpose="service_mail")),
        (TOLD, msgspec.structs.replace(TOLD, within=Period(hours=1))),
        (PROBED, msgspec.structs.replace(PROBED, probe="another")),
    ],
)
def test_what_cannot_be_merged_is_a_mistake_that_names_both(rule: Rule, other: Rule) -> None:
    with pytest.raises(ConfigurationError, match=r"packs\.one.*packs\.two"):
        compile_policy([pack("one", rule), pack("two", other)])


@pytest.mark.parametrize(
    "catalogue",
    [
        Catalogue((msgspec.structs.replace(PHOTO, sensitivity=Sensitivity.none), EMAIL), (MAKING,)),
        Catalogue((PHOTO, EMAIL), (msgspec.structs.replace(MAKING, basis=Basis.contract),)),
        Catalogue(processors=(msgspec.structs.replace(PAINTER, region="EU"),)),
    ],
)
def test_what_the_catalogue_names_means_one_thing(catalogue: Catalogue) -> None:
    with pytest.raises(ConfigurationError, match=r"differently in packs\.one and in packs\.two"):
        compile_policy([pack("one"), pack("two", catalogue=catalogue)])


def test_a_further_pack_narrows_what_may_leave_and_to_whom() -> None:
    narrow = msgspec.structs.replace(OUT, categories=("photo",), processors=("painter",))

    policy = compile_policy([pack("one", OUT), pack("two", narrow)])

    assert policy.allows_egress("generation", ["photo"], "painter")
    assert not policy.allows_egress("generation", ["photo"], "postman")
    assert not policy.allows_egress("generation", ["email"])
    assert policy.receivers("generation", ["photo"]) == {"painter"}
    assert render_sentence(policy.egress[OUT.id], policy) == "The model gets Photos."


@pytest.mark.parametrize(
    "rule",
    [
        msgspec.structs.replace(OUT, purpose="selling"),
        msgspec.structs.replace(OUT, categories=("photo", "fingerprint")),
        msgspec.structs.replace(OUT, processors=("stranger",)),
        msgspec.structs.replace(COPY, request="a_pony"),
    ],
)
def test_a_rule_about_what_nobody_declares_is_refused(rule: Rule) -> None:
    with pytest.raises(ConfigurationError, match=r"packs\.one.*(selling|fingerprint|stranger|a_pony)"):
        compile_policy([pack("one", rule)])


@pytest.mark.parametrize(
    "rule",
    [
        retain(after=Period(hours=25)),
        retain(after=Period(days=30), maximum=Period(months=1)),
        retain(minimum=Floor(hours=25)),
        retain(triggers=()),
        retain(stores=()),
        retain(carry=Carry.sweep),
        retain(sentence="Gone soon."),
        retain(sentence="Gone {after} in {place}."),
        retain(sentence_in={"de": "Bald weg."}),
        msgspec.structs.replace(OUT, id="upload.used", sentence="It gets something."),
        msgspec.structs.replace(COPY, id="upload.used", sentence="A copy soon."),
        msgspec.structs.replace(TOLD, id="upload.used", moment=Moment.before),
        msgspec.structs.replace(PROBED, id="upload.used", sentence="Safe {after} all."),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused_with_its_source(rule: Rule) -> None:
    with pytest.raises(ConfigurationError, match=r"'upload\.used' in packs\.one contradicts itself"):
        compile_policy([pack("one", rule)])


def test_a_contradiction_is_not_hidden_by_a_stricter_pack() -> None:
    with pytest.raises(ConfigurationError, match=r"packs\.two"):
        compile_policy([pack("one", retain()), pack("two", retain(after=Period(hours=48)))])


def test_only_what_one_rule_names_may_leave_together() -> None:
    policy = compile_policy([pack("one", OUT)])

    assert policy.allows_egress("generation", ["photo"])
    assert policy.allows_egress("generation", ["photo", "email"])
    assert policy.receivers("generation", ["photo", "email"]) is None
    assert not policy.allows_egress("generation", ["photo", "figurine"])
    assert not policy.allows_egress("marketing", ["photo"])
    assert policy.receivers("marketing", ["photo"]) == frozenset()


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"upload\.used"):
        compile_policy([]).rule("upload.used")


def test_a_pack_is_in_force_from_its_day_on() -> None:
    later = pack("later", retain(after=AT_ONCE), since=date(2026, 8, 2))
    both = [pack("base", retain()), later]

    before = compile_policy(both, on=date(2026, 8, 1))
    from_then_on = compile_policy(both, on=date(2026, 8, 2))

    assert before == compile_policy(both[:1])
    assert from_then_on == compile_policy(both)
    assert from_then_on.rule("upload.used").after == AT_ONCE


def test_a_mistake_in_a_real_pack_is_told_with_file_and_line() -> None:
    from statuette_policies import BASELINE

    too_strict = pack("law", retain(minimum=Floor(days=2), maximum=Period(days=3)), catalogue=Catalogue())

    with pytest.raises(ConfigurationError) as caught:
        compile_policy([BASELINE, too_strict])

    assert "packs.law wants at least P2D" in str(caught.value)
    [line] = _lines(str(caught.value))
    assert line.strip() == "maximum=_DAY,"


def test_a_rule_that_a_helper_writes_is_found_by_the_call_of_the_helper() -> None:
    from statuette_policies import BASELINE

    with pytest.raises(ConfigurationError) as caught:
        compile_policy([BASELINE], [BrandChoice("session.keep", Period(days=31), "a.toml:3")])

    [line] = _lines(str(caught.value))
    assert line.strip() == "_stream("


def _lines(message: str) -> list[str]:
    """The lines of the baseline's module that a message names."""
    import inspect
    import re

    from statuette_policies.baseline import retention

    text = inspect.getsource(retention).splitlines()
    return [text[int(number) - 1] for number in re.findall(r"baseline/retention\.py:(\d+)", message)]


_DIGEST = """
from statuette.policy import BrandChoice, Period, compile_policy
from statuette_policies import BASELINE
print(compile_policy([BASELINE], [BrandChoice("upload.used", Period(minutes=30), "x.toml")]).digest)
"""


def test_the_digest_is_the_same_in_every_process() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", _DIGEST],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert len(digests) == 1
    assert digests.pop().startswith("sha256:")


def test_the_digest_knows_no_order_of_fields_rules_or_packs() -> None:
    known = retain()
    fields = msgspec.structs.asdict(known)
    turned_struct = msgspec.defstruct(
        "Retain", [(name, Any) for name in reversed(fields)], tag="retain", frozen=True, namespace={}
    )
    turned = turned_struct(**fields)

    assert digest_of({"a": known, "b": known}) == digest_of({"b": turned, "a": turned})


@given(packs, periods, st.data())
def test_the_digest_changes_with_what_is_in_force_and_only_then(
    some: list[PolicyPack], chosen: Period, data: st.DataObject
) -> None:
    merged = possible(some)
    assume(merged.retain)
    name = data.draw(st.sampled_from(sorted(merged.retain)))
    chosen = chosen & merged.retain[name].maximum

    policy = compile_policy(some, [BrandChoice(name, chosen, "a.toml:1")])

    assert (policy.digest == merged.digest) == (chosen == merged.retain[name].after)
    assert policy.digest == compile_policy(some, [BrandChoice(name, chosen, "elsewhere.toml:9")]).digest


def test_a_sentence_tells_the_time_in_force_in_each_language() -> None:
    policy = compile_policy(
        [pack("one", retain(), OUT, COPY, TOLD, PROBED)],
        [BrandChoice("upload.used", Period(minutes=30), "demo.toml:2")],
    )
    told = {locale: [render_sentence(rule, policy, locale) for rule in policy.rules()] for locale in ("en", "de")}

    assert told == {
        "en": [
            "Gone 30 minutes later.",
            "The model gets E-mail; Photos.",
            "A copy within 1 month.",
            "Told within 3 days.",
            "Nothing travels in the clear.",
        ],
        "de": [
            "30 Minuten danach gelöscht.",
            "Das Modell bekommt E-Mail; Fotos.",
            "Eine Kopie innerhalb von 1 Monat.",
            "Gemeldet innerhalb von 3 Tagen.",
            "Nichts reist unverschlüsselt.",
        ],
    }


def test_a_language_without_a_sentence_is_an_error_and_not_english() -> None:
    policy = compile_policy([pack("one", retain(sentence_in={}))])

    with pytest.raises(ConfigurationError, match=r"'upload\.used' is not written in 'de'"):
        render_sentence(policy.rule("upload.used"), policy, "de")

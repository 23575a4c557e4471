"""Merging packs and choices: a meet that only tightens, in any order, with a digest that stays."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from statuette.errors import ConfigurationError
from statuette.policy import (
    Action,
    Basis,
    Carry,
    Catalogue,
    Category,
    EffectivePolicy,
    Egress,
    PolicyPack,
    Purpose,
    Retain,
    Sensitivity,
    Trigger,
    compile_policy,
)
from statuette.policy.notice import in_words, render_sentence
from statuette.policy.pack import BrandChoice

PHOTO = Category("photo", "Photos", Sensitivity.personal)
EMAIL = Category("email", "E-mail", Sensitivity.personal)
MAKING = Purpose("generation", "Making figurines", Basis.consent, "I may use this picture.")
OUT = Egress("processor.generation", "generation", ("photo", "email"), "The model gets the photo.")


def retain(rule_id: str = "upload.used", **changes: object) -> Retain:
    rule = Retain(
        id=rule_id,
        dataset="uploads",
        triggers=(Trigger.used,),
        after=timedelta(hours=1),
        maximum=timedelta(hours=24),
        action=Action.delete,
        sentence="Gone {after} later.",
    )
    return msgspec.structs.replace(rule, **changes)


def pack(name: str, *rules: Retain | Egress, catalogue: Catalogue | None = None) -> PolicyPack:
    return PolicyPack(name, "1", f"packs.{name}", catalogue or Catalogue((PHOTO, EMAIL), (MAKING,)), rules)


hours = st.integers(0, 72).map(lambda count: timedelta(hours=count))


@st.composite
def retains(draw: st.DrawFn) -> Retain:
    after, maximum = sorted([draw(hours), draw(hours)])
    return retain(
        draw(st.sampled_from(["upload.used", "upload.cap", "figurine.keep"])),
        triggers=tuple(draw(st.lists(st.sampled_from(Trigger), min_size=1, max_size=4))),
        after=after,
        maximum=maximum,
        action=draw(st.sampled_from(Action)),
        exempt_while_saved=draw(st.booleans()),
        longest_job_added=draw(st.booleans()),
        sentence=draw(
            st.sampled_from(["Gone {after} later.", "After {after}: gone.", "We erase it {after} after that."])
        ),
    )


packs = st.lists(
    st.builds(
        lambda name, rules, out: pack(name, *rules, *out),
        st.sampled_from(["baseline", "gdpr", "bipa", "minors"]),
        st.lists(retains(), max_size=4),
        st.lists(
            st.sampled_from([OUT, msgspec.structs.replace(OUT, categories=("email", "photo", "email"))]), max_size=2
        ),
    ),
    min_size=1,
    max_size=4,
)


def is_as_strict(new: Retain, old: Retain) -> bool:
    return (
        new.after <= old.after
        and new.maximum <= old.maximum
        and new.action.strength >= old.action.strength
        and set(new.triggers) >= set(old.triggers)
        and new.exempt_while_saved <= old.exempt_while_saved
        and new.longest_job_added <= old.longest_job_added
    )


def as_a_pack(policy: EffectivePolicy, name: str) -> PolicyPack:
    """What is in force, written down as one pack."""
    catalogue = Catalogue(tuple(policy.categories.values()), tuple(policy.purposes.values()))
    return PolicyPack(name, "1", f"packs.{name}", catalogue, (*policy.retain.values(), *policy.egress.values()))


@given(packs, st.randoms())
def test_neither_order_nor_repetition_of_packs_matters(some: list[PolicyPack], random: object) -> None:
    shuffled = [*some, *some[::2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert compile_policy(shuffled) == compile_policy(some)


@given(packs, packs)
def test_merging_in_two_steps_is_merging_in_one(some: list[PolicyPack], others: list[PolicyPack]) -> None:
    halves = [as_a_pack(compile_policy(some), "one"), as_a_pack(compile_policy(others), "two")]

    assert compile_policy(halves) == compile_policy([*some, *others])


@given(packs)
def test_merging_what_is_merged_changes_nothing(some: list[PolicyPack]) -> None:
    merged = compile_policy(some)

    assert compile_policy([as_a_pack(merged, "merged")]) == merged


@given(packs, packs)
def test_a_further_pack_only_tightens(some: list[PolicyPack], others: list[PolicyPack]) -> None:
    before, after = compile_policy(some), compile_policy([*some, *others])

    assert all(is_as_strict(after.retain[name], rule) for name, rule in before.retain.items())
    assert before.egress.items() <= after.egress.items()


@given(packs, st.data())
def test_a_rule_is_as_strict_as_each_pack_demands(some: list[PolicyPack], data: st.DataObject) -> None:
    merged = compile_policy(some)

    for one in some:
        for rule in one.rules:
            if isinstance(rule, Retain):
                assert is_as_strict(merged.retain[rule.id], rule)


@given(packs, st.data())
def test_no_choice_of_a_brand_ever_passes_what_any_pack_allows(some: list[PolicyPack], data: st.DataObject) -> None:
    merged = compile_policy(some)
    assume(merged.retain)
    name = data.draw(st.sampled_from(sorted(merged.retain)))
    chosen = data.draw(st.integers(-5, 100).map(lambda count: timedelta(hours=count)))
    limit = min(rule.maximum for one in some for rule in one.rules if isinstance(rule, Retain) and rule.id == name)

    try:
        policy = compile_policy(some, [BrandChoice(name, chosen, "brands/demo.toml:7")])
    except ConfigurationError:
        assert not timedelta(0) <= chosen <= limit
        return

    assert policy.retain[name] == msgspec.structs.replace(merged.retain[name], after=chosen)
    assert chosen <= limit
    assert {key: rule for key, rule in policy.retain.items() if key != name} == {
        key: rule for key, rule in merged.retain.items() if key != name
    }


def test_loosening_names_the_brand_file_and_the_pack_that_set_the_limit() -> None:
    # Given that the limit comes from the second pack, not from the one that declared the rule first
    both = [pack("baseline", retain()), pack("strict", retain(maximum=timedelta(hours=2)))]

    with pytest.raises(ConfigurationError) as caught:
        compile_policy(both, [BrandChoice("upload.used", timedelta(hours=3), "brands/demo.toml:41")])

    assert "brands/demo.toml:41" in str(caught.value)
    assert "packs.strict" in str(caught.value) and "packs.baseline" not in str(caught.value)
    assert "2:00:00" in str(caught.value)


def test_a_choice_for_an_unknown_rule_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"demo\.toml:3.*upload\.used"):
        compile_policy([pack("baseline", retain())], [BrandChoice("upload.usd", timedelta(0), "demo.toml:3")])


def test_two_choices_for_one_rule_are_a_mistake_that_names_both() -> None:
    choices = [BrandChoice("upload.used", timedelta(hours=n), f"demo.toml:{n}") for n in (2, 3)]

    for order in (choices, choices[::-1]):
        with pytest.raises(ConfigurationError, match=r"demo\.toml:[23].*demo\.toml:[23]"):
            compile_policy([pack("baseline", retain())], order)


def test_the_same_choice_twice_is_one() -> None:
    choice = BrandChoice("upload.used", timedelta(hours=2), "demo.toml:2")

    policy = compile_policy([pack("baseline", retain())], [choice, choice])

    assert policy.rule("upload.used").after == timedelta(hours=2)


@pytest.mark.parametrize(
    "other",
    [retain(dataset="figurines"), retain(triggers=(Trigger.created,), carry=Carry.sweep), OUT],
)
def test_one_name_for_two_things_is_a_mistake_that_names_both(other: Retain | Egress) -> None:
    other = msgspec.structs.replace(other, id="upload.used")

    with pytest.raises(ConfigurationError, match=r"packs\.(one|two).*packs\.(one|two)"):
        compile_policy([pack("one", retain()), pack("two", other)])


@pytest.mark.parametrize(
    "catalogue",
    [
        Catalogue((msgspec.structs.replace(PHOTO, sensitivity=Sensitivity.none), EMAIL), (MAKING,)),
        Catalogue((PHOTO, EMAIL), (msgspec.structs.replace(MAKING, basis=Basis.contract),)),
    ],
)
def test_a_category_or_purpose_means_one_thing(catalogue: Catalogue) -> None:
    with pytest.raises(ConfigurationError, match=r"differently in packs\.one and in packs\.two"):
        compile_policy([pack("one"), pack("two", catalogue=catalogue)])


def test_an_egress_rule_means_one_thing() -> None:
    narrower = msgspec.structs.replace(OUT, categories=("photo",))

    with pytest.raises(ConfigurationError, match="differently"):
        compile_policy([pack("one", OUT), pack("two", narrower)])


@pytest.mark.parametrize("change", [{"purpose": "selling"}, {"categories": ("photo", "fingerprint")}])
def test_egress_of_what_nobody_declares_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"packs\.one.*(selling|fingerprint)"):
        compile_policy([pack("one", msgspec.structs.replace(OUT, **change))])


@pytest.mark.parametrize(
    "rule",
    [
        retain(after=timedelta(hours=25)),
        retain(after=timedelta(hours=-1)),
        retain(triggers=()),
        retain(carry=Carry.sweep),
        retain(sentence="Gone soon."),
        retain(sentence="Gone {after} in {place}."),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused_with_its_source(rule: Retain) -> None:
    with pytest.raises(ConfigurationError, match=r"'upload\.used' in packs\.one contradicts itself"):
        compile_policy([pack("one", rule)])


def test_a_contradiction_is_not_hidden_by_a_stricter_pack() -> None:
    with pytest.raises(ConfigurationError, match=r"packs\.two"):
        compile_policy([pack("one", retain()), pack("two", retain(after=timedelta(hours=48)))])


def test_only_what_one_rule_names_may_leave_together() -> None:
    policy = compile_policy([pack("one", OUT)])

    assert policy.allows_egress("generation", ["photo"])
    assert policy.allows_egress("generation", ["photo", "email"])
    assert not policy.allows_egress("generation", ["photo", "figurine"])
    assert not policy.allows_egress("marketing", ["photo"])


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"upload\.used"):
        compile_policy([]).rule("upload.used")


_DIGEST = """
from datetime import timedelta
from statuette.policy import compile_policy
from statuette.policy.pack import BrandChoice
from statuette_policies import BASELINE
print(compile_policy([BASELINE], [BrandChoice("upload.used", timedelta(minutes=30), "x.toml")]).digest)
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
    class Retain(msgspec.Struct, frozen=True, tag="retain"):
        """The rule with its fields in another order."""

        sentence: str
        longest_job_added: bool
        exempt_while_saved: bool
        carry: Carry
        action: Action
        maximum: timedelta
        after: timedelta
        triggers: tuple[Trigger, ...]
        dataset: str
        id: str

    from statuette.policy.pack import _digest

    known = retain()
    turned = Retain(**msgspec.structs.asdict(known))

    assert _digest({"a": known, "b": known}) == _digest({"b": turned, "a": turned})


@given(packs, st.data())
def test_the_digest_changes_with_what_is_in_force_and_only_then(some: list[PolicyPack], data: st.DataObject) -> None:
    merged = compile_policy(some)
    assume(merged.retain)
    name = data.draw(st.sampled_from(sorted(merged.retain)))
    chosen = data.draw(st.integers(0, 72).map(lambda count: timedelta(hours=count)))
    assume(chosen <= merged.retain[name].maximum)

    policy = compile_policy(some, [BrandChoice(name, chosen, "a.toml:1")])

    assert (policy.digest == merged.digest) == (chosen == merged.retain[name].after)
    assert policy.digest == compile_policy(some, [BrandChoice(name, chosen, "elsewhere.toml:9")]).digest


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(0), "immediately"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=90), "1 hour 30 minutes"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=25), "25 hours"),
        (timedelta(days=7), "7 days"),
        (timedelta(days=2, hours=3), "2 days 3 hours"),
        (timedelta(seconds=61), "2 minutes"),
    ],
)
def test_times_are_told_in_words(duration: timedelta, words: str) -> None:
    assert in_words(duration) == words


def test_a_sentence_tells_the_time_in_force() -> None:
    policy = compile_policy(
        [pack("one", retain(), OUT)], [BrandChoice("upload.used", timedelta(minutes=30), "demo.toml:2")]
    )

    assert render_sentence(policy.rule("upload.used")) == "Gone 30 minutes later."
    assert render_sentence(policy.egress["processor.generation"]) == "The model gets the photo."

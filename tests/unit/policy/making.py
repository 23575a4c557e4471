"""Rules, packs and policies for tests, and strategies that make many of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import assume
from hypothesis import strategies as st

from statuette.errors import ConfigurationError
from statuette.policy import (
    Action,
    Answer,
    Basis,
    Catalogue,
    Category,
    Channel,
    EffectivePolicy,
    Egress,
    Event,
    Exemption,
    Floor,
    Moment,
    Notify,
    Period,
    PersonalRight,
    PolicyPack,
    Purpose,
    Retain,
    Right,
    Rule,
    Safeguard,
    Sensitivity,
    Store,
    Trigger,
    compile_policy,
)
from statuette.ports.processor import DeclaredResidual, Processor

PHOTO = Category("photo", "Photos", Sensitivity.personal, {"de": "Fotos"})
EMAIL = Category("email", "E-mail", Sensitivity.personal, {"de": "E-Mail"})
MAKING = Purpose(
    "generation", "Making figurines", Basis.consent, "I may use this.", {"de": "Figuren"}, {"de": "Ich darf das."}
)
MAIL = Purpose("service_mail", "Mail", Basis.contract, "You get mail.", {"de": "Post"}, {"de": "Sie bekommen Post."})
PAINTER = Processor("painter", "Painter Inc.", "US", ("generation",), ("photo",), (DeclaredResidual("A log.", 55),))
POSTMAN = Processor("postman", "Postman", "EU", ("service_mail",), ("email",))
ACCESS = PersonalRight("access", "Seeing your data", {"de": "Daten sehen"})
CATALOGUE = Catalogue((EMAIL, PHOTO), (MAKING, MAIL), (PAINTER, POSTMAN), (ACCESS,))
OUT = Egress(
    "processor.generation",
    "generation",
    ("photo", "email"),
    "The model gets {categories}.",
    sentence_in={"de": "Das Modell bekommt {categories}."},
)
COPY = Right(
    "right.access",
    "access",
    Period(months=1),
    Answer.copy,
    "A copy within {within}.",
    {"de": "Eine Kopie innerhalb von {within}."},
)
TOLD = Notify(
    "notify.breach",
    Event.personal_data_breach,
    Channel.authority,
    Moment.after,
    "Told within {within}.",
    Period(hours=72),
    {"de": "Gemeldet innerhalb von {within}."},
)
PROBED = Safeguard("safeguard.tls", "tls", "Nothing travels in the clear.", {"de": "Nichts reist unverschlüsselt."})


def retain(rule_id: str = "upload.used", **changes: Any) -> Retain:
    rule = Retain(
        id=rule_id,
        dataset="uploads",
        triggers=(Trigger.used,),
        after=Period(hours=1),
        maximum=Period(hours=24),
        action=Action.delete,
        sentence="Gone {after} later.",
        sentence_in={"de": "{after} danach gelöscht."},
    )
    return msgspec.structs.replace(rule, **changes)


def pack(name: str, *rules: Rule, catalogue: Catalogue = CATALOGUE, **more: Any) -> PolicyPack:
    return PolicyPack(name, "1", f"packs.{name}", catalogue, rules, **more)


def compiled(some: Iterable[PolicyPack]) -> EffectivePolicy | None:
    """What is in force; None where one pack's floor lies above another's maximum, which nothing can reconcile."""
    try:
        return compile_policy(some)
    except ConfigurationError as error:
        assert "cannot be kept" in str(error)
        return None


def possible(some: Iterable[PolicyPack]) -> EffectivePolicy:
    policy = compiled(some)
    assume(policy is not None)
    assert policy is not None
    return policy


def as_a_pack(policy: EffectivePolicy, name: str) -> PolicyPack:
    """What is in force, written down as one pack."""
    catalogue = Catalogue(
        tuple(policy.categories.values()),
        tuple(policy.purposes.values()),
        tuple(policy.processors.values()),
        tuple(policy.personal_rights.values()),
    )
    return PolicyPack(name, "1", f"packs.{name}", catalogue, tuple(policy.rules()))


periods = st.one_of(
    st.integers(0, 100).map(lambda count: Period(hours=count)),
    st.integers(0, 100).map(lambda count: Period(days=count)),
    st.integers(0, 4).map(lambda count: Period(months=count)),
)
floors = st.one_of(
    st.none(),
    st.integers(0, 40).map(lambda count: Floor(days=count)),
    st.integers(0, 2).map(lambda count: Floor(months=count)),
)


@st.composite
def retains(draw: st.DrawFn) -> Retain:
    after, maximum, minimum = draw(periods), draw(periods), draw(floors)
    return retain(
        draw(st.sampled_from(["upload.used", "upload.cap", "figurine.keep"])),
        triggers=tuple(draw(st.lists(st.sampled_from(Trigger), min_size=1, max_size=4))),
        after=after & maximum,
        maximum=maximum,
        minimum=minimum if minimum is not None and minimum.within(maximum) else None,
        action=draw(st.sampled_from(Action)),
        exemptions=tuple(draw(st.lists(st.sampled_from(Exemption), max_size=2))),
        longest_job_added=draw(st.booleans()),
        stores=tuple(draw(st.lists(st.sampled_from(Store), min_size=1, max_size=3))),
        sentence=draw(
            st.sampled_from(["Gone {after} later.", "After {after}: gone.", "We erase it {after} after that."])
        ),
        sentence_in=draw(st.sampled_from([{}, {"de": "{after} danach weg."}])),
    )


egresses = st.builds(
    lambda categories, processors, sentence: msgspec.structs.replace(
        OUT, categories=tuple(categories), processors=processors, sentence=sentence
    ),
    st.lists(st.sampled_from(["photo", "email"]), min_size=1, max_size=3),
    st.one_of(st.none(), st.lists(st.sampled_from(["painter", "postman"]), min_size=1, max_size=2).map(tuple)),
    st.sampled_from(["The model gets {categories}.", "{categories} go out to {processors}."]),
)
rights = periods.map(lambda within: msgspec.structs.replace(COPY, within=within))
packs = st.lists(
    st.builds(
        lambda name, rules, out, asked, more: pack(name, *rules, *out, *asked, *more),
        st.sampled_from(["baseline", "gdpr", "bipa", "minors"]),
        st.lists(retains(), max_size=4),
        st.lists(egresses, max_size=2),
        st.lists(rights, max_size=2),
        st.lists(st.sampled_from([TOLD, PROBED]), max_size=2),
    ),
    min_size=1,
    max_size=4,
)

"""Each kind of gap is found and named, ours or a plugin's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statuette.dataset import CacheKeys, Dataset, TableColumns
from statuette.kernel.data_map.check import Attribute, CacheKey, Subject, check
from statuette.kernel.data_map.report import Gap
from statuette.kernel.telemetry.attributes import used_in
from statuette.policy import Action, Carry, Period, PolicyPack, Retain, Trigger, compile_policy
from statuette.ports.processor import Processor
from statuette.testing.rule_marks import marked
from tests.unit.policy.making import CATALOGUE, PROBED

VOICE = Retain(
    "voice.keep",
    dataset="voices",
    triggers=(Trigger.created,),
    after=Period(hours=1),
    maximum=Period(hours=1),
    action=Action.delete,
    carry=Carry.sweep,
    sentence="A recording goes {after} later.",
    sentence_in={"de": "Eine Aufnahme ist {after} danach weg."},
)
VOICES = Dataset(
    "voices",
    "Recordings",
    (TableColumns("voice", {"id": "email", "sound": "photo"}),),
    handler=None,  # type: ignore[arg-type]
    object_prefixes=("voices/{brand_id}/{id}/",),
    ended_by=("voice.keep",),
    cache_keys=(CacheKeys("voices:*", "photo", timedelta(minutes=1)),),
)
PACK = PolicyPack("toy", "1", "tests.toy", CATALOGUE, (VOICE,), tests={"voice.keep": ("tests/test_x.py::test_y",)})


def subject(pack: PolicyPack = PACK, dataset: Dataset = VOICES, **changes: Any) -> Subject:
    looked_at = Subject(
        policy=compile_policy([pack]),
        packs=(pack,),
        datasets={dataset.name: dataset},
        owners={("policy pack", "toy"): "toy_plugin", ("dataset", "voices"): "toy_plugin"},
        columns=frozenset({("voice", "id"), ("voice", "sound")}),
        attributes=(Attribute("queue", "statuette", "x.py:1"),),
        classified={"queue": "nothing"},
    )
    return msgspec.structs.replace(looked_at, **changes)


def gaps(looked_at: Subject) -> list[tuple[str, str, str]]:
    return [(each.gap.value, each.subject, each.owner) for each in check(looked_at).problems if each.subject != "queue"]


def changed(dataset: Dataset = VOICES, **changes: Any) -> Subject:
    return subject(dataset=msgspec.structs.replace(dataset, **changes))


def of_pack(rule: Any = VOICE, **changes: Any) -> Subject:
    return subject(msgspec.structs.replace(PACK, rules=(rule,), **changes))


GAPS: Mapping[str, tuple[Subject, tuple[str, str, str]]] = {
    "a column": (
        subject(columns=frozenset({("voice", "id"), ("voice", "sound"), ("voice", "face")})),
        ("column_unclassified", "voice.face", "statuette"),
    ),
    "a column that is not there": (
        subject(columns=frozenset({("voice", "id")})),
        ("column_unknown", "voice.sound", "toy_plugin"),
    ),
    "a prefix of several records": (
        changed(object_prefixes=("voices/",)),
        ("prefix_malformed", "voices/", "toy_plugin"),
    ),
    "an object": (subject(object_keys=("faces/a/b/c.jpg",)), ("object_unclassified", "faces/", "statuette")),
    "a key": (
        subject(cache_keys=(CacheKey("voices:1", False), CacheKey("faces:1", False))),
        ("cache_key_unclassified", "faces:1", "statuette"),
    ),
    "a key for ever": (
        subject(cache_keys=(CacheKey("voices:1", True),)),
        ("cache_key_lasts", "voices:1", "statuette"),
    ),
    "an attribute": (
        subject(attributes=(Attribute("person.email", "toy_plugin", "y.py:2"),)),
        ("attribute_unclassified", "person.email", "toy_plugin"),
    ),
    "an attribute about people": (
        subject(attributes=(Attribute("who", "toy_plugin", "y.py:2"),), classified={"who": "photo", "queue": "photo"}),
        ("attribute_unclassified", "who", "toy_plugin"),
    ),
    "a category nobody declares": (
        changed(tables=(TableColumns("voice", {"id": "email", "sound": "sound"}),)),
        ("category_unknown", "sound", "toy_plugin"),
    ),
    "a category without a rule": (changed(ended_by=("voice.gone",)), ("category_without_rule", "photo", "toy_plugin")),
    "a rule of a dataset that is not there": (
        of_pack(msgspec.structs.replace(VOICE, dataset="faces")),
        ("rule_without_enforcer", "voice.keep", "toy_plugin"),
    ),
    "a rule that nobody carries out": (
        of_pack(msgspec.structs.replace(PROBED, id="voice.keep", probe="deaf")),
        ("rule_without_enforcer", "voice.keep", "toy_plugin"),
    ),
    "a rule without a sentence": (
        of_pack(msgspec.structs.replace(VOICE, sentence_in={})),
        ("rule_without_sentence", "voice.keep", "toy_plugin"),
    ),
    "a rule without a test": (of_pack(tests={}), ("rule_without_test", "voice.keep", "toy_plugin")),
    "a processor's purpose": (
        of_pack(
            catalogue=msgspec.structs.replace(
                CATALOGUE, processors=(Processor("radio", "Radio", "EU", ("singing",), ("photo",)),)
            )
        ),
        ("purpose_unknown", "radio: singing", "radio"),
    ),
}


@pytest.mark.parametrize("name", GAPS)
def test_a_gap_is_named_with_its_owner(name: str) -> None:
    looked_at, gap = GAPS[name]

    assert gap in gaps(looked_at)


def test_where_there_is_no_gap_none_is_named() -> None:
    assert gaps(subject()) == []


def test_every_kind_of_gap_is_tried() -> None:
    assert {gap for _, (gap, _, _) in GAPS.values()} == {gap.value for gap in Gap}


def test_a_rule_that_a_dataset_does_not_know_is_armed_by_triggers_that_arm_any_rule() -> None:
    rule = msgspec.structs.replace(VOICE, id="voice.longest", carry=Carry.deadline)
    pack = msgspec.structs.replace(PACK, rules=(VOICE, rule), tests={**PACK.tests, "voice.longest": ("t.py::t",)})

    assert ("rule_without_enforcer", "voice.longest", "toy_plugin") in gaps(subject(pack))
    arming = msgspec.structs.replace(VOICES, arms=(Trigger.created,))
    assert gaps(subject(pack, arming)) == []


def test_a_rule_by_hand_needs_neither_code_nor_test_but_is_listed() -> None:
    pack = msgspec.structs.replace(PACK, rules=(VOICE, PROBED), by_hand=(PROBED.id,))

    assert gaps(subject(pack)) == []
    assert [(each.rule, each.pack) for each in check(subject(pack)).by_hand] == [(PROBED.id, "toy")]


def test_attributes_are_read_from_the_source(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        "with span('x', Kind.A, linked=1, **{'a.b': 1}, c=2) as s:\n"
        "    s.set_attribute('d', 1)\n"
        "    s.set_attributes({'e': 1})\n"
        "    s.set_attribute(name, 1)\n"
        "counter.add(1, {'f': 1})\n"
        "seen.add('g')\n"
    )

    assert sorted(name for name, _ in used_in(source)) == ["?", "a.b", "c", "d", "e", "f"]


def test_marks_are_read_from_the_source(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "import pytest\n"
        "pytestmark = [pytest.mark.rule('a.b')]\n"
        "@pytest.mark.rule('c.d', 'e.f')\n"
        "async def test_one(): ...\n"
        "def test_two(): ...\n"
        "def helper(): ...\n"
    )

    assert marked(tmp_path) == {
        "a.b": ("test_a.py::test_one", "test_a.py::test_two"),
        "c.d": ("test_a.py::test_one",),
        "e.f": ("test_a.py::test_one",),
    }

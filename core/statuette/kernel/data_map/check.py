"""Whether everything that is kept has a class, every class an end, and every rule an enforcer, a sentence and a test.

Pure: what is in the database, in Redis and in the source is handed in.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from statuette.dataset import Dataset
from statuette.errors import ConfigurationError
from statuette.kernel.data_map.report import ByHand, Gap, Looked, Problem, Report
from statuette.policy import Carry, EffectivePolicy, PolicyPack, Retain, Rule, Sensitivity
from statuette.policy.enforcers import enforcers
from statuette.policy.notice import said
from statuette.policy.providers import NAME as PROVIDERS
from statuette.policy.sources import place
from statuette.policy.words import LOCALES

OURS = "statuette"


class Attribute(msgspec.Struct, frozen=True):
    """An attribute of telemetry that some source sets."""

    name: str
    owner: str
    where: str


class CacheKey(msgspec.Struct, frozen=True):
    """A key found in Redis, without the deployment's namespace; `lasts`: it never expires."""

    key: str
    lasts: bool


class Subject(msgspec.Struct, frozen=True):
    """What is looked at.

    Attributes:
        policy: everything that the packs say together.
        datasets: by name; `owners` says which plugin brought one.
        columns: (table, column) of the database.
        attributes: set by any source; `classified`: category by name.
    """

    policy: EffectivePolicy
    packs: tuple[PolicyPack, ...]
    datasets: Mapping[str, Dataset]
    owners: Mapping[tuple[str, str], str]
    columns: frozenset[tuple[str, str]]
    attributes: tuple[Attribute, ...]
    classified: Mapping[str, str]
    cache_keys: tuple[CacheKey, ...] = ()
    object_keys: tuple[str, ...] = ()
    not_looked_at: tuple[str, ...] = ()


def check(subject: Subject) -> Report:
    """Every gap, in the order of its kind."""
    looks: tuple[Callable[[Subject], Iterable[Problem]], ...] = (
        _columns,
        _prefixes,
        _cache_keys,
        _attributes,
        _categories,
        _purposes,
        _rules,
    )
    rules = [(pack, rule) for pack in subject.packs for rule in pack.rules]
    return Report(
        looked_at=Looked(
            columns=len(subject.columns),
            prefixes=sum(len(dataset.object_prefixes) for dataset in subject.datasets.values()),
            cache_keys=len(subject.cache_keys),
            attributes=len({each.name for each in subject.attributes}),
            categories=len(subject.policy.categories),
            rules=len(rules),
        ),
        problems=tuple(sorted((problem for look in looks for problem in look(subject)), key=_place_of_gap)),
        by_hand=tuple(ByHand(rule.id, pack.name, rule.sentence) for pack, rule in rules if rule.id in pack.by_hand),
        not_looked_at=subject.not_looked_at,
    )


def _place_of_gap(problem: Problem) -> int:
    return list(Gap).index(problem.gap)


def _owner(subject: Subject, kind: str, name: str) -> str:
    return subject.owners.get((kind, name), OURS)


def _columns(subject: Subject) -> Iterator[Problem]:
    described: dict[tuple[str, str], list[Dataset]] = {}
    for dataset in subject.datasets.values():
        for table in dataset.tables:
            for column in table.columns:
                described.setdefault((table.table, column), []).append(dataset)
    for table_name, column in sorted(subject.columns - described.keys()):
        yield Problem(
            Gap.column_unclassified,
            f"{table_name}.{column}",
            OURS,
            "No dataset says what is in this column.",
            "Add it to the dataset of its table, with a category.",
        )
    for (table_name, column), datasets in sorted(described.items()):
        owner = _owner(subject, "dataset", datasets[0].name)
        if (table_name, column) not in subject.columns:
            message, cure = "A dataset describes a column that does not exist.", "Take it out, or migrate."
        elif len(datasets) > 1:
            names = " and ".join(sorted(each.name for each in datasets))
            message, cure = f"The datasets {names} both describe this column.", "Keep one."
        else:
            continue
        yield Problem(Gap.column_unknown, f"{table_name}.{column}", owner, message, cure)


def _prefixes(subject: Subject) -> Iterator[Problem]:
    templates = {each: dataset for dataset in subject.datasets.values() for each in dataset.object_prefixes}
    for template, dataset in sorted(templates.items()):
        if not (template.endswith("/") and "{id}" in template and "{brand_id}" in template):
            yield Problem(
                Gap.prefix_malformed,
                template,
                _owner(subject, "dataset", dataset.name),
                "A prefix of objects that is not one record's alone.",
                "Let it end in `/` and contain `{brand_id}` and `{id}`.",
            )
    globs = [template.replace("{brand_id}", "*").replace("{id}", "*") + "*" for template in templates]
    for key in subject.object_keys:
        if not any(fnmatch.fnmatchcase(key, glob) for glob in globs):
            yield Problem(
                Gap.object_unclassified,
                key.partition("/")[0] + "/",
                OURS,
                "An object in the store that no dataset has a prefix for.",
                "Add the prefix to the dataset of its records.",
            )


def _cache_keys(subject: Subject) -> Iterator[Problem]:
    patterns = [each for dataset in subject.datasets.values() for each in dataset.cache_keys]
    for found in subject.cache_keys:
        if not any(fnmatch.fnmatchcase(found.key, each.pattern) for each in patterns):
            yield Problem(
                Gap.cache_key_unclassified,
                found.key,
                OURS,
                "A key in Redis that no dataset has a pattern for.",
                "Add it to `cache_keys` of a dataset, with its category and how long it lasts.",
            )
        elif found.lasts:
            yield Problem(
                Gap.cache_key_lasts,
                found.key,
                OURS,
                "A key in Redis that never expires.",
                "Give it a time to live when it is written.",
            )


def _attributes(subject: Subject) -> Iterator[Problem]:
    for each in sorted(set(subject.attributes), key=lambda each: (each.name, each.where)):
        category = subject.classified.get(each.name)
        if category is None:
            message = "An attribute of telemetry that has no class."
        elif (known := subject.policy.categories.get(category)) is None or known.sensitivity is not Sensitivity.none:
            message = f"An attribute of telemetry of the category {category!r}, which concerns people."
        else:
            continue
        yield Problem(
            Gap.attribute_unclassified,
            each.name,
            each.owner,
            message,
            "Take it out, or add it to `statuette.kernel.telemetry.attributes` if it says nothing of a person.",
            each.where,
        )


def _categories(subject: Subject) -> Iterator[Problem]:
    known = subject.policy.categories
    held: dict[str, list[Dataset]] = {}
    for dataset in subject.datasets.values():
        caches = [each.category for each in dataset.cache_keys]
        for category in sorted({*dataset.categories(), *caches} - known.keys()):
            yield Problem(
                Gap.category_unknown,
                category,
                _owner(subject, "dataset", dataset.name),
                f"The dataset {dataset.name!r} has a category that no pack declares.",
                "Use one of the catalogue's, or declare it in a pack.",
            )
        for category in dataset.categories():
            held.setdefault(category, []).append(dataset)
    for category, datasets in sorted(held.items()):
        if category not in known or known[category].sensitivity in (Sensitivity.none, Sensitivity.secret):
            continue
        for dataset in datasets:
            if not any(rule in subject.policy.retain for rule in dataset.ended_by):
                yield Problem(
                    Gap.category_without_rule,
                    category,
                    _owner(subject, "dataset", dataset.name),
                    f"No rule ends what the dataset {dataset.name!r} holds of this category.",
                    "Name the rule in `ended_by`, and add it to a pack.",
                )


def _purposes(subject: Subject) -> Iterator[Problem]:
    policy = subject.policy
    for name, processor in sorted(policy.processors.items()):
        for purpose in processor.purposes:
            if purpose not in policy.purposes:
                yield Problem(
                    Gap.purpose_unknown,
                    f"{name}: {purpose}",
                    name,
                    "A processor declares a purpose that no pack knows; it gets nothing for it.",
                    "Use one of the catalogue's, or declare it in a pack.",
                )
        for category in processor.categories:
            if category not in policy.categories:
                yield Problem(
                    Gap.category_unknown,
                    f"{name}: {category}",
                    name,
                    "A processor declares a category that no pack knows; it gets none of it.",
                    "Use one of the catalogue's, or declare it in a pack.",
                )


def _rules(subject: Subject) -> Iterator[Problem]:
    tested = {rule for pack in subject.packs for rule, tests in pack.tests.items() if tests}
    for pack in subject.packs:
        if pack.name == PROVIDERS:
            continue
        owner = _owner(subject, "policy pack", pack.name)
        for rule in pack.rules:
            where = place(pack.source, rule.id)
            for locale in LOCALES:
                if problem := _unsaid(rule, locale):
                    cure = "Add it to `sentence_in` of the rule."
                    yield Problem(Gap.rule_without_sentence, rule.id, owner, problem, cure, where)
            if rule.id in pack.by_hand:
                continue
            if problem := unenforced(rule, subject.datasets):
                yield Problem(
                    Gap.rule_without_enforcer,
                    rule.id,
                    owner,
                    problem,
                    "Mark what carries it out with `statuette.policy.enforces`, or list it in the pack's `by_hand`.",
                    where,
                )
            if rule.id not in tested:
                yield Problem(
                    Gap.rule_without_test,
                    rule.id,
                    owner,
                    "No pack names a test that goes red when nothing carries this rule out.",
                    "Mark one with `@pytest.mark.rule(…)` and name it in the pack's `tests`.",
                    where,
                )


def unenforced(rule: Rule, datasets: Mapping[str, Dataset]) -> str | None:
    """Why nothing carries the rule out; None if something does."""
    if isinstance(rule, Retain):
        dataset = datasets.get(rule.dataset)
        if dataset is None:
            return f"Its dataset {rule.dataset!r} does not exist."
        armed = rule.carry is Carry.deadline and set(rule.triggers) <= set(dataset.arms)
        if rule.id not in dataset.ended_by and not armed:
            return f"The dataset {rule.dataset!r} does not name it in `ended_by`, so nothing arms it."
    return None if enforcers(rule) else "Nothing is marked as carrying it out."


def _unsaid(rule: Any, locale: str) -> str | None:
    try:
        said(rule, "sentence", locale)
    except ConfigurationError:
        return f"It has no sentence in {locale!r}."
    return None

"""The retention schedule: what ends when, of everything that is kept about people."""

from __future__ import annotations

from statuette.policy.catalogue import Sensitivity
from statuette.policy.notice import Issuer, render_sentence, said
from statuette.policy.pack import EffectivePolicy
from statuette.policy.papers.model import Held, Paper, Section, Table, titled, who
from statuette.policy.rules import Action, Retain, Trigger
from statuette.policy.words import in_words, time_in_force

_WORDS = {
    "en": {
        "title": "Retention schedule",
        "controller": "Who answers for the data",
        "name": "Name",
        "contact": "Contact",
        "authority": "Supervisory authority",
        "unnamed": "The brand's file does not say.",
        "schedule": "What ends when",
        "about": "Each row is a rule that the platform carries out by itself. Where several apply, the earliest moment counts.",
        "data": "Data",
        "rule": "Rule",
        "counted": "Counted from",
        "after": "Ends after",
        "most": "At most",
        "action": "What happens",
        "sentence": "In words",
        "nothing": "No rule ends it",
        "job": " and the longest job",
    },
    "de": {
        "title": "Löschkonzept",
        "controller": "Wer für die Daten verantwortlich ist",
        "name": "Name",
        "contact": "Kontakt",
        "authority": "Aufsichtsbehörde",
        "unnamed": "Die Datei der Marke sagt es nicht.",
        "schedule": "Was wann endet",
        "about": (
            "Jede Zeile ist eine Regel, die die Plattform selbst ausführt. Gelten mehrere, so zählt der früheste Zeitpunkt."
        ),
        "data": "Daten",
        "rule": "Regel",
        "counted": "Gezählt ab",
        "after": "Endet nach",
        "most": "Höchstens",
        "action": "Was geschieht",
        "sentence": "In Worten",
        "nothing": "Keine Regel beendet es",
        "job": " und der längste Auftrag",
    },
}
_TRIGGERS = {
    "en": {
        Trigger.created: "creation",
        Trigger.used: "end of the last use",
        Trigger.unsaved: "no longer being saved",
        Trigger.deletion_asked: "request for deletion",
        Trigger.closed: "closing",
        Trigger.account_ended: "end of the account",
    },
    "de": {
        Trigger.created: "Entstehung",
        Trigger.used: "Ende der letzten Verwendung",
        Trigger.unsaved: "Ende des Speicherns",
        Trigger.deletion_asked: "Bitte um Löschung",
        Trigger.closed: "Abschluss",
        Trigger.account_ended: "Ende des Kontos",
    },
}
_ACTIONS = {
    "en": {
        Action.restrict: "locked",
        Action.pseudonymise: "pseudonymised",
        Action.anonymise: "anonymised",
        Action.delete: "deleted",
        Action.shred: "deleted, and its key destroyed",
    },
    "de": {
        Action.restrict: "gesperrt",
        Action.pseudonymise: "pseudonymisiert",
        Action.anonymise: "anonymisiert",
        Action.delete: "gelöscht",
        Action.shred: "gelöscht und der Schlüssel vernichtet",
    },
}


def retention(policy: EffectivePolicy, issuer: Issuer, held: tuple[Held, ...], locale: str) -> Paper:
    """The schedule. Raises `ConfigurationError` for a language that a pack does not speak."""
    words = _WORDS.get(locale, _WORDS["en"])
    return Paper(
        "retention",
        locale,
        titled(words["title"], issuer),
        policy.digest,
        (
            Section(words["controller"], items=who(issuer, words)),
            Section(words["schedule"], (words["about"],), table=schedule(policy, held, locale)),
        ),
    )


def schedule(policy: EffectivePolicy, held: tuple[Held, ...], locale: str) -> Table:
    """One row a rule, by dataset; one for each dataset about people that no rule ends."""
    words = _WORDS.get(locale, _WORDS["en"])
    rows: list[tuple[str, ...]] = []
    for each in held:
        data = "; ".join(titles(policy, _foremost(policy, each.categories), locale))
        if not concerns_people(policy, each):
            continue
        # A rule of a pack may end a dataset that does not know it.
        known = [rule for rule in policy.retain.values() if rule.id in each.ended_by or rule.dataset == each.dataset]
        rows += [_row(rule, policy, data, words, locale) for rule in known]
        if not known:
            rows.append((data, "", "", words["nothing"], "", "", ""))
    head = tuple(words[name] for name in ("data", "rule", "counted", "after", "most", "action", "sentence"))
    return Table(head, tuple(rows))


def concerns_people(policy: EffectivePolicy, held: Held) -> bool:
    """Whether a dataset has anything of a person in it, and not just what operators sign in with."""
    about = (Sensitivity.personal, Sensitivity.pseudonymous)
    return any(policy.categories[name].sensitivity in about for name in held.categories if name in policy.categories)


def _foremost(policy: EffectivePolicy, categories: tuple[str, ...]) -> tuple[str, ...]:
    """Those that picture or identify somebody, where there are any: what goes is known by these."""
    known = [policy.categories[name] for name in categories if name in policy.categories]
    return tuple(each.id for each in known if each.sensitivity is Sensitivity.personal) or categories


def titles(policy: EffectivePolicy, categories: tuple[str, ...], locale: str) -> tuple[str, ...]:
    """Of the categories that concern people."""
    known = [policy.categories[name] for name in categories if name in policy.categories]
    known.sort(key=lambda each: each.sensitivity is not Sensitivity.personal)  # what tells most of somebody comes first
    return tuple(said(each, "title", locale) for each in known if each.sensitivity is not Sensitivity.none)


def _row(rule: Retain, policy: EffectivePolicy, data: str, words: dict[str, str], locale: str) -> tuple[str, ...]:
    job = words["job"] if rule.longest_job_added else ""
    return (
        data,
        rule.id,
        "; ".join(_TRIGGERS[locale][trigger] for trigger in rule.triggers),
        time_in_force(rule, locale) + job,
        in_words(rule.maximum, locale) + job,
        _ACTIONS[locale][rule.action],
        render_sentence(rule, policy, locale),
    )

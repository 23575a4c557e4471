"""The record of processing activities of GDPR Art. 30(1), item by item."""

from __future__ import annotations

from statuette.policy.headings import HEADINGS
from statuette.policy.notice import Issuer, notice, render_sentence, said
from statuette.policy.pack import EffectivePolicy
from statuette.policy.papers.model import Held, Paper, Section, Table, titled, who
from statuette.policy.papers.retention import concerns_people, schedule, titles
from statuette.policy.rules import Rule

_WORDS = {
    "en": {
        "title": "Record of processing activities (GDPR Art. 30(1))",
        "controller": "Controller (a)",
        "name": "Name",
        "contact": "Contact",
        "authority": "Supervisory authority",
        "unnamed": "The brand's file does not say.",
        "purposes": "Purposes (b)",
        "purpose": "Purpose",
        "basis": "Legal basis",
        "about": "What people are told",
        "leaves": "What it lets out, and to whom",
        "people": "Whose data, and which (c)",
        "who": "People who have an account with the brand, and people who are in the photos that these upload.",
        "data": "Data",
        "categories": "Categories",
        "recipients": "Recipients (d) and third countries (e)",
        "recipient": "Recipient",
        "where": "Where",
        "kind": "Outside the service",
        "yes": "yes",
        "no": "no",
        "safeguard": (
            "For what leaves the EU, the safeguards of Art. 46 are those in each recipient's terms; the controller checks them."
        ),
        "limits": "Time limits for erasure (f)",
        "measures": "Technical and organisational measures (g)",
        "nothing": "nothing",
    },
    "de": {
        "title": "Verzeichnis von Verarbeitungstätigkeiten (Art. 30 Abs. 1 DSGVO)",
        "controller": "Verantwortlicher (a)",
        "name": "Name",
        "contact": "Kontakt",
        "authority": "Aufsichtsbehörde",
        "unnamed": "Die Datei der Marke sagt es nicht.",
        "purposes": "Zwecke (b)",
        "purpose": "Zweck",
        "basis": "Rechtsgrundlage",
        "about": "Was Betroffene erfahren",
        "leaves": "Was dafür hinausgeht, und an wen",
        "people": "Wessen Daten, und welche (c)",
        "who": "Menschen, die ein Konto bei der Marke haben, und Menschen auf den Fotos, die diese hochladen.",
        "data": "Daten",
        "categories": "Kategorien",
        "recipients": "Empfänger (d) und Drittländer (e)",
        "recipient": "Empfänger",
        "where": "Wo",
        "kind": "Außerhalb des Dienstes",
        "yes": "ja",
        "no": "nein",
        "safeguard": (
            "Für das, was die EU verlässt, stehen die Garantien nach Art. 46 in den Bedingungen des jeweiligen Empfängers; der"
            " Verantwortliche prüft sie."
        ),
        "limits": "Löschfristen (f)",
        "measures": "Technische und organisatorische Maßnahmen (g)",
        "nothing": "nichts",
    },
}


def record(policy: EffectivePolicy, issuer: Issuer, held: tuple[Held, ...], locale: str) -> Paper:
    """The record. Raises `ConfigurationError` for a language that a pack does not speak."""
    words = _WORDS.get(locale, _WORDS["en"])
    told = notice(policy, issuer, locale)
    recipients = Table(
        (words["recipient"], words["where"], words["kind"], words["categories"]),
        tuple(
            (each.name, each.region, words["yes"] if each.outside else words["no"], "; ".join(each.categories))
            for each in told.recipients
        ),
    )
    data = tuple(
        (each.title, "; ".join(titles(policy, each.categories, locale)))
        for each in held
        if concerns_people(policy, each)
    )
    sections = (
        Section(words["controller"], items=who(issuer, words)),
        Section(words["purposes"], table=_purposes(policy, words, locale)),
        Section(words["people"], (words["who"],), table=Table((words["data"], words["categories"]), data)),
        Section(words["recipients"], (words["safeguard"],), table=recipients),
        Section(words["limits"], table=schedule(policy, held, locale)),
        Section(words["measures"], items=measures(policy, locale)),
    )
    return Paper("record", locale, titled(words["title"], issuer), policy.digest, sections)


def measures(policy: EffectivePolicy, locale: str) -> tuple[str, ...]:
    """What protects the data: the safeguards, then what bounds what leaves."""
    rules: list[Rule] = [*policy.safeguards.values()]
    rules += [rule for rule in policy.egress.values() if rule.categories]
    return tuple(render_sentence(rule, policy, locale) for rule in rules)


def _purposes(policy: EffectivePolicy, words: dict[str, str], locale: str) -> Table:
    rows = []
    for purpose in policy.purposes.values():
        leaves = [
            "; ".join(titles(policy, rule.categories, locale))
            for rule in policy.egress.values()
            if rule.purpose == purpose.id and rule.processors != ()  # which says that nobody gets it
        ]
        to = sorted(each.name for each in policy.processors.values() if purpose.id in each.purposes)
        out = "; ".join(each for each in leaves if each)
        rows.append(
            (
                said(purpose, "title", locale),
                HEADINGS[locale].basis[purpose.basis].strip("()"),
                said(purpose, "statement", locale),
                f"{out} → {', '.join(to)}" if out and to else out or words["nothing"],
            )
        )
    return Table((words["purpose"], words["basis"], words["about"], words["leaves"]), tuple(rows))

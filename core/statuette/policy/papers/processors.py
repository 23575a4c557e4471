"""Who receives data on behalf of the brand, and what has changed in that list."""

from __future__ import annotations

from datetime import date

import msgspec

from statuette.policy.notice import Issuer, notice
from statuette.policy.pack import EffectivePolicy
from statuette.policy.papers.model import Paper, Section, Table, titled, who

_WORDS = {
    "en": {
        "title": "Processors",
        "controller": "Who answers for the data",
        "name": "Name",
        "contact": "Contact",
        "authority": "Supervisory authority",
        "unnamed": "The brand's file does not say.",
        "outside": "Third parties",
        "inside": "Within the service itself",
        "none": "None.",
        "region": "Where",
        "purposes": "For what",
        "categories": "What",
        "keeps": "What stays with it",
        "terms": "Terms",
        "changes": "What has changed",
        "announced": (
            "A further processor is announced before it receives anything that rests on consent: the version of the policy that"
            " names it is posted, everybody with an account gets a letter, and whoever had agreed is asked again."
        ),
        "unchanged": "Nothing has changed since the first version.",
        "added": "new",
        "removed": "gone",
        "changed": "changed",
        "version": "version",
    },
    "de": {
        "title": "Auftragsverarbeiter",
        "controller": "Wer für die Daten verantwortlich ist",
        "name": "Name",
        "contact": "Kontakt",
        "authority": "Aufsichtsbehörde",
        "unnamed": "Die Datei der Marke sagt es nicht.",
        "outside": "Dritte",
        "inside": "Innerhalb des Dienstes selbst",
        "none": "Keine.",
        "region": "Wo",
        "purposes": "Wofür",
        "categories": "Was",
        "keeps": "Was dort bleibt",
        "terms": "Bedingungen",
        "changes": "Was sich geändert hat",
        "announced": (
            "Ein weiterer Auftragsverarbeiter wird angekündigt, bevor er etwas bekommt, das auf Einwilligung beruht: Die Fassung"
            " der Erklärung, die ihn nennt, wird veröffentlicht, alle mit einem Konto bekommen einen Brief, und wer eingewilligt"
            " hatte, wird neu gefragt."
        ),
        "unchanged": "Seit der ersten Fassung hat sich nichts geändert.",
        "added": "neu",
        "removed": "entfallen",
        "changed": "geändert",
        "version": "Fassung",
    },
}


class ProcessorChange(msgspec.Struct, frozen=True):
    """A processor that came, went or changed with a version. `kind`: `added`, `removed` or `changed`."""

    day: date
    version: int
    processor: str
    kind: str


def processors(policy: EffectivePolicy, issuer: Issuer, changes: tuple[ProcessorChange, ...], locale: str) -> Paper:
    """The list. Raises `ConfigurationError` for a language that a pack does not speak."""
    words = _WORDS.get(locale, _WORDS["en"])
    recipients = notice(policy, issuer, locale).recipients
    head = tuple(words[name] for name in ("name", "region", "purposes", "categories", "keeps", "terms"))

    def listed(outside: bool) -> Section:
        rows = tuple(
            (
                each.name,
                each.region,
                "; ".join(each.purposes),
                "; ".join(each.categories),
                " ".join(each.keeps),
                each.terms_url or "",
            )
            for each in recipients
            if each.outside is outside
        )
        heading = words["outside"] if outside else words["inside"]
        return Section(heading, table=Table(head, rows)) if rows else Section(heading, (words["none"],))

    told = tuple(
        f"{each.day.isoformat()}, {words['version']} {each.version}: {each.processor} ({words[each.kind]})"
        for each in changes
    )
    return Paper(
        "processors",
        locale,
        titled(words["title"], issuer),
        policy.digest,
        (
            Section(words["controller"], items=who(issuer, words)),
            listed(outside=True),
            listed(outside=False),
            Section(words["changes"], (words["announced"], *(() if told else (words["unchanged"],))), told),
        ),
    )

"""What people read: each rule in words, and the whole notice, rendered from the policy in force and from nothing else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from statuette.errors import ConfigurationError
from statuette.policy.catalogue import Sensitivity
from statuette.policy.headings import HEADINGS, Headings
from statuette.policy.pack import EffectivePolicy
from statuette.policy.page import whole_page
from statuette.policy.periods import Period
from statuette.policy.rules import Egress, Exemption, Notify, Retain, Right, Rule
from statuette.policy.words import in_words, time_in_force
from statuette.ports.processor import Processor

_MARKS = re.compile(r"([\\`*_\[\]<>|#])")


class Issuer(msgspec.Struct, frozen=True):
    """Who answers for the data, as the brand's file says; empty where it does not."""

    title: str = ""
    name: str = ""
    contact: str = ""
    authority: str = ""


class Recipient(msgspec.Struct, frozen=True):
    """A processor in words. `keeps`: what stays with it, one sentence each, how long first."""

    id: str
    name: str
    region: str
    outside: bool
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    keeps: tuple[str, ...]
    terms_url: str | None


class Stated(msgspec.Struct, frozen=True):
    """One thing the notice says: the id of what it was rendered from, a title if it has one, and the sentence."""

    id: str
    sentence: str
    title: str = ""


class Notice(msgspec.Struct, frozen=True):
    """A privacy notice in one language.

    Attributes:
        digest: of the policy it was rendered from.
        data: the categories that concern people.
        retention, sharing, rights, notifications, safeguards: the rules of each kind.
    """

    locale: str
    digest: str
    issuer: Issuer
    data: tuple[Stated, ...]
    purposes: tuple[Stated, ...]
    sharing: tuple[Stated, ...]
    recipients: tuple[Recipient, ...]
    retention: tuple[Stated, ...]
    rights: tuple[Stated, ...]
    notifications: tuple[Stated, ...]
    safeguards: tuple[Stated, ...]


def said(item: Any, field: str, locale: str) -> str:
    """A text of a rule or of the catalogue in one language. Raises `ConfigurationError` where it has none: English is no guess."""
    if locale == "en":
        text: str | None = getattr(item, field)
    else:
        text = getattr(item, f"{field}_in").get(locale)
    if text is None:
        raise ConfigurationError(
            f"The {field} of {item.id!r} is not written in {locale!r}.",
            cure=f"Add it to `{field}_in` in its pack; `statuette policy check` names all that are missing.",
        )
    return text


def render_sentence(rule: Rule, policy: EffectivePolicy, locale: str = "en") -> str:
    """The rule's sentence with what is in force. Raises `ConfigurationError` where the locale has none."""
    sentence = said(rule, "sentence", locale)
    if isinstance(rule, Retain):
        unless = _headings(locale).unless_saved if Exemption.saved in rule.exemptions else ""
        return sentence.replace("{after}", time_in_force(rule, locale)).replace("{unless}", unless)
    if isinstance(rule, Egress):
        titles = [said(policy.categories[name], "title", locale) for name in rule.categories]
        names = [policy.processors[name].name for name in _receivers(rule, policy)]
        nothing = _headings(locale).nothing
        return sentence.replace("{categories}", "; ".join(titles) or nothing).replace(
            "{processors}", "; ".join(names) or nothing
        )
    if isinstance(rule, Right | Notify) and rule.within is not None:
        return sentence.replace("{within}", in_words(rule.within, locale, within=True))
    return sentence


def _receivers(rule: Egress, policy: EffectivePolicy) -> list[str]:
    return sorted(
        name
        for name, processor in policy.processors.items()
        if (rule.processors is None or name in rule.processors) and rule.purpose in processor.purposes
    )


def notice(policy: EffectivePolicy, issuer: Issuer, locale: str = "en") -> Notice:
    """The whole notice. Raises `ConfigurationError` for a language it cannot be rendered in; names what is missing."""
    words = _headings(locale)

    def sentences(rules: Iterable[Rule]) -> tuple[Stated, ...]:
        return tuple(Stated(rule.id, render_sentence(rule, policy, locale)) for rule in rules)

    return Notice(
        locale=locale,
        digest=policy.digest,
        issuer=issuer,
        data=tuple(
            Stated(category.id, said(category, "title", locale))
            for category in policy.categories.values()
            if category.sensitivity is not Sensitivity.none
        ),
        purposes=tuple(
            Stated(
                purpose.id,
                f"{said(purpose, 'statement', locale)} {words.basis[purpose.basis]}",
                said(purpose, "title", locale),
            )
            for purpose in policy.purposes.values()
        ),
        sharing=sentences(rule for rule in policy.egress.values() if rule.categories),
        recipients=tuple(
            _recipient(processor, policy, words, locale) for _, processor in sorted(policy.processors.items())
        ),
        retention=sentences(policy.retain.values()),
        rights=sentences(policy.rights.values()),
        notifications=sentences(policy.notify.values()),
        safeguards=sentences(policy.safeguards.values()),
    )


def _recipient(processor: Processor, policy: EffectivePolicy, words: Headings, locale: str) -> Recipient:
    def titles(known: dict[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
        # A provider may name what no pack declares; it gets none of that, and `policy check` says so.
        return tuple(said(known[name], "title", locale) for name in names if name in known)

    return Recipient(
        id=processor.id,
        name=processor.name,
        region=processor.region,
        outside=processor.third_party,
        purposes=titles(policy.purposes, processor.purposes),
        categories=titles(policy.categories, processor.categories),
        # The provider says what it keeps in its own words, in English; how long is said in the reader's.
        keeps=tuple(
            f"{words.unknown if kept.days is None else in_words(Period(days=kept.days), locale)}: {kept.description}"
            for kept in processor.residuals
        )
        + ((processor.own_use,) if processor.own_use else ()),
        terms_url=processor.terms_url,
    )


def _headings(locale: str) -> Headings:
    if locale not in HEADINGS:
        raise ConfigurationError(
            f"There is no notice in the language {locale!r}.", cure=f"Use one of: {', '.join(sorted(HEADINGS))}."
        )
    return HEADINGS[locale]


def _blocks(shown: Notice) -> list[tuple[str, list[tuple[str, str]]]]:
    """Sections of (title, text) items; empty ones are left out."""
    words = _headings(shown.locale)
    issuer = shown.issuer
    who = [(words.name, issuer.name), (words.contact, issuer.contact), (words.authority, issuer.authority)]

    def listed(items: tuple[Stated, ...]) -> list[tuple[str, str]]:
        return [(item.title, item.sentence) for item in items]

    recipients = [
        (
            f"{recipient.name} ({words.outside if recipient.outside else words.inside}, {recipient.region})",
            " ".join(
                [
                    f"{words.purposes}: {'; '.join(recipient.purposes) or words.nothing}.",
                    f"{words.data}: {'; '.join(recipient.categories) or words.nothing}.",
                    *(f"{words.keeps}: {kept}" for kept in recipient.keeps),
                    *([recipient.terms_url] if recipient.terms_url else []),
                ]
            ),
        )
        for recipient in shown.recipients
    ]
    sections = [
        (words.controller, [(title, text) for title, text in who if text]),
        (words.data, listed(shown.data)),
        (words.purposes, listed(shown.purposes)),
        (words.sharing, listed(shown.sharing)),
        (words.recipients, recipients),
        (words.retention, listed(shown.retention)),
        (words.rights, listed(shown.rights)),
        (words.notifications, listed(shown.notifications)),
        (words.safeguards, listed(shown.safeguards)),
    ]
    return [(heading, [(_introduced(title), text) for title, text in items]) for heading, items in sections if items]


def _introduced(title: str) -> str:
    return f"{title}:" if title and title[-1] not in ":." else title


def as_markdown(shown: Notice) -> str:
    """A page of Markdown; what is not ours to mark up is escaped."""
    lines = [f"# {_plain(_title(shown))}", ""]
    for heading, items in _blocks(shown):
        lines += [f"## {heading}", ""]
        lines += [f"- **{_plain(title)}** {_plain(text)}" if title else f"- {_plain(text)}" for title, text in items]
        lines.append("")
    lines.append(f"{_headings(shown.locale).version}: `{shown.digest}`")
    return "\n".join(lines) + "\n"


def as_html(shown: Notice) -> str:
    """A whole page of HTML without scripts or anything from elsewhere."""
    parts = []
    for heading, items in _blocks(shown):
        parts += [f"<h2>{html.escape(heading)}</h2>", "<ul>"]
        for head, text in items:
            strong = f"<strong>{html.escape(head)}</strong> " if head else ""
            parts.append(f"<li>{strong}{html.escape(text)}</li>")
        parts.append("</ul>")
    version = html.escape(_headings(shown.locale).version)
    parts.append(f"<p>{version}: <code>{html.escape(shown.digest)}</code></p>")
    return whole_page(shown.locale, _title(shown), parts)


def _title(shown: Notice) -> str:
    heading = _headings(shown.locale).notice
    return f"{heading}: {shown.issuer.title}" if shown.issuer.title else heading


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)

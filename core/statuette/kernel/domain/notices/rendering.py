"""A published policy as people read it: the notice in every language it can be rendered in, and what is different in words."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from statuette.errors import ConfigurationError
from statuette.kernel.domain.brands.config import BrandConfig
from statuette.policy import EffectivePolicy
from statuette.policy.notice import Issuer, Notice, as_html, notice
from statuette.policy.words import LOCALES
from statuette.ports.processor import Processor

_SECTIONS = ("data", "purposes", "sharing", "retention", "rights", "notifications", "safeguards")
_DIFFERENT = {
    "en": ("What is different from version {number}", "was", "now", "nothing"),
    "de": ("Was anders ist als in Fassung {number}", "bisher", "jetzt", "nichts"),
}


class Reworded(msgspec.Struct, frozen=True):
    """Something that the notice says otherwise than before: `retention`, `upload.used`. Null where it says nothing of it."""

    section: str
    id: str
    before: str | None
    after: str | None


def rendered(policy: EffectivePolicy, processors: Iterable[Processor], brand: BrandConfig) -> dict[str, Notice]:
    """The notice by locale. A language that a pack does not speak is left out, but for English, which every pack does."""
    policy = msgspec.structs.replace(policy, processors={each.id: each for each in processors})
    pages = {}
    for locale in LOCALES:
        try:
            pages[locale] = notice(policy, issuer(brand), locale)
        except ConfigurationError:
            if locale == "en":
                raise
    return pages


def issuer(brand: BrandConfig) -> Issuer:
    """Who answers for the data, as the brand's file says."""
    who = brand.controller
    return Issuer(brand.title) if who is None else Issuer(brand.title, who.name, who.contact, who.authority)


def best(notices: Mapping[str, Notice], locale: str) -> Notice:
    """The notice in the language asked for if there is one, else in English."""
    tag = next((tag for tag in (locale, locale.partition("-")[0].lower()) if tag in notices), "en")
    return notices[tag]


def reworded(old: Notice, new: Notice) -> list[Reworded]:
    """What the newer notice says otherwise, in its order, then what it no longer says. Both in one language."""
    before, after = dict(_sentences(old)), dict(_sentences(new))
    places = [place for place in after if before.get(place) != after[place]]
    places += [place for place in before if place not in after]
    return [Reworded(*place, before.get(place), after.get(place)) for place in places]


def as_page(shown: Notice, differences: Iterable[Reworded], since: int) -> str:
    """The notice as a page of HTML, with what is different from the version `since` below it."""
    page = as_html(shown)
    heading, was, now, nothing = _DIFFERENT[shown.locale if shown.locale in _DIFFERENT else "en"]
    items: list[str] = []
    for each in differences:
        items += [
            f"<li><del>{was}: {html.escape(each.before or nothing)}</del><br>",
            f"<ins>{now}: {html.escape(each.after or nothing)}</ins></li>",
        ]
    if not items:
        return page
    return page.replace(
        "</body>", "\n".join([f"<h2>{heading.format(number=since)}</h2>", "<ul>", *items, "</ul>", "</body>"])
    )


def _sentences(shown: Notice) -> Iterator[tuple[tuple[str, str], str]]:
    for section in _SECTIONS:
        for each in getattr(shown, section):
            yield (section, each.id), f"{each.title} {each.sentence}".strip()
    for recipient in shown.recipients:
        said = (*recipient.purposes, *recipient.categories, *recipient.keeps)
        yield ("recipients", recipient.id), f"{recipient.name} ({recipient.region}): {'; '.join(said)}"

"""What people state to a brand: its terms, their age, their right to use a photo. Words in each language, by digest. Pure."""

from __future__ import annotations

import msgspec

from statuette.kernel.domain.brands.config import BrandConfig
from statuette.kernel.domain.consent import texts
from statuette.policy.enforcers import enforces

ADULT = "adult"
TERMS = "terms"
DEPICTED = "depicted"


class Statement(msgspec.Struct, frozen=True):
    """Something a person says is so. Other words are another statement, to be made anew.

    Attributes:
        url: where what they accept can be read.
        text_in: the same words in other languages.
    """

    id: str
    text: str
    text_in: dict[str, str]
    url: str | None = None


class Wording(msgspec.Struct, frozen=True):
    """A statement in one language. `digest` names these words, as `sha256:<hex>`."""

    statement: str
    text: str
    digest: str
    locale: str
    url: str | None


_ADULT = Statement(
    ADULT,
    "I am at least 18 years old.",
    {"de": "Ich bin mindestens 18 Jahre alt."},
)
_DEPICTED = (
    "I may use this picture: everybody in it is me, or agreed to this use.",
    "Ich darf dieses Bild verwenden: Alle darauf sind ich selbst oder haben dieser Verwendung zugestimmt.",
)
_NO_CHILD = ("Nobody in it is under 18.", "Niemand darauf ist unter 18.")
_GUARDIAN = (
    "For everybody in it who is under 18, a parent or guardian agreed, or is me.",
    "Für alle darauf, die unter 18 sind, hat jemand mit Sorgerecht zugestimmt, oder das bin ich.",
)


def of_accounts(config: BrandConfig) -> tuple[Statement, ...]:
    """What the brand asks of everybody, once: when an account is made, and again when the words have changed."""
    asked = [_ADULT] if config.adults_only else []
    if config.terms is not None:
        named = {"url": config.terms.url, "version": config.terms.version}
        asked.append(
            Statement(
                TERMS,
                "I accept the terms of use, version {version}: {url}".format(**named),
                {"de": "Ich stimme den Nutzungsbedingungen zu, Fassung {version}: {url}".format(**named)},
                config.terms.url,
            )
        )
    return tuple(asked)


def of_uploads(config: BrandConfig) -> Statement:
    """What the brand asks about every photo: whether those in it agreed, and about children in it."""
    text, german = (" ".join(both) for both in zip(_DEPICTED, about_children(config), strict=True))
    return Statement(DEPICTED, text, {"de": german})


@enforces("minor.depicted", "minor.refused")
def about_children(config: BrandConfig) -> tuple[str, str]:
    """What is said of children in a photo, in English and German."""
    return _NO_CHILD if config.children_depicted == "refused" else _GUARDIAN


def worded(statement: Statement, locale: str) -> Wording:
    """The statement in the language of `locale` if there is one, else in English."""
    tags = (locale, locale.partition("-")[0].lower())
    language = next((tag for tag in tags if tag in statement.text_in), texts.ENGLISH)
    text = statement.text_in.get(language, statement.text)
    return Wording(
        statement.id, text, texts.digest(f"statement.{statement.id}", text, language), language, statement.url
    )


def wordings(statement: Statement) -> dict[str, Wording]:
    """Every wording in force, by digest."""
    found = (worded(statement, locale) for locale in (texts.ENGLISH, *sorted(statement.text_in)))
    return {each.digest: each for each in found}


def chosen(statement: Statement, digest: str | None, locale: str) -> Wording | None:
    """The words that were shown: those of the digest, None if they are not in force; without one, those of the language."""
    return worded(statement, locale) if digest is None else wordings(statement).get(digest)

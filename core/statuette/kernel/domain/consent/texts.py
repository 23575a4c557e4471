"""The texts that people decide on: one wording of one purpose in one language, named by its digest. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from statuette.policy import Purpose

ENGLISH = "en"


class Text(msgspec.Struct, frozen=True):
    """What is shown of a purpose.

    Attributes:
        locale: the language it is in, which may be another than was asked for.
        digest: names these words, as `sha256:<hex>`.
    """

    purpose: str
    locale: str
    title: str
    statement: str
    digest: str


def text(purpose: Purpose, locale: str) -> Text:
    """The purpose in the language of `locale` if its pack has it, else in English."""
    language = next((tag for tag in _candidates(locale) if tag in purpose.statement_in), ENGLISH)
    statement = purpose.statement_in.get(language, purpose.statement)
    return Text(
        purpose=purpose.id,
        locale=language,
        title=purpose.title_in.get(language, purpose.title),
        statement=statement,
        digest=digest(purpose.id, statement, language),
    )


def texts(purpose: Purpose) -> dict[str, Text]:
    """Every wording in force, by digest."""
    worded = (text(purpose, locale) for locale in (ENGLISH, *sorted(purpose.statement_in)))
    return {each.digest: each for each in worded}


def digest(purpose_id: str, statement: str, language: str = ENGLISH) -> str:
    """Names one wording in one language, as `sha256:<hex>`."""
    parts = [purpose_id, statement] if language == ENGLISH else [purpose_id, statement, language]
    return f"sha256:{hashlib.sha256(msgspec.json.encode(parts)).hexdigest()}"


def locales(purposes: Mapping[str, Purpose]) -> list[str]:
    """Languages that any purpose is worded in, English first."""
    return [ENGLISH, *sorted({tag for purpose in purposes.values() for tag in purpose.statement_in} - {ENGLISH})]


def _candidates(locale: str) -> tuple[str, ...]:
    return (locale, locale.partition("-")[0].lower())

"""Whether a style is well formed; asked once, when styles are loaded. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import NoReturn

from statuette.errors import ConfigurationError
from statuette.kernel.domain.styles.lettering import NAME_PUNCTUATION, RejectedText, clean_text
from statuette.styles import Recipe, Style, Variable

PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A place in a template: the name of a variable, or of the number of subjects."""
SUBJECTS = "subjects"

_SLUG = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ASPECT_RATIO = re.compile(r"[1-9]\d?:[1-9]\d?")
_RESERVED = (SUBJECTS, "change")
_MAX_TEXT_LENGTH = 80


def check_style(style: Style) -> None:
    """Accept a style or say what is wrong with it.

    Raises:
        ConfigurationError: names the style, its version and the field.
    """
    _check_identity(style)
    names = [variable.name for variable in style.variables]
    if len(set(names)) != len(names):
        _refuse(style, "variables", "two of them have the same name")
    for variable in style.variables:
        _check_variable(style, variable)
    families = [recipe.family for recipe in style.recipes]
    if "*" not in families:
        _refuse(style, "recipes", "none is for the family *")
    if len(set(families)) != len(families):
        _refuse(style, "recipes", "two are for the same family")
    for recipe in style.recipes:
        _check_template(style, recipe)


def _check_identity(style: Style) -> None:
    if not _SLUG.fullmatch(style.slug):
        _refuse(style, "slug", "small letters, digits and _ only, a letter first, 40 at most")
    if style.version < 1:
        _refuse(style, "version", "versions count up from 1")
    if style.credits < 0:
        _refuse(style, "credits", "a price is never negative")
    for field in ("title", "summary"):
        if not getattr(style, field).strip():
            _refuse(style, field, "it is empty")
    ratios = style.aspect_ratios
    if not ratios or len(set(ratios)) != len(ratios) or not all(_ASPECT_RATIO.fullmatch(ratio) for ratio in ratios):
        _refuse(style, "aspect_ratios", "at least one, each once, each as width:height")


def _check_variable(style: Style, variable: Variable) -> None:
    field = f"variables.{variable.name}"
    if not _SLUG.fullmatch(variable.name) or variable.name in _RESERVED:
        _refuse(style, field, "not a free name of small letters, digits and _")
    if variable.kind == "text":
        if variable.choices:
            _refuse(style, f"{field}.choices", "a text has none")
        if not 1 <= variable.max_length <= _MAX_TEXT_LENGTH:
            _refuse(style, f"{field}.max_length", f"it is between 1 and {_MAX_TEXT_LENGTH}")
        try:
            clean_text(variable.default, variable.max_length, NAME_PUNCTUATION)
        except RejectedText as reason:
            _refuse(style, f"{field}.default", f"it {reason}")
        return
    if variable.default not in variable.choices:
        _refuse(style, f"{field}.default", "it is none of the choices")
    for slug, words in variable.choices.items():
        if not _SLUG.fullmatch(slug):
            _refuse(style, f"{field}.choices", f"{slug!r} is not a slug")
        if not words.strip() or _is_foreign(words, '{}"\n'):
            _refuse(
                style, f"{field}.choices.{slug}", "the words are empty or hold a brace, a double quote or a control"
            )


def _check_template(style: Style, recipe: Recipe) -> None:
    field = f"recipes[{recipe.family}].template"
    places = PLACE.findall(recipe.template)
    if _is_foreign(PLACE.sub("", recipe.template), '{}"'):
        # A double quote is where a person's words begin and end, and nothing else.
        _refuse(style, field, "it holds a stray brace, a double quote or a control character")
    known = {SUBJECTS, *(variable.name for variable in style.variables)}
    for place in places:
        if place not in known:
            _refuse(style, field, f"the place {{{place}}} is no variable")
    for name in sorted(known - set(places)):
        _refuse(style, field, f"{{{name}}} is never used")
    for variable in style.variables:
        if variable.kind == "text" and places.count(variable.name) != 1:
            _refuse(style, field, f"the text {{{variable.name}}} stands in more than one place")


def _is_foreign(text: str, unwanted: str) -> bool:
    return any(
        character in unwanted or (character != "\n" and unicodedata.category(character)[0] == "C") for character in text
    )


def _refuse(style: Style, field: str, reason: str) -> NoReturn:
    raise ConfigurationError(f"The style {style.slug!r} version {style.version} is wrong at {field}: {reason}.")

"""The form of a style: a versioned recipe that turns a photo and a few choices into a prompt."""

from __future__ import annotations

from typing import Literal

import msgspec


class Variable(msgspec.Struct, frozen=True):
    """A choice a style leaves to the person.

    Attributes:
        name: lower snake case, unique in the style.
        kind: `choice` (one of `choices`) or `text` (free, short, printable, letters, digits, spaces and `.,'!&-` only).
        choices: for `choice`: public slug → the words that go into the prompt.
        default: the slug or text used when the caller gives none.
        max_length: for `text`: characters.
    """

    name: str
    title: str
    kind: Literal["choice", "text"]
    default: str
    choices: dict[str, str] = {}
    max_length: int = 24


class Recipe(msgspec.Struct, frozen=True):
    """The prompt for one model family.

    Attributes:
        family: a `ModelInfo.family`, or `*` for every other.
        template: the whole prompt with `{variable}` places; `{subjects}` stands for how many subjects there are.
    """

    family: str
    template: str


class Style(msgspec.Struct, frozen=True):
    """A style at one version. Versions never change: an improvement is a new version, and a generation keeps the one it used.

    Attributes:
        slug: stable public name, `chibi`.
        version: counts up from 1.
        title, summary: shown to people.
        aspect_ratios: what the composition allows, preferred first.
        variables: the choices.
        recipes: at least one with family `*`.
        credits: price of one picture, unless the brand sets another.
    """

    slug: str
    version: int
    title: str
    summary: str
    aspect_ratios: tuple[str, ...]
    variables: tuple[Variable, ...]
    recipes: tuple[Recipe, ...]
    credits: int = 1

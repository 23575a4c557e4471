"""From the description of one object to its recipes."""

from __future__ import annotations

import msgspec

from statuette.styles import Recipe
from statuette_classic_styles.fragments import HEAD_COUNT, LIKENESS_ALWAYS, MODESTY, NO_BRANDS, NO_LETTERING, PHYSICAL


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """One style as a toy photographer would brief it. Every field but `likeness` may hold `{variable}` places.

    Attributes:
        thing: what is photographed, after "a photograph of".
        likeness: how a person stays recognisable in this material.
        build: proportions and pose.
        material: substance, surface and colour.
        base: what the figures stand on.
        light, camera: how it is lit and taken.
        setting: what is around it.
        packaging: box, card or case, also when there is none.
        lettering: the one place for a name; none unless given.
    """

    thing: str
    likeness: str
    build: str
    material: str
    base: str
    light: str
    camera: str
    setting: str
    packaging: str
    lettering: str = NO_LETTERING


def recipes(shot: Shot, *, printed_matter: bool = False) -> tuple[Recipe, ...]:
    """The recipe for every model, and one more for the family `gemini` where something printable is in the picture.

    Args:
        printed_matter: a card or box lies in view, which models love to fill with invented print.
    """
    general = Recipe("*", _general(shot))
    return (general, Recipe("gemini", _gemini(shot))) if printed_matter else (general,)


def _general(shot: Shot) -> str:
    return _paragraphs(
        f"Studio photograph of {shot.thing}, made after the subjects of the attached photos.",
        *_body(shot),
        PHYSICAL,
        shot.lettering,
        NO_BRANDS,
    )


def _gemini(shot: Shot) -> str:
    # This family edits the picture it is given unless told to start afresh, and follows a described surface better than a
    # forbidden one.
    return _paragraphs(
        f"Create a new photograph from scratch: {shot.thing}. Use the attached photos only to learn what the subjects"
        " look like; do not retouch, crop or paste them.",
        PHYSICAL,
        *_body(shot),
        "Surfaces of card, box and base are printed with flat colours and simple shapes only: stripes, dots, a frame,"
        " a soft gradient. Where a printed toy would carry words, there is plain colour.",
        shot.lettering,
        NO_BRANDS,
    )


def _body(shot: Shot) -> tuple[str, ...]:
    return (
        f"{shot.likeness} {LIKENESS_ALWAYS}",
        HEAD_COUNT,
        f"Build and pose: {shot.build}",
        MODESTY,
        f"Material: {shot.material}",
        f"Base: {shot.base}",
        f"Setting: {shot.setting}",
        f"Packaging: {shot.packaging}",
        f"Light: {shot.light}",
        f"Camera: {shot.camera}",
    )


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(parts)

"""The twelve styles as the platform will use them: complete prompts, for every family and every choice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from statuette.styles import Style
from statuette_classic_styles import plugin

STYLES = plugin.styles()
SLUGS = [
    "scale_collectible",
    "anime_pvc",
    "chibi",
    "action_card",
    "vinyl_big_head",
    "bobblehead",
    "clay_stop_motion",
    "brick_minifigure",
    "blind_box",
    "resin_kit",
    "bust",
    "diorama",
]

# Names that belong to somebody, as whole words. A model told one of them paints the owner's product.
TRADEMARKS = (
    "lego|duplo|minifig|minifigs|minifigure|minifigures|funko|pop|pops|ghibli|barbie|ken|marvel|disney|pixar|nendoroid|figma|"
    "hot toys|bandai|good smile|kotobukiya|banpresto|hasbro|mattel|playmobil|star wars|harry potter|pokemon|pokémon|"
    "nintendo|gundam|gunpla|popmart|pop mart|labubu|sonny angel|kidrobot|bearbrick|be@rbrick|sideshow|neca|mcfarlane|dc|"
    "hello kitty|sanrio|aardman|wallace|gromit|laika|plasticine|play-doh|sculpey|fimo|g\\.i\\. joe|action man|polaroid|"
    "kodak|canon|nikon|sony|leica|plexiglas|perspex|lucite|styrofoam|velcro|royal doulton|lladro|hummel|warhammer|"
    "citadel|tamiya|vallejo|mickey|batman|superman|spider-man|iron man|bobble dobbles|schleich|sylvanian|calico critters"
)

PINNED = {
    "likeness of the face": r"Likeness: .*(face|features)",
    "hair": r"hair colour",
    "skin tone": r"Skin tone is matched",
    "glasses": r"Glasses, head coverings",
    "distinctive clothing": r"distinctive clothing",
    "head count": r"exactly \{subjects\}, one for each subject",
    "nobody added or dropped": r"Nobody is added, left out",
    "pets": r"An animal stays an animal",
    "things": r"when the subject is a thing",
    "base": r"^Base: .{20}",
    "material": r"^Material: .{20}",
    "light": r"^Light: .{20}",
    "camera": r"^Camera: .*lens",
    "packaging": r"^Packaging: .{10}",
    "no other text": r"^Text: (there is no text except on|none\. No letter, digit or caption)",
    "no brands": r"No logo, emblem, brand",
    "modest clothing": r"modestly and fully dressed",
    "physical toy": r"photograph of a real, physical object",
}


def templates() -> Iterator[tuple[str, str]]:
    for style in STYLES:
        for recipe in style.recipes:
            yield f"{style.slug}-{recipe.family}", recipe.template


def everything_said(style: Style) -> str:
    words = [style.slug.replace("_", " "), style.title, style.summary, *(recipe.template for recipe in style.recipes)]
    for variable in style.variables:
        words += [variable.name, variable.title, variable.default, *variable.choices, *variable.choices.values()]
    return "\n".join(words)


def test_the_twelve_are_on_offer() -> None:
    assert [style.slug for style in STYLES] == SLUGS
    assert all(style.version == 1 for style in STYLES)


@pytest.mark.parametrize("promise", PINNED)
@pytest.mark.parametrize(("name", "template"), list(templates()))
def test_every_prompt_pins(name: str, template: str, promise: str) -> None:
    assert re.search(PINNED[promise], template, re.MULTILINE), f"{name} does not pin the {promise}"


@pytest.mark.parametrize("style", STYLES, ids=SLUGS)
def test_no_style_uses_somebody_elses_name(style: Style) -> None:
    # The slug `brick_minifigure` is fixed by the API; the word is kept out of everything a model or a person reads.
    said = everything_said(style).replace("brick minifigure", "")

    assert re.findall(rf"(?i)\b(?:{TRADEMARKS})\b", said) == []


def test_the_list_of_trademarks_catches_what_it_should() -> None:
    assert re.findall(rf"(?i)\b(?:{TRADEMARKS})\b", "a Lego figure, a POP! figure, popular pens") == ["Lego", "POP"]


@pytest.mark.parametrize("style", STYLES, ids=SLUGS)
def test_every_style_can_be_shaped(style: Style) -> None:
    variables = {variable.name: variable for variable in style.variables}

    assert {"pose", "scene"} <= set(variables)
    assert "as_in_photo" in variables["pose"].choices
    assert all(len(variable.choices) >= 2 for variable in variables.values() if variable.kind == "choice")
    # The lettering place and the name go together.
    assert ("name_text" in variables) == ("{name_text}" in style.recipes[0].template)


@pytest.mark.parametrize("style", STYLES, ids=SLUGS)
def test_every_style_fits_a_square(style: Style) -> None:
    assert "1:1" in style.aspect_ratios or style.slug == "action_card"


@pytest.mark.parametrize("style", STYLES, ids=SLUGS)
def test_every_place_is_a_variable_and_every_variable_has_a_place(style: Style) -> None:
    known = {"subjects", *(variable.name for variable in style.variables)}

    for recipe in style.recipes:
        assert set(re.findall(r"\{(\w+)\}", recipe.template)) == known


def test_no_two_styles_share_a_description() -> None:
    for marker in ("Material", "Base", "Camera", "Light"):
        lines = [re.search(rf"^{marker}: (.*)$", style.recipes[0].template, re.MULTILINE) for style in STYLES]
        assert len({line[1] for line in lines if line}) == len(STYLES)


@pytest.mark.parametrize(("name", "template"), list(templates()))
def test_a_prompt_is_long_enough_to_guide_and_short_enough_to_be_followed(name: str, template: str) -> None:
    assert 2500 < len(template) < 4800, f"{name} has {len(template)} characters"

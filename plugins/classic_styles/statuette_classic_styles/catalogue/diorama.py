"""A small world with you in it."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, name_text, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_TRUE, lettering

_SHOT = Shot(
    thing="a hand-built miniature diorama with painted figures in one-twentieth scale, about 20 cm across",
    likeness=LIKENESS_TRUE,
    build=(
        "natural proportions; the figures are large enough in the picture for faces to be read and are the clear"
        " centre of the scene. Pose: {pose}."
    ),
    material=(
        "figures of painted resin, matt, with fine brushwork; surroundings of plaster, balsa wood, static grass, wire"
        " and card, lightly weathered; water, where there is any, of clear casting resin."
    ),
    base=(
        "a thick round slice of varnished wood with the scene ending cleanly at its edge and a small plate set into"
        " the front."
    ),
    setting=(
        "{scene} Time of day: {time_of_day}. No further person or animal stands in the scene. Beyond the base there is"
        " only a plain, dark table."
    ),
    packaging="{packaging}",
    light=(
        "one small hard lamp as the sun or moon of the little world, bounced fill in the matching colour temperature,"
        " tiny warm lights inside houses or tents where there are any."
    ),
    camera=(
        "50 mm lens looking down at 25 degrees, f/8, narrow plane of sharpness lying over the figures so that the"
        " edges of the scene blur as miniatures do; the whole base in view."
    ),
    lettering=lettering("the small plate in the front of the base"),
)

STYLE = Style(
    slug="diorama",
    version=1,
    title="Diorama",
    summary="You in a hand-built little world on a slice of wood.",
    aspect_ratios=("1:1", "4:3", "3:2", "16:9", "4:5"),
    variables=(
        pose("as_in_photo", "standing", "sitting", "walking", "waving", "dancing"),
        scene(
            cafe="a street cafe with one round table, folding chairs and a striped awning without writing.",
            campsite="a forest clearing with a small tent, a fire ring and pine trees.",
            beach="a sandy beach with a wooden jetty, shells and one small wave.",
            mountain_top="a rocky summit with a cairn and patches of snow.",
            living_room="a corner of a living room with a sofa, a rug, a lamp and a window.",
            city_roof="a roof terrace with plant pots, a string of lights and a low wall.",
            garden="a cottage garden with a bench, roses and a stone path.",
        ),
        choice(
            "time_of_day",
            "Time of day",
            golden_hour="late afternoon with long warm light",
            midday="bright midday",
            blue_hour="dusk, deep blue, with small lamps lit",
            night="clear night with cool moonlight and small lamps lit",
        ),
        packaging(
            none="none; the scene stands free.",
            glass_dome="a clear glass dome covers the scene, with two thin reflections that leave the faces clear.",
            case="a clear five-sided acrylic case covers the scene, its edges catching the light.",
        ),
        name_text("Name on the plate"),
    ),
    recipes=recipes(_SHOT),
)

"""A model-maker's resin kit, from bare casting to finished paint."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, name_text, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_TRUE, lettering

_SHOT = Shot(
    thing="a model-maker's resin kit of a figure in one-sixth scale, about 28 cm tall, built by hand",
    likeness=LIKENESS_TRUE,
    build=(
        "natural proportions with razor-sharp detail: pores of knitwear, seams, laces, single strands at the hair"
        " ends. Pose: {pose}."
    ),
    material="cast polyurethane resin, {finish}; clean keyed joints at neck, wrists and waist are just visible.",
    base="a raw square block of dark walnut with a brass plate at the front, the figure pinned to it with steel rods.",
    setting="{scene}",
    packaging="{packaging}",
    light=(
        "low raking key from the left that makes every groove readable, weak cool fill, a lamp glowing at the edge of"
        " the scene; deep but open shadows."
    ),
    camera=(
        "90 mm macro lens just below the figure's eye level, f/9, face and hands critically sharp; figure and base"
        " fully in view."
    ),
    lettering=lettering("the brass plate on the base"),
)

STYLE = Style(
    slug="resin_kit",
    version=1,
    title="Resin kit",
    summary="A hand-built model of you, in bare resin, primer or full paint.",
    aspect_ratios=("3:4", "4:5", "2:3", "1:1"),
    variables=(
        pose("as_in_photo", "standing", "arms_crossed", "walking", "sitting", "hands_on_hips"),
        choice(
            "finish",
            "Finish",
            painted=(
                "fully hand-painted with glazes, the skin tone built up in thin coats, colours of hair and clothes as"
                " in the photo"
            ),
            half_painted=(
                "the head and hands fully painted in the person's own colours, the clothes still in warm grey primer"
                " with paint begun at one edge"
            ),
            primed="primed evenly in light warm grey, unpainted, skin and hair told apart by texture alone",
            raw=(
                "bare cream-coloured resin with slight translucency at the thin edges, a few cut stubs of the casting"
                " gates left"
            ),
        ),
        scene(
            workbench=(
                "a model-maker's bench with a cutting mat without print, brushes in a jar and drops of paint on a"
                " palette, blurred."
            ),
            turntable="a wooden painter's handle and turntable before a plain dark backdrop.",
            display="a museum-like plinth before a dark grey backdrop.",
        ),
        packaging(
            none="none in view.",
            parts_tray="a shallow tray with spare cast parts lies at one side, out of focus.",
            carton="an open plain brown carton with crumpled packing paper stands behind.",
        ),
        name_text("Name on the plate"),
    ),
    recipes=recipes(_SHOT),
)

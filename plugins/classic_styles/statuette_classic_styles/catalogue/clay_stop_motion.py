"""A puppet on a little set, between two frames of a film."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_SIMPLIFIED

_SHOT = Shot(
    thing="a modelling-clay puppet about 22 cm tall on a miniature stop-motion film set",
    likeness=LIKENESS_SIMPLIFIED,
    build=(
        "rounded, hand-modelled proportions of about four heads, thick wrists and ankles over a wire armature, large"
        " expressive hands with four fingers and a thumb. Expression: {expression}. Pose: {pose}."
    ),
    material=(
        "oil-based modelling clay with fingerprints, tool marks and tiny specks where colours met; hair as rolled"
        " strands pressed on one by one; eyes are glossy beads with painted irises in the person's own colour; clothes"
        " of clay sheets with stitched-looking edges, knits scored with a needle; glasses bent of fine wire."
    ),
    base="the floor of the set, feet tied down from beneath so that no stand is seen.",
    setting="{scene} Everything is hand-made of clay, card, cloth and wood at the puppet's scale.",
    packaging="none in view; a film set has none.",
    light=(
        "small film lamps: a warm key through a diffuser from the side, a cool dim fill, a practical lamp or window in"
        " the set; soft falloff into the background."
    ),
    camera=(
        "40 mm lens at the puppet's eye level, f/5.6, shallow focus as in a film still, puppet sharp from face to"
        " feet; puppet fully in view."
    ),
)

STYLE = Style(
    slug="clay_stop_motion",
    version=1,
    title="Clay film puppet",
    summary="Modelled by hand, fingerprints and all, on its own little film set.",
    aspect_ratios=("4:3", "16:9", "3:2", "1:1", "3:4"),
    variables=(
        pose("as_in_photo", "standing", "waving", "walking", "sitting", "dancing"),
        choice(
            "expression",
            "Expression",
            friendly="a lopsided, friendly smile",
            laughing="a big open laugh",
            curious="raised brows and a curious look",
            as_in_photo="the expression of the photo",
        ),
        scene(
            kitchen="a cosy kitchen with a checked curtain, a kettle and a tiny breakfast.",
            garden="a vegetable patch with oversized carrots, a picket fence and a painted sky.",
            workshop="an inventor's workshop with wooden gears and shelves of unmarked jars.",
            seaside="a beach hut on sand of coloured grit, waves of crumpled foil behind.",
            living_room="a living room with an armchair, a standing lamp and a patterned rug.",
            night_street="a cobbled street at night with one glowing lamp post.",
        ),
    ),
    recipes=recipes(_SHOT),
)

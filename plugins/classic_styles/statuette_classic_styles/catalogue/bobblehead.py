"""The dashboard companion whose head never stops agreeing."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, name_text, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_TRUE, lettering

_SHOT = Shot(
    thing="a hand-painted bobblehead about 18 cm tall, its big head resting on a spring in the neck",
    likeness=LIKENESS_TRUE,
    build=(
        "a caricature-free portrait head, three times too large, on a small body of normal proportions; a hint of the"
        " metal spring shows in the gap between collar and chin. A warm smile. Pose: {pose}. The body wears {outfit}."
    ),
    material=(
        "polyresin with brushed acrylic paint under a clear coat: visible fine brush strokes in hair and brows, glossy"
        " eyes and lips, semi-gloss clothes, slight pooling of paint in deep folds."
    ),
    base="a stepped oval base in dark gloss enamel with a raised plate on its front, shoes sunk in slightly.",
    setting="{scene}",
    packaging="{packaging}",
    light=(
        "warm key from the upper right through a diffuser, soft fill, a small bright catchlight in each eye, a defined"
        " shadow on the ground."
    ),
    camera=(
        "50 mm lens from slightly below, f/8, head and plate sharp, background gently blurred; base and top of the"
        " hair inside the frame."
    ),
    lettering=lettering("the raised plate on the front of the base"),
)

STYLE = Style(
    slug="bobblehead",
    version=1,
    title="Bobblehead",
    summary="Your smiling head on a spring, your name on the base.",
    aspect_ratios=("3:4", "4:5", "1:1", "2:3"),
    variables=(
        pose("hands_on_hips", "standing", "as_in_photo", "arms_crossed", "waving", "thumbs_up"),
        choice(
            "outfit",
            "Outfit",
            from_photo="the clothes of the photo",
            suit="a dark suit with a plain tie or scarf, keeping the person's head covering and glasses",
            sports_kit="a plain sports kit without number or crest, keeping the person's head covering and glasses",
            chef="a white chef's jacket and apron, keeping the person's head covering and glasses",
            lab_coat="a white lab coat over plain clothes, keeping the person's head covering and glasses",
            wedding="formal wedding clothes of the person's own tradition, keeping head covering and glasses",
        ),
        scene(
            dashboard="a car dashboard with a blurred country road behind the windscreen.",
            trophy_shelf="a wooden shelf with two blurred, unmarked trophies.",
            studio="a seamless warm beige backdrop.",
            stadium="a strip of artificial turf, blurred empty stands behind.",
        ),
        packaging(
            none="none in view; the bobblehead stands free.",
            box="its closed box of plain card stands behind it, out of focus.",
            gift="it stands on an open gift box with tissue paper and a ribbon.",
        ),
        name_text("Name on the base"),
    ),
    recipes=recipes(_SHOT, printed_matter=True),
)

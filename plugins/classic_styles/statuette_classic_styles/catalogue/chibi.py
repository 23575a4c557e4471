"""Two and a half heads tall and all charm."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, name_text, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_SIMPLIFIED, lettering

_SHOT = Shot(
    thing="a small chibi figure, about 10 cm tall, with a big round head on a tiny body",
    likeness=LIKENESS_SIMPLIFIED,
    build=(
        "two and a half heads tall, round cheeks, stubby limbs with simple mitten-like hands, eyes large and low in"
        " the face in the person's own colour, mouth small. Expression: {expression}. Pose: {pose}. The clothes of the"
        " photo are shrunk to their clearest shapes, buttons and pockets a little too large."
    ),
    material=(
        "satin PVC with soft edges; hair moulded as one chunky piece with few deep grooves; peach-fuzz matt skin with"
        " round airbrushed blush; eyes printed with two small highlights; a seam hidden under the hairline."
    ),
    base=(
        "a plain round disc in a pale colour that goes with the clothes, a thin clear support arm behind where the"
        " pose needs one."
    ),
    setting="{scene}",
    packaging="{packaging}",
    light=(
        "soft wraparound light from two large diffusers, bright fill from below, faint round reflections; a cheerful,"
        " shadow-poor look."
    ),
    camera=(
        "60 mm macro lens at the figure's eye level, f/8, head and base sharp, background melting away; the figure"
        " fills about two thirds of the height."
    ),
    lettering=lettering("the front edge of the disc"),
)

STYLE = Style(
    slug="chibi",
    version=1,
    title="Chibi",
    summary="A tiny, big-headed, very huggable you.",
    aspect_ratios=("1:1", "4:5", "3:4"),
    variables=(
        pose("waving", "standing", "as_in_photo", "jumping", "sitting", "dancing", "thumbs_up"),
        choice(
            "expression",
            "Expression",
            smile="a broad, closed-mouth smile",
            laugh="laughing with eyes shut into two happy curves",
            wink="a cheeky wink",
            surprised="wide-eyed, delighted surprise",
            as_in_photo="the expression of the photo",
        ),
        scene(
            pastel="a seamless pastel backdrop in one colour that flatters the figure.",
            desk="a bright desk with one succulent in a pot beside it, blurred.",
            picnic="a checked cloth with a few wooden fruit in scale, blurred greenery behind.",
            clouds="cotton-wool clouds around the base before a pale blue backdrop.",
        ),
        packaging(
            none="none in view; the figure stands free.",
            box="a small closed cube of plain pastel card stands beside it.",
            capsule="the two halves of a clear round capsule lie beside it.",
        ),
        name_text("Name on the base"),
    ),
    recipes=recipes(_SHOT),
)

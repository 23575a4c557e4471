"""Built of little plastic blocks, in a design of its own."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_SIMPLIFIED

# The outline of the best-known block figure is itself protected, so the shapes here differ from it part by part.
_SHOT = Shot(
    thing="a small blocky figure, about 8 cm tall, assembled from plastic building blocks in an original design",
    likeness=LIKENESS_SIMPLIFIED,
    build=(
        "the head is a cube with rounded edges; body, arms and legs are stacked rectangular blocks with visible joins;"
        " hands are simple square blocks, feet flat tiles; hair, hat or head covering is a stepped sculpture of small"
        " blocks. Eyes, brows, mouth, glasses and facial hair are printed cleanly on the face in the person's own"
        " colours. Pose: {pose}, as far as square joints allow. {accessory}"
    ),
    material=(
        "hard glossy ABS in solid colours matched to the photo, skin in the person's real tone and never plain yellow;"
        " crisp edges, tiny moulding points, fine scratches from play; patterns of the clothes printed flat on the"
        " blocks; studs are square and unmarked."
    ),
    base="a flat square plate in one colour with a few square studs around the feet.",
    setting="{scene}",
    packaging="{packaging}",
    light=(
        "bright even daylight from a window-like softbox at the left, white fill, small crisp highlights on block"
        " edges, short clear shadow."
    ),
    camera=(
        "macro lens at the figure's eye level, f/11, focus stacked on the whole figure, background softly blurred;"
        " figure and plate fully in view."
    ),
)

STYLE = Style(
    slug="brick_minifigure",
    version=1,
    title="Block figure",
    summary="You, built from little plastic blocks.",
    aspect_ratios=("1:1", "4:3", "3:4", "4:5", "16:9"),
    variables=(
        pose("standing", "waving", "as_in_photo", "walking", "sitting"),
        choice(
            "accessory",
            "Accessory",
            none="The hands are empty unless the photo shows something held.",
            tools="One hand holds a small block-built spanner.",
            flower="One hand holds a small block-built flower.",
            mug="One hand holds a small block-built mug.",
            guitar="A small block-built guitar hangs across the body.",
        ),
        scene(
            plain="a seamless backdrop in one bright colour.",
            town="a block-built street corner with unmarked shops and a tree.",
            space="a block-built grey moon landscape before a dark blue backdrop.",
            garden="a block-built lawn with flowers and a low hedge.",
            playroom="a wooden playroom floor with a few loose blocks, blurred shelves behind.",
        ),
        packaging(
            none="none in view.",
            bag="an open bag of unprinted foil lies behind, loose blocks spilling out.",
            box="a closed box of plain coloured card stands behind, out of focus.",
        ),
    ),
    recipes=recipes(_SHOT, printed_matter=True),
)

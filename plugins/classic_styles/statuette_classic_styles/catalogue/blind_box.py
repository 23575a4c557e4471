"""The one from the series that everybody hopes to find."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, name_text, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_SIMPLIFIED, lettering

_SHOT = Shot(
    thing="a cute collectible mini figure about 9 cm tall from a surprise-box series",
    likeness=LIKENESS_SIMPLIFIED,
    build=(
        "about three heads tall, soft rounded shapes, small hands and feet, big clear eyes in the person's own colour"
        " set wide apart, tiny nose, a calm little smile. Pose: {pose}. Costume: {theme}. Hairstyle, glasses and head"
        " covering of the photo stay visible with every costume."
    ),
    material=(
        "PVC with mixed finishes: silky matt skin with a pearl blush, glossy shoes, flocked or translucent details"
        " where the costume invites them, gradients sprayed softly, edges rounded as if polished."
    ),
    base="a small round base in a milky translucent colour, low and plain.",
    setting="{scene}",
    packaging="{packaging} On the box are only flat colour, a simple frame and one blank label.",
    light=(
        "dreamy soft light: large diffuser from above, pastel coloured fill from one side, gentle glow at the edges,"
        " hardly any shadow."
    ),
    camera=(
        "70 mm macro lens at the figure's eye level, f/7, figure sharp, background creamy; figure and box fully in"
        " view."
    ),
    lettering=lettering("the blank label on the front of the box or, where no box is in view, the front of the base"),
)

STYLE = Style(
    slug="blind_box",
    version=1,
    title="Surprise-box mini",
    summary="A pastel mini figure in costume, next to the box it came in.",
    aspect_ratios=("1:1", "4:5", "3:4"),
    variables=(
        pose("standing", "sitting", "waving", "as_in_photo", "dancing"),
        choice(
            "theme",
            "Costume",
            own_clothes="the clothes of the photo in softened colours",
            bunny="a plush rabbit overall with long ears over everyday clothes",
            astronaut="a rounded white space suit with the helmet under one arm",
            chef="a chef's jacket with a tall soft hat",
            forest="a leaf cape with a mushroom bag over everyday clothes",
            ocean="a raincoat with a wave pattern and rubber boots",
            baker="an apron dusted with flour and a basket of tiny bread",
            winter="a thick knitted jumper, scarf and mittens",
        ),
        scene(
            pastel="a seamless pastel backdrop with one large soft circle of a second colour.",
            blocks="a little stage of plain pastel blocks, arches and steps.",
            shelf="a white shelf with two more closed boxes of the series, blurred.",
            bedside="a bedside table with a small warm lamp, blurred.",
        ),
        packaging(
            box_beside="its closed, upright box of pastel card stands next to the figure.",
            box_opened="its box of pastel card is opened, the figure stepping out between the flaps.",
            none="no box is in view.",
        ),
        name_text("Name on the box"),
    ),
    recipes=recipes(_SHOT, printed_matter=True),
)

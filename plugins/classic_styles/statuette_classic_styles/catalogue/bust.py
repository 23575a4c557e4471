"""Head and shoulders, as museums have them."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, name_text, packaging, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_TRUE, lettering

_SHOT = Shot(
    thing="a sculpted portrait bust, head and shoulders, about 30 cm tall",
    likeness=LIKENESS_TRUE,
    build=(
        "a portrait in the classical manner, ending in a clean curve below the collarbones; natural proportions, calm"
        " dignity. Pose: {pose}. Collar, neckline, scarf and head covering are sculpted as worn; glasses are part of"
        " the sculpture."
    ),
    material=(
        "{material}. Where the material has one colour, skin tone and hair colour are told by texture, depth of"
        " carving and tint, and no feature is idealised."
    ),
    base="a turned socle of the same or a darker material on a square foot with a small cartouche at the front.",
    setting="{scene}",
    packaging="{packaging}",
    light=(
        "museum light: one focused key from high left at 45 degrees shaping brow, nose and cheek, very low fill, a"
        " faint rim on the far side; eyes never lost in shadow."
    ),
    camera=(
        "100 mm lens at the bust's eye level, f/8, face sharp from nose to ears, background dark and soft; bust and"
        " socle fully in view."
    ),
    lettering=lettering("the cartouche on the foot of the socle"),
)

STYLE = Style(
    slug="bust",
    version=1,
    title="Portrait bust",
    summary="Marble, bronze or painted: you, as a museum would show you.",
    aspect_ratios=("4:5", "3:4", "1:1", "2:3"),
    variables=(
        choice(
            "pose",
            "Pose",
            three_quarter="head turned a quarter to the side, eyes into the distance",
            frontal="facing the viewer straight on",
            upward="chin slightly raised, looking up",
            smiling="facing the viewer with an open smile",
            as_in_photo="the turn of the head as in the photo",
        ),
        choice(
            "material",
            "Material",
            marble="white statuary marble with fine grey veins, polished skin against roughly chiselled hair",
            bronze=(
                "cast bronze with a warm brown patina, worn bright at nose, brows and shoulders, green in the deepest"
                " folds"
            ),
            terracotta="fired terracotta with modelling marks and a slightly dusty surface",
            painted="plaster painted in natural colours matched to the photo, matt, with age-softened edges",
            plaster="plain white studio plaster with faint casting seams",
        ),
        scene(
            gallery="a quiet gallery with a dark green wall, far out of focus.",
            library="a library with blurred rows of unmarked books in warm lamplight.",
            studio="a seamless charcoal backdrop.",
            garden="a clipped hedge and pale gravel in soft morning light, far out of focus.",
        ),
        packaging(
            none="none in view.",
            crate="an open wooden crate with wood wool stands behind, out of focus and unmarked.",
            glass_cover="the bust stands under a clear glass cover with two thin reflections.",
        ),
        name_text("Name on the socle"),
    ),
    recipes=recipes(_SHOT),
)

"""A realistic hand-painted collectible, the kind that stands behind glass."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import name_text, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_TRUE, lettering

_SHOT = Shot(
    thing="a finely sculpted, hand-painted collectible statue in one-seventh scale, about 25 cm tall",
    likeness=LIKENESS_TRUE,
    build="natural human proportions, crisp anatomy, real weight in the stance. Pose: {pose}.",
    material=(
        "cast in dense PVC and ABS, painted in thin layers: matt skin with soft airbrushed blush, satin hair sculpted"
        " in strands with a darker wash between them, clear gloss on the eyes, fabric folds sculpted and dry-brushed,"
        " faint parting lines at the sides. Leather, denim and knit are told apart by their texture."
    ),
    base=(
        "a round satin-black disc, 1 cm thick, with a narrow bevel and a small plate at its front edge; feet pegged in"
        " firmly."
    ),
    setting="{scene}",
    packaging="{packaging}",
    light=(
        "large softbox high on the left as key, white card filling on the right at half its strength, narrow strip"
        " light behind drawing a thin rim along hair and shoulder; soft contact shadow under the base."
    ),
    camera=(
        "85 mm lens at the figure's chest height, f/11, focus stacked so that face, hands and base are sharp while the"
        " background falls off; the whole statue and base in the frame with some air around it."
    ),
    lettering=lettering("the small plate at the front of the base"),
)

STYLE = Style(
    slug="scale_collectible",
    version=1,
    title="Scale collectible",
    summary="A realistic, hand-painted statue of you on a black display base.",
    aspect_ratios=("3:4", "4:5", "2:3", "1:1", "9:16"),
    variables=(
        pose("as_in_photo", "standing", "arms_crossed", "hands_on_hips", "walking", "sitting"),
        scene(
            studio_grey="a seamless mid-grey paper backdrop that darkens gently towards the corners.",
            studio_white="a seamless, evenly lit white backdrop with a faint reflection under the base.",
            shelf="a glass display shelf with a dark wooden back wall and one small spotlight, otherwise empty.",
            desk="a tidy oak desk by a window, a blurred plant and a closed notebook far behind.",
        ),
        packaging(
            none="none in view; the statue stands free.",
            window_box="its closed window box of plain matt card stands upright behind it, a little out of focus.",
            foam_tray="the two-part foam tray it came in lies open and empty at one side, out of focus.",
        ),
        name_text("Name on the plate"),
    ),
    recipes=recipes(_SHOT, printed_matter=True),
)

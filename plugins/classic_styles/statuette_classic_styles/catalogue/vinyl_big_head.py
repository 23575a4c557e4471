"""Designer vinyl with an outsize, softly rounded head."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, name_text, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_SIMPLIFIED, lettering

_SHOT = Shot(
    thing="a designer vinyl figure about 12 cm tall with an oversized egg-shaped head",
    likeness=LIKENESS_SIMPLIFIED,
    build=(
        "the head takes up almost half of the height: smooth, egg-shaped, wider at the cheeks. Round eyes with"
        " coloured irises in the person's own colour, small sculpted nose, a simple mouth with the person's own smile,"
        " proper ears. Short tapered body, small feet. Pose: {pose}."
    ),
    material=(
        "rotocast vinyl, {finish}, hollow and light; hair as one bold sculpted shape with its real outline; flat,"
        " sharply masked paint fields for clothes and shoes; a hairline seam around the neck where the head turns."
    ),
    base="none beyond its own broad, flat feet, and a low plain plinth of the same vinyl under them.",
    setting="{scene}",
    packaging="{packaging}",
    light=(
        "one very large overhead softbox and a white sweep; one long soft highlight over the head, a clear edge on the"
        " cheek, no harsh shadow."
    ),
    camera=(
        "80 mm lens, slightly above the figure's eye level, f/9, everything sharp; figure centred with generous space"
        " around it."
    ),
    lettering=lettering("the front of the low plinth"),
)

STYLE = Style(
    slug="vinyl_big_head",
    version=1,
    title="Big-head vinyl",
    summary="A smooth vinyl art toy with an outsize head.",
    aspect_ratios=("1:1", "4:5", "3:4"),
    variables=(
        pose("standing", "as_in_photo", "waving", "arms_crossed", "thumbs_up", "sitting"),
        choice(
            "finish",
            "Finish",
            matt="with a velvety matt finish in full colour",
            gloss="with a high-gloss finish in full colour",
            two_tone="in full colour on the skin and hair, with everything else in two matching tones",
        ),
        scene(
            colour_block="two flat areas of colour meeting behind the figure, chosen from its clothes.",
            studio_white="a seamless white sweep.",
            shelf="an empty white gallery shelf before a pale wall.",
            city_window="a wooden window sill, a blurred evening city far behind.",
        ),
        packaging(
            none="none in view; the figure stands free.",
            box="its closed box of plain coloured card, without a window, stands behind it to one side.",
            drawstring_bag="an unprinted cotton drawstring bag lies folded beside it.",
        ),
        name_text("Name on the plinth"),
    ),
    recipes=recipes(_SHOT, printed_matter=True),
)

"""The figure an animated heroine or hero would get."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import name_text, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_SIMPLIFIED, lettering

_SHOT = Shot(
    thing="a painted PVC figure in the manner of Japanese animation, in one-eighth scale, about 21 cm tall",
    likeness=LIKENESS_SIMPLIFIED,
    build=(
        "slender animation proportions, about seven heads tall, slightly enlarged head, large glossy printed irises in"
        " the person's own eye colour, small nose, fine mouth; an elderly face keeps its lines, a broad body its"
        " breadth. Pose: {pose}."
    ),
    material=(
        "smooth injection-moulded PVC. Hair in bold sculpted locks with pointed tips, translucent at the ends and"
        " shaded from root to tip in the person's own colour; matt skin with pearly blush on cheeks, knees and"
        " knuckles; clothes in clean cel-like colours with sharp airbrushed shadows in the folds; metal parts in"
        " silver or gold paint."
    ),
    base=(
        "a clear round acrylic disc with a low, softly coloured effect part swirling up beside the feet, joined by a"
        " metal peg."
    ),
    setting="{scene}",
    packaging="{packaging}",
    light=(
        "bright, airy light: big diffused key from the front left, strong white fill, cool rim light from behind"
        " right; highlights roll off smoothly on the hair."
    ),
    camera=(
        "70 mm lens slightly below eye level of the figure, f/8, figure sharp from tip to toe, background dissolved;"
        " entire figure, hair tips and base inside the frame."
    ),
    lettering=lettering("the front rim of the clear base"),
)

STYLE = Style(
    slug="anime_pvc",
    version=1,
    title="Anime figure",
    summary="Big eyes, flowing hair, glossy PVC on a clear stand.",
    aspect_ratios=("3:4", "2:3", "4:5", "9:16", "1:1"),
    variables=(
        pose("standing", "as_in_photo", "walking", "jumping", "waving", "dancing", "sitting"),
        scene(
            pastel="a seamless backdrop blending from pale pink to pale blue.",
            studio_white="a seamless white backdrop with a soft reflection.",
            sunset="a curved backdrop painted as an evening sky, orange below and violet above, out of focus.",
            desk="a light desk with a keyboard without printed keys and a small lamp, far out of focus.",
        ),
        packaging(
            none="none in view; the figure stands free.",
            window_box="its closed window box in pastel card stands at an angle behind it, out of focus.",
            blister="the two halves of its clear blister lie beside it, catching the light.",
        ),
        name_text("Name on the base"),
    ),
    recipes=recipes(_SHOT, printed_matter=True),
)

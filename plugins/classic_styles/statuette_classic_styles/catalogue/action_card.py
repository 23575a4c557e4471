"""An action figure sealed on its card, with everything it needs for the day."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.choices import choice, name_text, packaging, pose, scene
from statuette_classic_styles.compose import Shot, recipes
from statuette_classic_styles.fragments import LIKENESS_TRUE, lettering

_SHOT = Shot(
    thing=(
        "a carded action figure about 15 cm tall, the toy-shop classic of a figure with accessories on a backing card"
    ),
    likeness=LIKENESS_TRUE,
    build=(
        "sturdy, slightly heroic toy proportions with visible ball joints at shoulders, elbows, hips and knees and"
        " moulded hands that could grip. Pose: {pose}. Beside each figure, in hollows of their own, three accessories"
        " in scale: {accessories}."
    ),
    material=(
        "hard injection-moulded plastic with semi-gloss paint, crisp paint edges, sculpted clothes, hair moulded in"
        " one piece, tiny mould marks at the joints; the clear blister is vacuum-formed with bright edge highlights"
        " and a slight bulge."
    ),
    base="the figure is held by the shape of the blister; under the feet a shallow ledge of the same clear plastic.",
    setting="{scene}",
    packaging=(
        "{packaging} The card is stiff, with rounded corners and a punched hanger hole, printed as {card_design}, with"
        " one empty title band across its top."
    ),
    light=(
        "two softboxes at 45 degrees, flagged so that the blister shows only two long thin reflections and the face"
        " stays clear; gentle fill from the front."
    ),
    camera=(
        "straight on and level, 70 mm lens, f/11, card parallel to the frame, edges upright, everything sharp; the"
        " whole card in view with a narrow margin."
    ),
    lettering=lettering("the title band across the top of the card"),
)

STYLE = Style(
    slug="action_card",
    version=1,
    title="Action figure on card",
    summary="You in a blister on a bold card, accessories included.",
    aspect_ratios=("3:4", "2:3", "4:5", "9:16"),
    variables=(
        pose("standing", "as_in_photo", "arms_crossed", "hands_on_hips", "walking", "thumbs_up"),
        choice(
            "accessories",
            "Accessories",
            from_photo="things the subject carries, wears or has at hand in the photo",
            office="a laptop with a blank lid, a coffee cup, a pair of headphones",
            kitchen="a frying pan, a whisk, a folded apron",
            garden="a watering can, a trowel, a potted plant",
            sport="a water bottle, a rolled towel, a ball",
            travel="a rucksack, a folding map without print, a camera",
            music="a guitar, a small amplifier, a pair of headphones",
            pet_care="a lead, a food bowl, a squeaky toy",
        ),
        choice(
            "card_design",
            "Card",
            sunburst="a burst of rays in warm colours",
            halftone="a fade of round dots from dark to light blue",
            stripes="broad diagonal stripes in two matching colours",
            mountains="flat layered mountains under a plain sky",
            plain="one deep, even colour",
        ),
        scene(
            studio="the card stands before a seamless light grey backdrop with a soft shadow.",
            peg_wall="the card hangs on a single metal hook on an otherwise empty perforated wall.",
            wooden_table="the card lies flat on a pale wooden table, seen from right above.",
        ),
        packaging(
            sealed="figure and accessories sit sealed under the clear blister on the card.",
            opened=(
                "the blister has been opened: the figure stands in front of its card, the accessories laid out beside"
                " it."
            ),
        ),
        name_text("Name on the card"),
    ),
    recipes=recipes(_SHOT, printed_matter=True),
)

"""What holds for every style, said once."""

from __future__ import annotations

# Likeness lives in the few traits that friends go by; each style keeps them in the language of its own material.
LIKENESS_TRUE = (
    "Likeness: the face is recognisably that of the person in the photo. Keep the shape of face, jaw, nose, lips, brows"
    " and ears, eye colour and spacing, hairline, hairstyle and hair colour, facial hair, wrinkles, freckles, scars and"
    " apparent age."
)
LIKENESS_SIMPLIFIED = (
    "Likeness: features are simplified, yet friends would know at once who it is. Carry over what makes the person"
    " unmistakable: shape of face, hairline, hairstyle and hair colour, brows, eye colour, facial hair, freckles,"
    " dimples, the smile, apparent age."
)
LIKENESS_ALWAYS = (
    "Skin tone is matched to the photo, neither lightened nor darkened. Glasses, head coverings, hearing aids, braces,"
    " prostheses, wheelchairs and jewellery stay exactly as worn. Body build is neither slimmed nor exaggerated beyond"
    " the proportions of the style. Keep the distinctive clothing: garments, cut, layers, colours and patterns."
)

HEAD_COUNT = (
    "Number of figures: exactly {subjects}, one for each subject shown in the photos. Nobody is added, left out,"
    " doubled or merged into another, and no onlooker from the background gets in. An animal stays an animal of the"
    " same species, breed, coat and markings and counts as a figure; when the subject is a thing, the figure is of"
    " that thing. What a subject visibly holds or carries is kept. People who belong together keep their relative"
    " heights and places."
)

MODESTY = (
    "Everybody is modestly and fully dressed; where the photo shows little clothing, plain everyday clothes take its"
    " place. A child is shown as a child, fully dressed, in a playful and innocent way."
)

PHYSICAL = (
    "This is a photograph of a real, physical object that could be picked up, taken with a camera: true thickness,"
    " contact shadows, tiny marks of making, dust-free but not flawless. It is neither a drawing nor a computer"
    " rendering nor a living person, and nothing of the original photo's background is left."
)

NO_BRANDS = (
    "No logo, emblem, brand, mascot, character from fiction, maker's mark, watermark, signature, barcode or price tag"
    " anywhere. Prints on clothing that show such things become plain areas in the same colours."
)


def lettering(where: str) -> str:
    """The one place where a name may stand. An empty name leaves it blank."""
    return (
        f"Text: there is no text except on {where}, which reads {{name_text}} in clean, evenly spaced letters, spelled"
        " exactly as between the quotes. If there is nothing between the quotes, that place stays blank. No other letter,"
        " digit or caption is visible anywhere."
    )


NO_LETTERING = "Text: none. No letter, digit or caption is visible anywhere in the picture."

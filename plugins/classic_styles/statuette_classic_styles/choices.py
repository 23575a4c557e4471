"""Choices that several styles share."""

from __future__ import annotations

from statuette.styles import Variable

_POSES = {
    "as_in_photo": "the pose of the photo, completed naturally where the photo is cropped",
    "standing": "standing upright and relaxed, weight on one leg, arms loose, looking at the viewer",
    "arms_crossed": "standing with arms crossed and a confident, friendly look",
    "hands_on_hips": "standing tall with both hands on the hips",
    "waving": "waving with one raised hand and smiling",
    "walking": "caught in mid-stride, clothes following the movement",
    "jumping": "jumping for joy, held up by a thin clear rod behind the back",
    "sitting": "sitting at ease on the base, knees bent, hands resting",
    "dancing": "dancing, one foot lifted, arms in a lively open gesture",
    "thumbs_up": "giving a thumbs-up with one hand, the other hanging loose",
}


def pose(*slugs: str) -> Variable:
    """The named poses; the first is the default."""
    return Variable("pose", "Pose", "choice", slugs[0], {slug: _POSES[slug] for slug in slugs})


def scene(**words: str) -> Variable:
    """Surroundings; the first is the default."""
    return Variable("scene", "Scene", "choice", next(iter(words)), words)


def packaging(**words: str) -> Variable:
    """Box, card or case; the first is the default."""
    return Variable("packaging", "Packaging", "choice", next(iter(words)), words)


def choice(name: str, title: str, **words: str) -> Variable:
    """A choice of one style's own; the first is the default."""
    return Variable(name, title, "choice", next(iter(words)), words)


def name_text(title: str = "Name") -> Variable:
    """A name to be lettered on the object; blank unless given."""
    return Variable("name_text", title, "text", "", max_length=24)

"""The looks, as data: what each style is made of, stands on, and stands before."""

from __future__ import annotations

from typing import Literal, NamedTuple

from statuette_sketch.layers import RGB, hexed
from statuette_sketch.shading import Material

Build = Literal["bust", "toy", "brick"]
Support = Literal["disc", "pedestal", "plate", "ground", "none"]
Setting = Literal["studio", "bokeh", "table", "sky", "workshop"]
Package = Literal["none", "card", "box", "sprue"]


class Backdrop(NamedTuple):
    """Wall and floor: `top` to `low` on the wall, `floor` below the horizon, `glow` behind the figure."""

    top: RGB
    low: RGB
    floor: RGB
    glow: RGB
    setting: Setting = "studio"
    gloss: float = 0.2


class Base(NamedTuple):
    """What the figure stands on. `thickness` is a share of its half-width; `plate` the colour of a name plate."""

    support: Support
    colour: RGB = (0.1, 0.1, 0.11)
    thickness: float = 0.2
    gloss: float = 0.6
    plate: RGB | None = None
    texture: Literal["none", "wood", "marble", "clear"] = "none"


class Proportions(NamedTuple):
    """A toy's body, as shares of its height without the head, and the head's height as a share of the whole figure."""

    head: float = 0.5
    torso: float = 0.5
    shoulders: float = 0.3
    hips: float = 0.24
    limb: float = 0.085
    spring: bool = False


class Look(NamedTuple):
    """One style. `smooth` is how strongly the photo is simplified, 0…1; `eyes` how much they are enlarged."""

    build: Build
    material: Material
    base: Base
    backdrop: Backdrop
    proportions: Proportions = Proportions()
    package: Package = "none"
    smooth: float = 0.5
    eyes: float = 0.0
    levels: int = 0
    outline: bool = False
    hue_swing: float = 0.0


_VINYL = Material(gloss=0.42, sheen=0.2, shininess=26, rim=0.55, saturation=1.12)

GENERIC = Look(
    build="bust",
    material=Material(gloss=0.35, sheen=0.2, rim=0.4),
    base=Base("disc", hexed("#24262b"), 0.22, plate=hexed("#c9ccd2")),
    backdrop=Backdrop(hexed("#8d9aab"), hexed("#dfe4ea"), hexed("#c9d0d8"), hexed("#ffffff")),
    hue_swing=0.25,
)

LOOKS: dict[str, Look] = {
    "scale_collectible": Look(
        build="bust",
        material=Material(gloss=0.38, sheen=0.34, shininess=34, rim=0.75, shadow=(0.2, 0.2, 0.34), contrast=0.72),
        base=Base("disc", hexed("#121316"), 0.24, gloss=1.0, plate=hexed("#caa45a")),
        backdrop=Backdrop(hexed("#0e1116"), hexed("#2c3440"), hexed("#14171c"), hexed("#6f8299"), gloss=0.55),
        smooth=0.35,
        hue_swing=0.1,
    ),
    "anime_pvc": Look(
        build="toy",
        material=Material(
            gloss=0.22, sheen=0.12, rim=0.5, saturation=1.3, bands=3, shadow=(0.55, 0.35, 0.6), contrast=0.4
        ),
        base=Base("disc", hexed("#bfe3f5"), 0.1, gloss=1.0, texture="clear"),
        backdrop=Backdrop(hexed("#6fb4ea"), hexed("#f4bfdb"), hexed("#efcfe0"), hexed("#fff0f8"), "bokeh", 0.35),
        proportions=Proportions(head=0.36, torso=0.42, shoulders=0.2, hips=0.15, limb=0.052),
        smooth=0.8,
        eyes=0.32,
        outline=True,
        hue_swing=0.3,
    ),
    "chibi": Look(
        build="toy",
        material=_VINYL._replace(gloss=0.32, saturation=1.15, contrast=0.42, shadow=(0.5, 0.3, 0.4)),
        base=Base("disc", hexed("#ff9fb6"), 0.17, gloss=0.7),
        backdrop=Backdrop(hexed("#f79fb4"), hexed("#ffd3c6"), hexed("#f8bfb4"), hexed("#fff1e4"), "bokeh", 0.25),
        proportions=Proportions(head=0.55, torso=0.56, shoulders=0.27, hips=0.27, limb=0.11),
        smooth=0.75,
        eyes=0.4,
        hue_swing=1.0,
    ),
    "action_card": Look(
        build="toy",
        material=_VINYL._replace(gloss=0.3, contrast=0.6),
        base=Base("none"),
        backdrop=Backdrop(hexed("#37506e"), hexed("#7f9cb8"), hexed("#6c8aa7"), hexed("#c9dff0")),
        proportions=Proportions(head=0.27, torso=0.43, shoulders=0.2, hips=0.145, limb=0.055),
        package="card",
        smooth=0.5,
        hue_swing=1.0,
    ),
    "vinyl_big_head": Look(
        build="toy",
        material=_VINYL._replace(gloss=0.6),
        base=Base("disc", hexed("#f4f2ee"), 0.14, gloss=0.6),
        backdrop=Backdrop(hexed("#f1b32b"), hexed("#ffd765"), hexed("#f6bd3a"), hexed("#fff0b4"), gloss=0.4),
        proportions=Proportions(head=0.62, torso=0.55, shoulders=0.27, hips=0.25, limb=0.115),
        smooth=0.7,
        eyes=0.15,
        hue_swing=1.0,
    ),
    "bobblehead": Look(
        build="toy",
        material=_VINYL._replace(gloss=0.5),
        base=Base("disc", hexed("#7a4a26"), 0.26, gloss=0.5, plate=hexed("#d8b25c"), texture="wood"),
        backdrop=Backdrop(hexed("#1f6f68"), hexed("#5bb8a6"), hexed("#2f8579"), hexed("#d4f4e6")),
        proportions=Proportions(head=0.46, torso=0.47, shoulders=0.23, hips=0.18, limb=0.075, spring=True),
        smooth=0.5,
        hue_swing=0.4,
    ),
    "clay_stop_motion": Look(
        build="toy",
        material=Material(
            gloss=0.0,
            sheen=0.1,
            shininess=8,
            rim=0.12,
            saturation=1.15,
            contrast=0.62,
            shadow=(0.4, 0.22, 0.14),
            grain=2.6,
            texture="clay",
        ),
        base=Base("ground", hexed("#8aa653"), 0.2, gloss=0.0),
        backdrop=Backdrop(hexed("#6d8fa3"), hexed("#d9b58a"), hexed("#a86f42"), hexed("#ffe2b0"), "table", 0.0),
        proportions=Proportions(head=0.46, torso=0.5, shoulders=0.25, hips=0.22, limb=0.095),
        smooth=1.0,
        eyes=0.2,
        levels=7,
        hue_swing=0.15,
    ),
    "brick_minifigure": Look(
        build="brick",
        material=_VINYL._replace(gloss=0.5, sheen=0.15, saturation=1.2),
        base=Base("plate", hexed("#3a9b46"), 0.13, gloss=0.6),
        backdrop=Backdrop(hexed("#3f8fe0"), hexed("#a9d4fb"), hexed("#7fbcf3"), hexed("#e9f6ff"), gloss=0.3),
        proportions=Proportions(head=0.4, torso=0.5, shoulders=0.3, hips=0.3, limb=0.1),
        smooth=0.8,
        levels=9,
        hue_swing=0.4,
    ),
    "blind_box": Look(
        build="toy",
        material=_VINYL._replace(gloss=0.4, contrast=0.4, shadow=(0.5, 0.4, 0.6)),
        base=Base("none"),
        backdrop=Backdrop(hexed("#b9a7f0"), hexed("#e6dcff"), hexed("#d5c8fa"), hexed("#ffffff"), gloss=0.35),
        proportions=Proportions(head=0.57, torso=0.58, shoulders=0.25, hips=0.27, limb=0.115),
        package="box",
        smooth=0.8,
        eyes=0.45,
        hue_swing=1.0,
    ),
    "resin_kit": Look(
        build="bust",
        material=Material(
            gloss=0.0,
            sheen=0.16,
            shininess=10,
            rim=0.3,
            contrast=0.75,
            shadow=(0.3, 0.3, 0.33),
            tint=hexed("#cfc5b2"),
            tint_share=1.0,
            saturation=0.0,
            grain=0.25,
            texture="cast",
        ),
        base=Base("disc", hexed("#b8b0a0"), 0.14, gloss=0.05),
        backdrop=Backdrop(hexed("#46514a"), hexed("#6d7d70"), hexed("#3f5a4b"), hexed("#b4c4b4"), "workshop", 0.05),
        package="sprue",
        smooth=0.55,
        hue_swing=0.1,
    ),
    "bust": Look(
        build="bust",
        material=Material(
            gloss=0.1,
            sheen=0.3,
            shininess=18,
            rim=0.4,
            contrast=0.7,
            shadow=(0.3, 0.28, 0.32),
            tint=hexed("#f3efe8"),
            tint_share=1.0,
            saturation=0.0,
            grain=0.22,
            texture="stone",
        ),
        base=Base("pedestal", hexed("#d9d2c6"), 0.9, gloss=0.35, plate=hexed("#b08d4c"), texture="marble"),
        backdrop=Backdrop(hexed("#3d2b2c"), hexed("#7b4b43"), hexed("#4a3130"), hexed("#d9a184")),
        smooth=0.55,
        hue_swing=0.25,
    ),
    "diorama": Look(
        build="toy",
        material=_VINYL._replace(gloss=0.22, sheen=0.14, contrast=0.5),
        base=Base("ground", hexed("#6fae4a"), 0.3, gloss=0.0),
        backdrop=Backdrop(hexed("#6cb7ec"), hexed("#d8effa"), hexed("#c6d9b4"), hexed("#fffbe6"), "sky", 0.0),
        proportions=Proportions(head=0.36, torso=0.46, shoulders=0.21, hips=0.17, limb=0.065),
        smooth=0.55,
        eyes=0.1,
        hue_swing=0.1,
    ),
}

BRONZE = Material(
    gloss=0.2,
    sheen=0.6,
    shininess=16,
    rim=0.55,
    contrast=0.85,
    shadow=(0.16, 0.12, 0.1),
    metal=0.9,
    tint=hexed("#a9703a"),
    tint_share=1.0,
    saturation=0.0,
)


def look_for(slug: str, variables: dict[str, str]) -> Look:
    """The look of a style; a brand's own styles get the generic one. A bust may be asked for in bronze."""
    look = LOOKS.get(slug, GENERIC)
    if slug == "bust" and "bronze" in " ".join(variables.values()).lower():
        return look._replace(material=BRONZE, base=look.base._replace(colour=hexed("#2b2522"), texture="none"))
    return look

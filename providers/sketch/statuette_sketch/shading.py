"""Light on a surface: colours and a height field in, a lit picture out.

Heights are in pixels, so slopes, and with them the look, do not depend on the size of the picture.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from statuette_sketch.layers import RGB, blurred, luminance, smoothstep
from statuette_sketch.photo import Picture, Plane


class Material(NamedTuple):
    """What a figure is made of.

    Attributes:
        gloss: strength of the sharp reflection of the softbox.
        sheen: strength of the broad highlight.
        shininess: how tight the broad highlight is.
        rim: strength of the light from behind along the outline.
        shadow: colour that unlit sides tend to; plastic glows warm, stone goes cold.
        contrast: how dark unlit sides get, 0…1.
        metal: 1 when highlights take the colour of the surface.
        tint: paint over everything with this colour, or None to keep the colours of the photo.
        tint_share: how much of the photo's colour the paint hides.
        saturation: of what colour remains.
        bands: steps of light for cel shading, 0 for smooth light.
        grain: height of the surface's own texture in pixels, and `texture` which one (`clay`, `stone`, `cast`).
    """

    gloss: float = 0.5
    sheen: float = 0.25
    shininess: float = 30.0
    rim: float = 0.35
    shadow: RGB = (0.32, 0.2, 0.24)
    contrast: float = 0.55
    metal: float = 0.0
    tint: RGB | None = None
    tint_share: float = 0.0
    saturation: float = 1.15
    bands: int = 0
    grain: float = 0.0
    texture: str = "none"


class Light(NamedTuple):
    """Where the key light stands. `side` −1 is left, 1 is right."""

    side: float = -1.0
    height: float = 0.75
    warmth: RGB = (1.0, 0.985, 0.96)
    fill: RGB = (0.9, 0.95, 1.0)


def inflated(alpha: Plane, radius_px: float) -> Plane:
    """A pillow over the shape: heights rise from its edge as on a quarter circle of `radius_px`."""
    inside = np.asarray(alpha > 0.5, np.uint8)
    solid = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    distance = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    t = np.clip(distance / radius_px, 0, 1)
    height = radius_px * np.sqrt(np.maximum(1 - (1 - t) ** 2, 0))
    return blurred(np.asarray(height, np.float32), radius_px * 0.10)


def embossed(rgb: Picture, fine_px: float, coarse_px: float) -> Plane:
    """Bumps out of the picture itself: what is brighter than its surroundings stands out, −1…1 or so."""
    light = luminance(rgb)
    return np.asarray(blurred(light, fine_px) - blurred(light, coarse_px), np.float32)


def painted(rgb: Picture, material: Material) -> Picture:
    """The colours under the light: saturation, then the material's own paint over them."""
    grey = luminance(rgb)[..., None]
    coloured: Picture = grey + (rgb - grey) * np.float32(material.saturation)
    if material.tint is not None:
        # Paint keeps a part of the picture's light and dark, or faces would lose their eyes.
        value = 0.7 + 0.3 * np.clip(grey, 0, 1) ** 0.8
        paint = value * np.asarray(material.tint, np.float32)
        coloured = coloured + (paint - coloured) * np.float32(material.tint_share)
    # Nothing that is made of plastic is as black as a photo's shadows.
    return np.asarray(np.clip(0.04 + 0.93 * coloured, 0, 1), np.float32)


def lit(rgb: Picture, height: Plane, material: Material, light: Light, form: Plane | None = None) -> Picture:
    """Shade a surface. Highlights follow `form`, a calmer height field, where one is given: wrinkles must not glitter."""
    if material.grain > 0:
        height = height + material.grain * surface_texture(height.shape[1], height.shape[0], material.texture)
    nx, ny, nz = _normals(height)

    key = np.asarray((0.62 * light.side, -light.height, 0.78), np.float32)
    key /= np.linalg.norm(key)
    facing = nx * key[0] + ny * key[1] + nz * key[2]
    diffuse = np.clip(0.5 + 0.5 * facing, 0, 1) ** 1.35
    if material.bands:
        steps = diffuse * material.bands
        edge = smoothstep(0.42, 0.58, np.asarray(steps - np.floor(steps), np.float32))
        diffuse = (np.floor(steps) + edge) / material.bands
    from_behind = np.clip(-nx * light.side, 0, 1) * 0.25 + np.clip(-ny, 0, 1) * 0.08

    base = painted(rgb, material)
    dark = base * (1 - material.contrast) * (0.72 + 0.55 * np.asarray(material.shadow, np.float32))
    shaded = dark + (base * np.asarray(light.warmth, np.float32) * 1.1 - dark) * diffuse[..., None]
    shaded += base * from_behind[..., None] * np.asarray(light.fill, np.float32)

    if form is not None:
        nx, ny, nz = _normals(form)
    # The viewer looks along −z, so the mirror direction is 2·nz·n − (0, 0, 1).
    mirror_x, mirror_y, mirror_z = 2 * nz * nx, 2 * nz * ny, 2 * nz * nz - 1
    towards = mirror_x * key[0] + mirror_y * key[1] + mirror_z * key[2]
    broad = np.clip(towards, 0, 1) ** material.shininess
    window = (
        smoothstep(0.26, 0.16, np.abs(mirror_x - 0.60 * light.side))
        * smoothstep(0.30, 0.20, np.abs(mirror_y + 0.60))
        * np.asarray(mirror_z > 0, np.float32)
    )
    edge_light = np.clip(1 - nz, 0, 1) ** 2.2 * (0.35 + 0.65 * smoothstep(-0.2, 0.6, -nx * light.side + 0.35 * -ny))
    shine = material.sheen * broad + material.gloss * window
    colour = 1 - material.metal * (1 - np.clip(base * 1.5 + 0.1, 0, 1)) if material.metal else np.ones_like(base)
    shaded += (
        shine[..., None] * colour * 0.85
        + material.rim * edge_light[..., None] * np.asarray(light.fill, np.float32) * 0.8
    )
    return _exposed(shaded)


def _normals(height: Plane) -> tuple[Plane, Plane, Plane]:
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    inverse = 1 / np.sqrt(slope_x**2 + slope_y**2 + 1)
    return -slope_x * inverse, -slope_y * inverse, inverse


def _exposed(light: Picture) -> Picture:
    """Highlights roll off above three quarters instead of clipping to white."""
    over = np.maximum(light - 0.75, 0)
    return np.asarray(np.clip(np.minimum(light, 0.75) + 0.25 * (1 - np.exp(-over / 0.25)), 0, 1), np.float32)


def surface_texture(width: int, height: int, kind: str) -> Plane:
    """The material's own unevenness, about −1…1, the same every time."""
    random = np.random.default_rng(7)
    if kind == "clay":
        # Thumb prints: whorls of ridges in a few places, on soft dents.
        dents = _noise(random, width, height, 34) * 2.4 + _noise(random, width, height, 12) * 0.8
        warp = _noise(random, width, height, 60)
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        ridges = np.zeros((height, width), np.float32)
        for _ in range(max(3, width * height // 26000)):
            cx, cy = random.uniform(0, width), random.uniform(0, height)
            radius = np.hypot((x - cx) * 1.25, y - cy) + warp * 9
            ridges = np.maximum(ridges, (0.5 + 0.5 * np.sin(radius * 1.15)) * smoothstep(34, 14, radius))
        return np.asarray(dents + ridges * 0.55, np.float32)
    if kind == "stone":
        return np.asarray(_noise(random, width, height, 2.2) * 0.7 + _noise(random, width, height, 7) * 0.8, np.float32)
    return np.asarray(_noise(random, width, height, 1.2) * 0.6 + _noise(random, width, height, 18), np.float32)


def _noise(random: np.random.Generator, width: int, height: int, size_px: float) -> Plane:
    small = random.standard_normal((int(height / size_px) + 3, int(width / size_px) + 3)).astype(np.float32)
    grown = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(grown / 2, -1.5, 1.5), np.float32)

"""A small set for a diorama: ball trees behind the figure, a bush, and a signpost with the name."""

from __future__ import annotations

import numpy as np

from statuette_sketch.bases import Stand
from statuette_sketch.body import Clay
from statuette_sketch.layers import Layer, grid, over, padded, stack
from statuette_sketch.lettering import written
from statuette_sketch.shading import Light
from statuette_sketch.styles import Look

_BARK = (0.45, 0.3, 0.18)
_TREES = ((-0.62, 0.09, 1.25), (0.66, 0.07, 1.0), (0.42, 0.12, 0.72))
"""Place, distance behind the figure and height, each in half-widths of the base."""


def planted(
    whole: Layer, floor_from_top: float, stand: Stand, name: str, look: Look, light: Light, random: np.random.Generator
) -> Layer:
    """A figure on its base with trees behind it and small things before it; wider than `whole`, not higher."""
    half = stand.half_width
    whole = padded(whole, round(half * 0.35), 0, round(half * 0.35), 0)
    stand_y, middle = floor_from_top - stand.floor_y + stand.stand_y, whole.width / 2
    behind = Layer(np.zeros_like(whole.rgb), np.zeros_like(whole.alpha))
    for place, depth, size in _TREES:
        plant = tree(round(half * size), look, light, random)
        behind = stack(
            behind, plant, middle + half * place - plant.width / 2, stand_y - half * depth - plant.height + 4
        )
    # The trees stand on the grass but behind the figure, which is laid over them once more, without the base.
    x, y = grid(whole.width, whole.height)
    feet = np.abs(x - middle) < half * 0.46
    figure = np.where(y > stand_y - half * 0.21, whole.alpha * feet, whole.alpha)
    scene = stack(stack(whole, behind, 0, 0), Layer(whole.rgb, np.asarray(figure, np.float32)), 0, 0)
    sign = signpost(round(half * 0.62), name, look, light)
    scene = stack(scene, sign, middle + half * 0.42, stand_y + half * 0.09 - sign.height)
    shrub = bush(round(half * 0.24), look, light, random)
    return stack(scene, shrub, middle - half * 0.78, stand_y + half * 0.12 - shrub.height)


def tree(height_px: int, look: Look, light: Light, random: np.random.Generator) -> Layer:
    """A model tree: a trunk under clumps of flock."""
    width = round(height_px * 0.8)
    clay = Clay.for_pixels(width, height_px)
    w, h = clay.width, clay.height
    clay.limb((w / 2, h * 0.98), (w / 2, h * 0.5), w * 0.075, w * 0.05, _BARK)
    for _ in range(46):
        angle, away = random.uniform(0, 6.283), np.sqrt(random.uniform(0, 1))
        cx, cy = w * (0.5 + 0.3 * away * np.cos(angle)), h * (0.34 + 0.22 * away * np.sin(angle))
        shade = random.uniform(0.8, 1.15) * (1.1 - 0.35 * (cy / h))
        radius = w * random.uniform(0.1, 0.17)
        clay.ball(cx, cy, radius, radius, (0.30 * shade, 0.58 * shade, 0.24 * shade), w * 0.12 * (1 - away))
    return clay.finished(look._replace(material=look.material._replace(gloss=0.0, grain=1.6, texture="stone")), light)


def bush(height_px: int, look: Look, light: Light, random: np.random.Generator) -> Layer:
    """Low green with a few flowers."""
    clay = Clay.for_pixels(round(height_px * 1.7), height_px)
    w, h = clay.width, clay.height
    for _ in range(26):
        cx = w * random.uniform(0.16, 0.84)
        cy = h * random.uniform(0.45, 0.82)
        shade = random.uniform(0.8, 1.2)
        clay.ball(cx, cy, h * 0.2, h * 0.18, (0.36 * shade, 0.64 * shade, 0.28 * shade), h * random.uniform(0, 0.1))
    for _ in range(9):
        colour = ((0.96, 0.42, 0.5), (1.0, 0.86, 0.4), (0.98, 0.98, 0.98))[int(random.integers(3))]
        clay.ball(w * random.uniform(0.2, 0.8), h * random.uniform(0.35, 0.75), h * 0.055, h * 0.055, colour, h * 0.3)
    return clay.finished(look._replace(material=look.material._replace(gloss=0.0, grain=1.2, texture="stone")), light)


def signpost(height_px: int, name: str, look: Look, light: Light) -> Layer:
    """A wooden board on a post."""
    clay = Clay.for_pixels(round(height_px * 1.15), height_px)
    w, h = clay.width, clay.height
    clay.limb((w * 0.5, h * 0.1), (w * 0.5, h * 0.97), h * 0.045, h * 0.045, _BARK)
    board = [
        (w * 0.04, h * 0.16),
        (w * 0.88, h * 0.13),
        (w * 0.98, h * 0.3),
        (w * 0.88, h * 0.47),
        (w * 0.04, h * 0.46),
    ]
    clay.block(board, h * 0.03, (0.72, 0.52, 0.32), h * 0.06)
    sign = clay.finished(look._replace(material=look.material._replace(gloss=0.05)), light)
    if name:
        ink = written(name, round(sign.height * 0.17), round(sign.width * 0.74), 0.05)
        dark = Layer(np.broadcast_to(np.asarray((0.22, 0.13, 0.07), np.float32), (*ink.shape, 3)), ink)
        over(sign.rgb, dark, sign.width * 0.47 - ink.shape[1] / 2, sign.height * 0.305 - ink.shape[0] / 2)
    return sign

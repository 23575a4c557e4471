"""What stands behind the figure: a seamless studio wall, or a place, always out of focus."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from statuette_sketch.layers import RGB, Layer, blurred, grid, mixed, over, smoothstep
from statuette_sketch.photo import Picture
from statuette_sketch.shading import Light
from statuette_sketch.styles import Backdrop


def turned(colour: RGB, hue_turn: float) -> RGB:
    """The colour with its hue turned by a share of the circle."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*colour)
    return colorsys.hls_to_rgb((hue + hue_turn) % 1.0, lightness, saturation)


def recoloured(backdrop: Backdrop, hue_turn: float) -> Backdrop:
    return backdrop._replace(
        top=turned(backdrop.top, hue_turn),
        low=turned(backdrop.low, hue_turn),
        floor=turned(backdrop.floor, hue_turn),
        glow=turned(backdrop.glow, hue_turn),
    )


def painted_backdrop(
    width: int, height: int, horizon: float, backdrop: Backdrop, light: Light, random: np.random.Generator
) -> Picture:
    """The empty set; `horizon` is the share of the height where wall becomes floor."""
    x, y = grid(width, height)
    v = y / height
    wall = smoothstep(0.0, horizon, v)[..., None]
    picture = np.asarray(backdrop.top, np.float32) * (1 - wall) + np.asarray(backdrop.low, np.float32) * wall
    picture = np.broadcast_to(picture, (height, width, 3)).copy()
    reach = min(width, height)
    away = np.hypot(
        (x / reach - width / reach * (0.5 + 0.1 * light.side)) * 0.95, (v - horizon * 0.55) * height / reach
    )
    glow = np.exp(-((away / 0.5) ** 2))[..., None] * 0.42
    picture += (np.asarray(backdrop.glow, np.float32) - picture) * glow
    places = {"bokeh": _bokeh, "sky": _hills, "table": _shelf, "workshop": _shelf}
    if backdrop.setting in places:
        places[backdrop.setting](picture, horizon, backdrop, random)

    floor_share = smoothstep(horizon - 0.035, horizon + 0.06, v)[..., None]
    near = smoothstep(horizon, 1.0, v)[..., None]
    floor = np.asarray(backdrop.floor, np.float32) * (1.06 - 0.3 * near)
    floor = np.broadcast_to(floor, (height, width, 3)).copy()
    if backdrop.setting == "table":
        _boards(floor, horizon)
    if backdrop.setting == "workshop":
        _cutting_mat(floor, horizon)
    pool = np.exp(-(((x / width - 0.5) / 0.34) ** 2) - ((v - horizon - 0.1) / 0.13) ** 2)[..., None]
    floor += (mixed_array(backdrop.glow, backdrop.floor, 0.35) - floor) * pool * 0.4
    picture += (floor - picture) * floor_share
    corners = np.hypot((x / width - 0.5) * 1.25, (v - 0.48) * 1.15)
    picture *= 1 - 0.4 * smoothstep(0.38, 0.95, np.asarray(corners, np.float32))[..., None]
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def mixed_array(first: RGB, second: RGB, share: float) -> Picture:
    return np.asarray(mixed(first, second, share), np.float32)


def _bokeh(picture: Picture, horizon: float, backdrop: Backdrop, random: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    for _ in range(22):
        radius = random.uniform(0.02, 0.075) * min(width, height)
        cx, cy = random.uniform(0, width), random.uniform(0, height * horizon * 0.92)
        x0, y0 = max(0, int(cx - radius - 3)), max(0, int(cy - radius - 3))
        part = picture[y0 : int(cy + radius + 4), x0 : int(cx + radius + 4)]
        x, y = grid(part.shape[1], part.shape[0])
        away = np.hypot(x + x0 - cx, y + y0 - cy)
        disc = smoothstep(radius + 2.5, radius - 2.5, away) * (0.65 + 0.35 * np.clip(away / radius, 0, 1) ** 4)
        colour = mixed_array(backdrop.glow, backdrop.top, random.uniform(0, 0.5))
        part += (colour - part) * (disc * random.uniform(0.12, 0.4))[..., None]


def _hills(picture: Picture, horizon: float, backdrop: Backdrop, random: np.random.Generator) -> None:
    """Painted sky with clouds and two ranges of hills, as on the back wall of a model railway."""
    rows, columns = picture.shape[:2]
    height, width = rows // 3, columns // 3  # clouds are soft: a third of the size will do
    x, y = grid(width, height)
    sky = np.zeros((height, width), np.float32)
    for _ in range(5):
        cx, cy, size = random.uniform(0, width), random.uniform(0.08, 0.42) * height, random.uniform(0.05, 0.09) * width
        puff = np.zeros((height, width), np.float32)
        for k in range(9):
            bx = cx + (k - 4) * size * 0.42
            plump = size * (0.5 - 0.07 * abs(k - 4)) * random.uniform(0.8, 1.3)
            lump = np.clip(1 - ((x - bx) / (plump * 1.5)) ** 2 - ((y - cy + plump * 0.5) / plump) ** 2, 0, 1)
            puff = np.maximum(puff, lump * smoothstep(cy + plump * 0.35, cy - plump * 0.3, y))
        sky = np.maximum(sky, blurred(smoothstep(0.0, 0.5, puff), size * 0.1))
    picture += (1 - picture) * (cv2.resize(sky, (columns, rows), interpolation=cv2.INTER_LINEAR) * 0.8)[..., None]
    height, width = rows, columns
    x, y = grid(width, height)
    for share, colour in ((0.2, (0.56, 0.73, 0.72)), (0.11, (0.48, 0.68, 0.45))):
        phase = random.uniform(0, 6)
        ridge = height * (
            horizon - share * (0.65 + 0.35 * np.sin(x / width * 7 + phase) * np.sin(x / width * 3 + phase * 2))
        )
        hill = smoothstep(-9, 9, np.asarray(y - ridge, np.float32))[..., None]
        picture += (np.asarray(colour, np.float32) - picture) * hill


def _shelf(picture: Picture, horizon: float, backdrop: Backdrop, random: np.random.Generator) -> None:
    """A room far out of focus: dim uprights and warm lamps."""
    height, width = picture.shape[:2]
    room = picture.copy()
    for _ in range(9):
        left, wide = random.uniform(-0.05, 1) * width, random.uniform(0.04, 0.12) * width
        tall = random.uniform(0.15, 0.5) * height * horizon
        shade = mixed_array(
            backdrop.low, (0.12, 0.1, 0.1) if random.random() < 0.6 else backdrop.glow, random.uniform(0.25, 0.6)
        )
        top, bottom = int(height * horizon - tall), int(height * horizon)
        room[top:bottom, max(0, int(left)) : max(0, int(left + wide))] = shade
    picture[:] = blurred(room, min(width, height) * 0.022)


def _boards(floor: Picture, horizon: float) -> None:
    """A wooden table top in perspective."""
    height, width = floor.shape[:2]
    x, y = grid(width, height)
    depth = 1 / np.maximum(y / height - horizon + 0.14, 0.02)
    across = (x / width - 0.5) * depth
    seam = np.abs((across * 1.1) % 1 - 0.5)
    board = np.floor(across * 1.1)
    tone = 0.9 + 0.2 * (np.sin(board * 12.9898) * 43758.5453 % 1)
    veins = 0.05 * np.sin(across * 42 + 3 * np.sin(depth * 2.1 + board)) + 0.03 * np.sin(across * 95 + depth)
    floor *= ((tone + veins) * (1 - 0.4 * smoothstep(0.485, 0.5, np.asarray(seam, np.float32))))[..., None]


def _cutting_mat(floor: Picture, horizon: float) -> None:
    """A modeller's green mat with its grid."""
    height, width = floor.shape[:2]
    x, y = grid(width, height)
    depth = 1 / np.maximum(y / height - horizon + 0.16, 0.02)
    for value in ((x / width - 0.5) * depth * 3.2, depth * 2.4 + 0 * x):
        line = np.abs(value % 1 - 0.5)
        soft = np.clip(0.03 * depth / 4, 0.012, 0.08)
        floor += (np.clip((line - 0.5 + soft) / soft, 0, 1) * 0.16)[..., None]


def contact_shadow(canvas: Picture, cx: float, cy: float, rx: float, ry: float, light: Light) -> None:
    """The dark where a base meets the floor, and the long soft shadow away from the key light."""
    height, width = canvas.shape[:2]
    x, y = grid(width, height)
    for scale, drift, strength, softness in ((1.5, 0.42, 0.34, 1.1), (1.1, 0.08, 0.5, 0.55), (1.015, 0.0, 0.5, 0.14)):
        away = np.hypot((x - cx + drift * rx * light.side) / (rx * scale), (y - cy) / (ry * (scale + drift * 0.5)))
        canvas *= (1 - strength * smoothstep(1 + softness * 0.35, 1 - softness, np.asarray(away, np.float32)))[
            ..., None
        ]


def mirrored(canvas: Picture, layer: Layer, left: float, top: float, floor_y: float, strength: float) -> None:
    """A faint reflection of `layer` in a polished floor at `floor_y`."""
    if strength <= 0.02:
        return
    fade = np.linspace(1, 0, layer.height, dtype=np.float32)[:, None] ** 3
    flipped = Layer(
        np.ascontiguousarray(layer.rgb[::-1]), np.ascontiguousarray(layer.alpha[::-1]) * fade * np.float32(strength)
    )
    soft = Layer(cv2.GaussianBlur(flipped.rgb, (0, 0), 3), cv2.GaussianBlur(flipped.alpha, (0, 0), 3))
    over(canvas, soft, left, 2 * floor_y - (top + layer.height))

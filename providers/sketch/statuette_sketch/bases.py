"""What a figure stands on: turned discs, a pedestal, a studded plate, a piece of ground."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from statuette_sketch.layers import Layer, blurred, smoothstep, stack
from statuette_sketch.lettering import written
from statuette_sketch.photo import Plane
from statuette_sketch.shading import Light, surface_texture
from statuette_sketch.styles import Base

_TILT = 0.21
"""Height over width of a circle seen from the camera."""


class Stand(NamedTuple):
    """A rendered base.

    Attributes:
        stand_y: where feet stand, in pixels from the top of the layer.
        floor_y: the middle of its lower edge, for the shadow.
        half_width: of its foot.
    """

    layer: Layer
    stand_y: float
    floor_y: float
    half_width: float


def made(base: Base, half_width: float, name: str, light: Light) -> Stand:
    """The base of a look, about `half_width` pixels to each side."""
    if base.support == "pedestal":
        return _pedestal(base, half_width, name, light)
    if base.support == "plate":
        return _studded(base, half_width, light)
    if base.support == "ground":
        return _ground(base, half_width, light)
    return _with_plate(_disc(base, half_width, half_width * base.thickness, light), base, half_width, name)


def _disc(base: Base, rx: float, thickness: float, light: Light) -> Stand:
    """A turned cylinder with a bevelled edge."""
    ry = rx * _TILT
    width, height = round(2 * rx) + 6, round(2 * ry + thickness) + 6
    x = np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5) - width / 2
    y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5) - 3
    u = np.clip(x / rx, -1, 1)
    rim = ry * np.sqrt(np.maximum(1 - u**2, 0))
    top = smoothstep(1.006, 0.994, np.asarray(np.hypot(x / rx, (y - ry) / ry), np.float32))
    inside = np.abs(x) < rx
    side = smoothstep(ry + thickness + 0.8, ry + thickness - 0.8, np.asarray(y - rim, np.float32)) * (y > ry) * inside
    alpha = np.maximum(top, side)

    colour = np.asarray(base.colour, np.float32)
    lean = u - 0.45 * light.side
    barrel = 0.42 + 0.62 * np.exp(-((lean / 0.5) ** 2)) + 0.12 * np.exp(-(((u + 0.85 * light.side) / 0.12) ** 2))
    stripe = base.gloss * (
        0.3 * np.exp(-(((u - 0.52 * light.side) / 0.055) ** 2))
        + 0.12 * np.exp(-(((u - 0.72 * light.side) / 0.02) ** 2))
    )
    down = np.clip((y - ry - rim) / max(thickness, 1), 0, 1)
    wall = colour * (barrel * (1 - 0.35 * down))[..., None] + stripe[..., None]
    sheen = np.exp(-(((x / rx - 0.35 * light.side) / 0.55) ** 2) - ((y - ry * 0.7) / (ry * 0.9)) ** 2) * (
        0.05 + 0.22 * base.gloss
    )
    lid = colour * 0.98 + sheen[..., None] * 0.8
    lid = np.broadcast_to(lid, (height, width, 3))
    wall = np.broadcast_to(wall, (height, width, 3))
    if base.texture in ("wood", "marble"):
        grain = _veins(width, height, base.texture)[..., None]
        lid, wall = lid * grain, wall * grain
    rgb = wall + (lid - wall) * top[..., None]
    edge = np.hypot(x / rx, (y - ry) / ry)
    bevel = (
        np.exp(-(((edge - 0.985) / 0.012) ** 2))
        * (0.25 + 0.75 * np.clip((y - ry) / ry, 0, 1))
        * (0.35 + 0.65 * np.exp(-((lean / 0.6) ** 2)))
    )
    rgb = rgb + (bevel * (0.2 + 0.4 * base.gloss))[..., None]
    if base.texture == "clear":
        alpha = alpha * (0.5 + 0.45 * np.clip(np.maximum(bevel, stripe), 0, 1))
    layer = Layer(np.asarray(np.clip(rgb, 0, 1), np.float32), np.asarray(alpha, np.float32))
    return Stand(layer, 3 + ry, 3 + ry + thickness, rx)


def _with_plate(stand: Stand, base: Base, rx: float, name: str) -> Stand:
    """A metal plate with the engraved name on the front of a disc."""
    thickness = rx * base.thickness
    if base.plate is None or not name or thickness < 24:
        return stand
    tall = round(thickness * 0.62)
    letters = written(name.upper(), round(tall * 0.56), round(rx * 1.05), 0.03)
    wide = letters.shape[1] + tall
    plate = np.ones((tall, wide, 3), np.float32) * np.asarray(base.plate, np.float32)
    shine = 0.82 + 0.4 * np.exp(-(((np.arange(wide, dtype=np.float32) / wide - 0.32) / 0.22) ** 2))
    plate *= shine[None, :, None] * np.linspace(1.12, 0.86, tall, dtype=np.float32)[:, None, None]
    top, left = (tall - letters.shape[0]) // 2, (wide - letters.shape[1]) // 2
    ink = np.zeros((tall, wide), np.float32)
    ink[top : top + letters.shape[0], left : left + letters.shape[1]] = letters
    below = np.roll(ink, 1, axis=0)
    plate = plate * (1 - 0.72 * ink[..., None]) + 0.35 * np.clip(below - ink, 0, 1)[..., None]
    coverage = np.ones((tall, wide), np.float32)
    coverage[:2, :2] = coverage[:2, -2:] = coverage[-2:, :2] = coverage[-2:, -2:] = 0.2
    # Bent round the disc: the middle hangs lowest.
    columns = (np.arange(wide, dtype=np.float32) - wide / 2) / rx
    sag = rx * _TILT * np.sqrt(np.maximum(1 - columns**2, 0))
    drop = sag - sag.min()
    room = int(np.ceil(drop.max())) + 2
    map_y = np.arange(tall + room, dtype=np.float32)[:, None] - drop[None, :]
    map_x = np.broadcast_to(np.arange(wide, dtype=np.float32)[None, :], map_y.shape)
    bent = cv2.remap(plate, np.ascontiguousarray(map_x), map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(
        coverage, np.ascontiguousarray(map_x), map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    upper = stand.stand_y + sag.min() + (thickness - tall) / 2
    layer = Layer(np.asarray(np.clip(bent, 0, 1), np.float32), np.asarray(cover, np.float32))
    return stand._replace(layer=stack(stand.layer, layer, stand.layer.width / 2 - wide / 2, upper))


def _pedestal(base: Base, half: float, name: str, light: Light) -> Stand:
    """A column of turned steps, built from the floor up, narrow where the bust meets it."""
    steps = ((0.92, 0.13), (0.82, 0.06), (0.64, 0.30), (0.72, 0.05), (0.80, 0.08))
    total = sum(t for _, t in steps) * half
    width = round(half * 2) + 8
    height = round(total + half * _TILT * 2) + 16
    whole = Layer(np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32))
    floor = height - half * _TILT * steps[0][0] - 8
    y, stand_y = floor, floor
    for share, tall in steps:
        part = _disc(base, half * share, half * tall, light)
        if tall > 0.2:
            part = _with_plate(part, base._replace(thickness=tall / share), half * share, name)
        y -= half * tall
        whole = stack(whole, part.layer, (width - part.layer.width) / 2, y - part.stand_y)
        stand_y = y
    return Stand(whole, stand_y, floor, half * steps[0][0])


def _studded(base: Base, half: float, light: Light) -> Stand:
    """A square building plate seen from above the front edge."""
    depth, thickness = half * 0.62, half * base.thickness
    width, height = round(half * 2) + 6, round(depth + thickness) + 14
    rgb = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    colour = np.asarray(base.colour, np.float32)
    inset = half * 0.2
    upper = np.asarray([(3 + inset, 8), (width - 3 - inset, 8), (width - 3, 8 + depth), (3, 8 + depth)], np.float32)
    front = np.asarray(
        [(3, 8 + depth), (width - 3, 8 + depth), (width - 3, 8 + depth + thickness), (3, 8 + depth + thickness)],
        np.float32,
    )
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    for shape, tones in ((upper, 1.02 + 0.12 * x * light.side), (front, 0.66 + 0.16 * x * light.side)):
        mask = _polygon(width, height, shape)[..., None]
        rgb = rgb * (1 - mask) + colour * tones * mask
        alpha = np.maximum(alpha, mask[..., 0])
    rows, columns = 5, 9
    for row in range(rows):
        v = (row + 0.5) / rows
        y = 8 + depth * v
        reach = half - 3 - inset * (1 - v)
        for column in range(columns):
            cx = width / 2 + reach * ((column + 0.5) / columns * 2 - 1)
            r = reach / columns * 0.62
            lift = r * 0.42
            for dy, tone, cover in ((0.0, 0.55, 1.0), (-lift, 0.86, 1.0), (-lift, 1.13, 0.86)):
                centre, axes = (round(cx * 8), round((y + dy) * 8)), (round(r * cover * 8), round(r * 0.5 * cover * 8))
                shade = tuple(float(c) * tone for c in colour)
                if dy == 0.0:
                    cv2.rectangle(
                        rgb,
                        (round(cx - r), round(y - lift)),
                        (round(cx + r), round(y)),
                        tuple(float(c) * 0.7 for c in colour),
                        -1,
                    )
                cv2.ellipse(rgb, centre, axes, 0, 0, 360, shade, -1, cv2.LINE_AA, 3)
    edge = round(8 + depth)
    rgb[edge - 1 : edge + 2] += 0.14
    layer = Layer(np.asarray(np.clip(blurred(rgb, 0.6), 0, 1), np.float32), alpha)
    return Stand(layer, 8 + depth * 0.6, 8 + depth * 0.5 + thickness, half)


def _ground(base: Base, half: float, light: Light) -> Stand:
    """A round piece of meadow on a wooden tray, tufts and pebbles on it."""
    tray = _disc(
        Base("disc", (0.42, 0.27, 0.16), gloss=0.25, texture="wood"), half, half * base.thickness * 0.55, light
    )
    turf = _disc(Base("disc", base.colour, gloss=0.0), half * 0.955, half * base.thickness * 0.4, light)
    room = half * base.thickness * 0.4
    height = tray.layer.height + round(room)
    whole = Layer(np.zeros((height, tray.layer.width, 3), np.float32), np.zeros((height, tray.layer.width), np.float32))
    whole = stack(whole, tray.layer, 0, room)
    texture = surface_texture(turf.layer.width, turf.layer.height, "stone")
    random = np.random.default_rng(3)
    speckled = turf.layer.rgb * (1 + 0.16 * texture[..., None])
    for _ in range(900):
        a, r = random.uniform(0, 6.283), np.sqrt(random.uniform(0, 1)) * 0.96
        cx = turf.layer.width / 2 + np.cos(a) * r * half * 0.955
        cy = turf.stand_y + np.sin(a) * r * half * 0.955 * _TILT
        tone = random.uniform(0.7, 1.25)
        colour = tuple(float(c) * tone for c in base.colour)
        tip = (round(cx + random.uniform(-3, 3)), round(cy - random.uniform(3, 9) * half / 330))
        cv2.line(speckled, (round(cx), round(cy)), tip, colour, 2, cv2.LINE_AA)
    whole = stack(
        whole,
        Layer(np.asarray(np.clip(speckled, 0, 1), np.float32), turf.layer.alpha),
        (tray.layer.width - turf.layer.width) / 2,
        tray.stand_y - turf.stand_y + 0.0,
    )
    return Stand(whole, tray.stand_y + 2, room + tray.floor_y, half)


def _polygon(width: int, height: int, corners: Plane) -> Plane:
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(mask, np.float32) / np.float32(255)


def _veins(width: int, height: int, kind: str) -> Plane:
    x = np.arange(width, dtype=np.float32)[None, :] / 60
    y = np.arange(height, dtype=np.float32)[:, None] / 60
    wander = 1.3 * np.sin(x * 0.7 + y * 2.3) + 0.8 * np.sin(x * 1.9 - y * 1.1 + 2)
    if kind == "wood":
        return np.asarray(
            1 + 0.13 * np.sin(y * 14 + wander * 1.6 + np.sin(x * 0.8)) + 0.06 * np.sin(y * 37 + x), np.float32
        )
    thin = np.abs(np.sin(x * 1.1 + y * 1.7 + wander * 1.5))
    return np.asarray(1 - 0.2 * np.exp(-thin * 14) - 0.05 * np.sin(wander * 2), np.float32)

"""A toy's body: round limbs and a chest that wears the photo, built as a height field and lit like everything else."""

from __future__ import annotations

import cv2
import numpy as np

from statuette_sketch.layers import RGB, Layer, blurred, scaled, smoothstep, stack
from statuette_sketch.photo import Picture, Plane
from statuette_sketch.portrait import Clothes
from statuette_sketch.shading import Light, lit
from statuette_sketch.styles import Look

_OVERSAMPLING = 1.5
_BEHIND = np.float32(-1e6)


class Clay:
    """A canvas that remembers, for every pixel, the height and colour of the foremost part."""

    def __init__(self, width: int, height: int) -> None:
        self.x = np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5)
        self.y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
        self.depth: Plane = np.full((height, width), _BEHIND, np.float32)
        self.rgb: Picture = np.zeros((height, width, 3), np.float32)
        self.width, self.height = width, height

    @classmethod
    def for_pixels(cls, width_px: int, height_px: int) -> Clay:
        """A canvas whose finished layer has about this size."""
        return cls(round(width_px * _OVERSAMPLING), round(height_px * _OVERSAMPLING))

    def add(self, height: Plane, inside: Plane, colour: Picture | RGB, lift: float = 0.0) -> None:
        height = np.where(inside, height + lift, _BEHIND)
        front = height > self.depth
        self.depth = np.asarray(np.where(front, height, self.depth), np.float32)
        self.rgb = np.where(front[..., None], np.asarray(colour, np.float32), self.rgb)

    def limb(
        self, start: tuple[float, float], end: tuple[float, float], r0: float, r1: float, colour: RGB, lift: float = 0.0
    ) -> None:
        """A tapered capsule from `start` to `end`."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        along = ((self.x - start[0]) * dx + (self.y - start[1]) * dy) / max(1e-6, dx * dx + dy * dy)
        along = np.clip(along, 0, 1)
        away = np.hypot(self.x - start[0] - along * dx, self.y - start[1] - along * dy)
        radius = r0 + (r1 - r0) * along
        self.add(np.sqrt(np.maximum(radius**2 - away**2, 0)), away < radius, colour, lift)

    def ball(self, cx: float, cy: float, rx: float, ry: float, colour: RGB, lift: float = 0.0) -> None:
        rows = slice(max(0, int(cy - ry)), max(0, int(cy + ry) + 2))
        columns = slice(max(0, int(cx - rx)), max(0, int(cx + rx) + 2))
        away = ((self.x[:, columns] - cx) / rx) ** 2 + ((self.y[rows] - cy) / ry) ** 2
        height = np.where(away < 1, np.sqrt(np.maximum(1 - away, 0)) * min(rx, ry) + lift, _BEHIND)
        front = height > self.depth[rows, columns]
        self.depth[rows, columns][front] = height[front]
        self.rgb[rows, columns][front] = colour

    def block(self, outline: list[tuple[float, float]], bevel: float, colour: Picture | RGB, lift: float = 0.0) -> None:
        """A flat-faced part with rounded edges."""
        mask = np.zeros(self.depth.shape, np.uint8)
        cv2.fillPoly(mask, [np.asarray(outline, np.float32).round().astype(np.int32)], 1)
        distance = cv2.distanceTransform(
            cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), cv2.DIST_L2, 5
        )[1:-1, 1:-1]
        t = np.clip(distance / bevel, 0, 1)
        self.add(np.asarray(bevel * np.sqrt(1 - (1 - t) ** 2), np.float32), mask > 0, colour, lift)

    def finished(self, look: Look, light: Light) -> Layer:
        covered = np.asarray(self.depth > _BEHIND / 2, np.float32)
        depth = np.where(covered > 0, self.depth, 0).astype(np.float32)
        reach = self.depth.shape[0] / 40
        weight = np.maximum(blurred(covered, reach), 1e-3)
        around = blurred(depth, reach) / weight
        hollow = np.clip((around - depth) / (reach * 2.4), 0, 1)
        rgb = lit(self.rgb, blurred(depth, 1.1), look.material, light) * (1 - 0.55 * hollow[..., None])
        if look.outline:
            inner = cv2.erode(covered, np.ones((3, 3), np.uint8), iterations=3)
            rgb = rgb * (0.5 + 0.5 * blurred(inner, 1.2)[..., None])
        edge = smoothstep(0.22, 0.78, blurred(covered, 1.5))
        return scaled(Layer(_bled(rgb, covered), edge), 1 / _OVERSAMPLING)


def _bled(rgb: Picture, covered: Plane) -> Picture:
    """Colours spread a little beyond the shape, so that its soft edge is not mixed with black."""
    weight = blurred(covered, 2.0)
    spread = blurred(np.asarray(rgb * covered[..., None], np.float32), 2.0) / np.maximum(weight, 1e-3)[..., None]
    return np.asarray(np.where(covered[..., None] > 0, rgb, np.clip(spread, 0, 1)), np.float32)


def round_body(dress: Clothes, height_px: int, look: Look, light: Light) -> tuple[Layer, float]:
    """Torso, arms and legs; returns the layer and the x of its middle. The neck is at the top, the soles at the bottom."""
    h = height_px * _OVERSAMPLING
    p = look.proportions
    width = round(h * (p.shoulders * 2 + p.limb * 5.2))
    cx = width / 2
    clay = Clay(width, round(h))
    limb, waist = p.limb * h, p.torso * h
    shoe: RGB = (0.13, 0.12, 0.14)

    for side in (-1, 1):
        hip = cx + side * (p.hips * h * 0.52)
        foot = cx + side * (p.hips * h * 0.6)
        sole = h - limb * 0.72
        clay.limb((hip, waist - limb * 0.3), (foot, sole - limb * 0.5), limb * 1.2, limb * 1.02, dress.lower)
        clay.ball(foot + side * limb * 0.12, sole, limb * 1.32, limb * 0.74, shoe, limb * 0.9)
    clay.ball(cx, waist - limb * 0.2, p.hips * h * 0.98, limb * 1.25, dress.lower, limb * 0.2)

    _chest(clay, cx, h, dress, look)

    for side, swing in ((-1, 0.5), (1, 0.62)):
        shoulder = (cx + side * p.shoulders * h * 0.88, limb * 1.35)
        elbow = (shoulder[0] + side * limb * (0.75 + swing), waist * 0.55)
        hand = (elbow[0] + side * limb * (0.35 if side < 0 else -0.2), waist * 0.92)
        clay.limb(shoulder, elbow, limb * 1.0, limb * 0.88, dress.main, limb * 0.8)
        clay.limb(elbow, hand, limb * 0.88, limb * 0.78, dress.main, limb * 0.95)
        clay.ball(hand[0], hand[1] + limb * 0.72, limb * 0.72, limb * 0.8, dress.skin, limb * 0.75)
    return clay.finished(look, light), cx / _OVERSAMPLING


def _chest(clay: Clay, cx: float, h: float, dress: Clothes, look: Look) -> None:
    """A barrel whose front wears the photo, wrapped around as on a cylinder."""
    p = look.proportions
    waist = p.torso * h
    t = np.clip(clay.y / waist, 0, 1)
    slope = np.clip(t / 0.2, 0, 1)
    half = h * (
        (p.shoulders * (0.42 + 0.58 * np.sqrt(slope * (2 - slope)))) * (1 - t)
        + p.hips * t * 1.0
        + p.shoulders * 0.12 * np.sin(np.pi * t)
    )
    around = (clay.x - cx) / np.maximum(half, 1)
    bulge = np.sqrt(np.maximum(1 - around**2, 0)) * h * p.shoulders * 0.75
    inside = (np.abs(around) < 1) & (clay.y < waist) & (clay.y > 0)
    clay.add(np.asarray(bulge, np.float32), np.asarray(inside), _wrapped(dress.front, around, t), 0.0)


def _wrapped(front: Picture, around: Plane, t: Plane) -> Picture:
    rows, columns = front.shape[:2]
    u = (np.arcsin(np.clip(around, -1, 1)) / np.pi + 0.5) * (columns - 1)
    v = np.broadcast_to(t * (rows - 1), u.shape)
    soft = cv2.bilateralFilter(front, 5, 0.12, 4)
    return np.asarray(
        np.clip(cv2.remap(soft, u.astype(np.float32), v.astype(np.float32), cv2.INTER_CUBIC), 0, 1), np.float32
    )


def brick_body(dress: Clothes, height_px: int, look: Look, light: Light) -> tuple[Layer, float]:
    """A construction toy's body: wedge of a torso, square legs, clip hands."""
    h = height_px * _OVERSAMPLING
    width = round(h * 1.08)
    cx = width / 2
    clay = Clay(width, round(h))
    bevel = h * 0.026
    waist, top = h * 0.52, h * 0.02

    for side in (-1, 1):
        inner, outer = cx + side * h * 0.012, cx + side * h * 0.3
        clay.block(
            [(inner, waist + h * 0.09), (outer, waist + h * 0.09), (outer, h * 0.995), (inner, h * 0.995)],
            bevel,
            dress.lower,
        )
        clay.block(
            [(inner, h * 0.87), (outer, h * 0.87), (outer, h * 0.995), (inner, h * 0.995)],
            bevel,
            dress.lower,
            bevel * 1.2,
        )
    clay.block(
        [
            (cx - h * 0.3, waist),
            (cx + h * 0.3, waist),
            (cx + h * 0.3, waist + h * 0.1),
            (cx - h * 0.3, waist + h * 0.1),
        ],
        bevel,
        (dress.lower[0] * 0.8, dress.lower[1] * 0.8, dress.lower[2] * 0.8),
        bevel * 0.6,
    )
    t = np.clip((clay.y - top) / (waist - top), 0, 1)
    around = (clay.x - cx) / (h * (0.2 + 0.1 * t))
    printed = _wrapped(dress.front, np.asarray(np.clip(around, -1, 1) * 0.9, np.float32), t)
    clay.block(
        [(cx - h * 0.2, top), (cx + h * 0.2, top), (cx + h * 0.3, waist), (cx - h * 0.3, waist)],
        bevel,
        printed,
        bevel * 0.8,
    )
    for side in (-1, 1):
        shoulder, elbow = (cx + side * h * 0.245, h * 0.1), (cx + side * h * 0.375, h * 0.31)
        wrist = (cx + side * h * 0.395, h * 0.43)
        clay.limb(shoulder, elbow, h * 0.075, h * 0.068, dress.main, h * 0.02)
        clay.limb(elbow, wrist, h * 0.068, h * 0.058, dress.main, h * 0.025)
        clay.ball(wrist[0], h * 0.495, h * 0.062, h * 0.068, dress.skin, h * 0.03)
        clay.ball(
            wrist[0],
            h * 0.515,
            h * 0.03,
            h * 0.045,
            (dress.skin[0] * 0.35, dress.skin[1] * 0.3, dress.skin[2] * 0.3),
            h * 0.075,
        )
    return clay.finished(look, light), cx / _OVERSAMPLING


def assembled(head: Layer, chin_x: float, body: Layer, body_x: float, overlap_px: float) -> Layer:
    """The head on the body, with the head's shadow on the chest."""
    left = max(chin_x, body_x)
    right = max(head.width - chin_x, body.width - body_x)
    width, height = round(left + right), round(head.height + body.height - overlap_px)
    empty = Layer(np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32))
    neck_y = head.height - overlap_px
    whole = stack(empty, body, left - body_x, neck_y)
    cast = blurred(np.pad(head.alpha, ((0, body.height), (0, 0))), body.height * 0.05)
    shade = Layer(np.zeros((*cast.shape, 3), np.float32), np.asarray(cast * 0.62, np.float32))
    shaded = stack(whole, shade, left - chin_x, body.height * 0.05)
    whole = Layer(shaded.rgb, whole.alpha)
    if overlap_px < 0:
        coil = _spring(round(body.height * 0.16), round(-overlap_px + body.height * 0.06))
        whole = stack(whole, coil, left - coil.width / 2, head.height - body.height * 0.035)
    return stack(whole, head, left - chin_x, 0)


def _spring(width: int, height: int) -> Layer:
    """The steel coil a nodding head sits on."""
    fine = 4
    alpha = np.zeros((height * fine, width * fine), np.uint8)
    wire = max(2, height * fine // 10)
    turns = 4
    for turn in range(turns + 1):
        y = round((0.12 + 0.76 * turn / turns) * height * fine)
        axes = (width * fine // 2 - wire, max(2, height * fine // 14))
        cv2.ellipse(alpha, (width * fine // 2, y), axes, 4, 0, 360, 255, wire, cv2.LINE_AA)
    soft = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    steel = 0.3 + 0.6 * np.exp(-(((across + 0.35) / 0.22) ** 2)) + 0.25 * np.exp(-(((across - 0.6) / 0.15) ** 2))
    rgb = np.broadcast_to(np.clip(steel, 0, 1)[..., None], (height, width, 3)).astype(np.float32)
    return Layer(rgb, soft)

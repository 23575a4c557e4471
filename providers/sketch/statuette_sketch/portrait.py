"""A person's cut-out as sculpture: a whole bust, or a head alone for a toy's body."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from statuette_sketch.cutout import Cutout
from statuette_sketch.layers import RGB, Layer, blurred, grid, smoothstep
from statuette_sketch.paint import brushed, enlarged, with_big_eyes
from statuette_sketch.photo import Picture, Plane
from statuette_sketch.shading import Light, embossed, inflated, lit
from statuette_sketch.styles import Look


class Clothes(NamedTuple):
    """What a toy's body is dressed in.

    Attributes:
        front: the photo below the chin, to be wrapped around the chest.
        main: the colour of sleeves.
        lower: the colour of trousers.
        skin: the colour of hands.
    """

    front: Picture
    main: RGB
    lower: RGB
    skin: RGB


def bust(cut: Cutout, height_px: int, look: Look, light: Light) -> Layer:
    """Head and shoulders, ending in the swung line of a sculpted bust; its lowest point is in the middle."""
    face = cut.face
    rows = np.flatnonzero(cut.alpha.max(axis=1) > 0.5)
    top = max(0, int(rows[0] - face.size * 0.04)) if rows.size else 0
    bottom = min(cut.photo.shape[0], int(face.chin_y + face.size * 2.0))
    left = max(0, int(face.centre_x - face.size * 1.7))
    right = min(cut.photo.shape[1], int(face.centre_x + face.size * 1.7))
    photo, alpha = cut.photo[top:bottom, left:right], cut.alpha[top:bottom, left:right]
    scale = height_px / photo.shape[0]
    width = max(8, round(photo.shape[1] * scale))
    within = _bust_line(
        width, height_px, (face.centre_x - left) * scale, (face.chin_y - top) * scale, face.size * scale
    )
    shape = without_spikes(np.asarray(enlarged(alpha, width, height_px) * within, np.float32), face.size * scale * 0.16)
    photo = with_big_eyes(photo, face.left - left, face.top - top, face.size, look.eyes)
    colours = brushed(photo, width, height_px, look.smooth, look.levels)
    return sculpted(colours, np.asarray(shape, np.float32), face.size * scale, look, light)


def head(cut: Cutout, height_px: int, look: Look, light: Light) -> tuple[Layer, float]:
    """The head without its neck, and the x of the chin in it."""
    face = cut.face
    rows = np.flatnonzero(cut.alpha[: int(face.chin_y)].max(axis=1) > 0.5)
    top = max(0, int(rows[0]) - 2) if rows.size else max(0, int(face.top))
    bottom = min(cut.photo.shape[0], int(face.chin_y + face.size * 0.05))
    left = max(0, int(face.centre_x - face.size * 1.1))
    right = min(cut.photo.shape[1], int(face.centre_x + face.size * 1.1))
    photo, alpha = cut.photo[top:bottom, left:right], cut.alpha[top:bottom, left:right]
    scale = height_px / photo.shape[0]
    width = max(8, round(photo.shape[1] * scale))
    x, y = grid(width, height_px)
    size = face.size * scale
    dx = np.abs(x - (face.centre_x - left) * scale) / size
    dy = (y - (face.top - top) * scale) / size
    # Below the ears only the jaw belongs to the head: half an ellipse that ends at the chin.
    jaw = np.where(dy > 0.6, np.abs(dx / 0.51) ** 2.0 + np.abs((dy - 0.6) / (face.chin + 0.03 - 0.6)) ** 2.0, 0)
    shape = enlarged(alpha, width, height_px) * smoothstep(1.03, 0.97, np.asarray(jaw, np.float32))
    shape = np.minimum(shape, without_spikes(shape, size * 0.07))
    columns = np.flatnonzero(shape.max(axis=0) > 0.5)
    photo = with_big_eyes(photo, face.left - left, face.top - top, face.size, look.eyes)
    colours = brushed(photo, width, height_px, look.smooth, look.levels)
    layer = sculpted(colours, np.asarray(shape, np.float32), size, look, light)
    first, last = (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, width)
    first, last = max(0, first - 4), min(width, last + 4)
    return Layer(layer.rgb[:, first:last], layer.alpha[:, first:last]), (face.centre_x - left) * scale - first


def clothes(cut: Cutout) -> Clothes:
    """Colours and cloth for a body, out of what the photo shows below the chin."""
    face, photo = cut.face, cut.photo
    height, width = photo.shape[:2]
    top = max(0, min(height - 8, int(face.chin_y + face.size * 0.1)))
    bottom = min(height, int(face.chin_y + face.size * 2.4))
    reach = min(1.15, 0.5 * (bottom - top) / face.size)
    left = max(0, int(face.centre_x - face.size * reach))
    right = min(width, int(face.centre_x + face.size * reach))
    front = photo[top:bottom, left:right]
    coverage = cut.alpha[top:bottom, left:right]
    wide = photo[int((top + bottom) / 2) : bottom]
    worn = wide[cut.alpha[int((top + bottom) / 2) : bottom] > 0.9]
    main = _usual(worn) if len(worn) > 30 else _usual(front.reshape(-1, 3))
    size = int(face.size)
    cheeks = photo[
        int(face.top + size * 0.5) : int(face.top + size * 0.68),
        int(face.left + size * 0.22) : int(face.left + size * 0.78),
    ]
    skin = _usual(cheeks.reshape(-1, 3))
    dressed = front * coverage[..., None] + np.asarray(main, np.float32) * (1 - coverage[..., None])
    lower: RGB = (main[0] * 0.55 + 0.02, main[1] * 0.55 + 0.025, main[2] * 0.6 + 0.045)
    return Clothes(np.asarray(dressed, np.float32), main, lower, skin)


def sculpted(colours: Picture, shape: Plane, feature_px: float, look: Look, light: Light) -> Layer:
    """Colours on a rounded shape, with the photo's light and dark as relief, under the light."""
    roundness = feature_px * 0.62
    relief = embossed(colours, feature_px * 0.02, feature_px * 0.14)
    fine = embossed(colours, feature_px * 0.006, feature_px * 0.03)
    strength = 0.36 if look.material.tint is not None else 0.09
    form = inflated(shape, roundness) * np.float32(0.9)
    height = form + relief * feature_px * strength + fine * feature_px * strength * 0.22
    if look.build == "brick":
        return _blocks(colours, shape, feature_px, look, light)
    rgb = lit(
        colours, np.asarray(height, np.float32), look.material, light, form + relief * feature_px * strength * 0.25
    )
    if look.outline:
        inner = smoothstep(0.0, feature_px * 0.03, inflated(shape, feature_px * 0.03))
        rgb = rgb * (0.45 + 0.55 * inner[..., None])
    return Layer(np.asarray(rgb, np.float32), np.asarray(blurred(shape, 0.8), np.float32))


def _blocks(colours: Picture, shape: Plane, feature_px: float, look: Look, light: Light) -> Layer:
    """The shape out of little cubes, each of one colour, nearer the middle standing out further."""
    height, width = shape.shape
    pitch = max(5, round(feature_px / 27))
    columns, rows = -(-width // pitch), -(-height // pitch)
    room = cv2.copyMakeBorder(colours, 0, rows * pitch - height, 0, columns * pitch - width, cv2.BORDER_REPLICATE)
    cover = cv2.copyMakeBorder(
        shape, 0, rows * pitch - height, 0, columns * pitch - width, cv2.BORDER_CONSTANT, value=0
    )
    cells = cv2.resize(room, (columns, rows), interpolation=cv2.INTER_AREA)
    cells = np.asarray(np.round(cells * 14) / 14, np.float32)
    solid = np.asarray(cv2.resize(cover, (columns, rows), interpolation=cv2.INTER_AREA) > 0.5, np.float32)
    steps = np.round(inflated(solid, feature_px / pitch * 0.6))
    big = (columns * pitch, rows * pitch)
    rgb = cv2.resize(cells, big, interpolation=cv2.INTER_NEAREST)
    alpha = cv2.resize(solid, big, interpolation=cv2.INTER_NEAREST)
    level = cv2.resize(np.asarray(steps, np.float32), big, interpolation=cv2.INTER_NEAREST)
    across = np.abs((np.arange(pitch, dtype=np.float32) + 0.5) / pitch - 0.5)
    bevel = smoothstep(0.5, 0.34, np.maximum(across[None, :], across[:, None])) * pitch * 0.22
    relief = blurred(np.asarray(level * pitch * 0.34 + np.tile(bevel, (rows, columns)), np.float32), 0.8)
    smooth = inflated(np.asarray(alpha, np.float32), feature_px * 0.62) * np.float32(0.9)
    done = lit(np.asarray(rgb, np.float32), relief + smooth * np.float32(0.6), look.material._replace(gloss=0.2), light)
    return Layer(done[:height, :width], np.ascontiguousarray(alpha[:height, :width]))


def without_spikes(shape: Plane, radius_px: float) -> Plane:
    """The shape without parts thinner than twice the radius, its corners rounded. Works on a small copy: it is wide."""
    shrink = 4
    height, width = shape.shape
    pad = round(radius_px / shrink) + 2
    small = cv2.resize(shape, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA)
    small = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    round_px = 2 * max(1, round(radius_px / shrink)) + 1
    opened = cv2.morphologyEx(small, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (round_px, round_px)))
    opened = cv2.GaussianBlur(opened, (0, 0), max(1.0, radius_px / shrink * 0.2))[pad:-pad, pad:-pad]
    large = cv2.resize(opened, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smoothstep(0.44, 0.56, np.asarray(large, np.float32)), np.float32)


def _usual(pixels: Picture) -> RGB:
    r, g, b = np.median(pixels, axis=0)
    return (float(r), float(g), float(b))


def _bust_line(width: int, height: int, centre_x: float, chin_y: float, size: float) -> Plane:
    """Coverage of the area a bust may fill: shoulders, then a taper towards the socle."""
    x, y = grid(width, height)
    t = np.clip((y - chin_y) / max(1.0, height - chin_y), 0, 1)
    # A photo that ends beside an arm would end the bust in a straight cut, so both sides keep inside the narrower one.
    widest = min(size * 1.4, 0.95 * centre_x, 0.95 * (width - centre_x))
    half = widest * np.sqrt(1 - np.clip((t - 0.35) / 0.75, 0, 1) ** 2)
    half = np.where(y < chin_y, size * 1.7, half)
    sides = smoothstep(1.0, -1.0, np.asarray((np.abs(x - centre_x) - half) / 1.2, np.float32))
    sag = size * 0.12 * (1 - np.clip(np.abs(x - centre_x) / (size * 0.64), 0, 1) ** 2)
    end = smoothstep(1.0, -1.0, np.asarray((y - (height - size * 0.12 + sag)) / 1.2, np.float32))
    return np.asarray(sides * end, np.float32)

"""The honest answer to a photo without a clean cut-out: the whole photo as a relief.

A medallion of the look's material, an acrylic stand-up for the sweet looks, a mosaic of studs for the brick look.
"""

from __future__ import annotations

import cv2
import numpy as np

from statuette_sketch.faces import Face
from statuette_sketch.layers import Layer, blurred, grid, luminance, smoothstep
from statuette_sketch.paint import brushed
from statuette_sketch.photo import Picture, Plane
from statuette_sketch.shading import Light, Material, embossed, inflated, lit
from statuette_sketch.styles import Look

_MOSAIC_CELLS = 40


def relief(photo: Picture, face: Face | None, size_px: int, look: Look, light: Light) -> Layer:
    """A standing plaque, `size_px` high."""
    square = _square(photo, face)
    if look.build == "brick":
        return _mosaic(square, size_px, look, light)
    if look.build == "toy" and look.material.bands + look.proportions.head > 0.5 and look.material.grain == 0:
        return _standee(square, size_px, look, light)
    return _medallion(square, size_px, look, light)


def _square(photo: Picture, face: Face | None) -> Picture:
    """The square around the face, or else around what has the most detail."""
    height, width = photo.shape[:2]
    edge = min(height, width)
    if face is not None:
        edge = int(min(edge, face.size * 2.2))
        cx, cy = face.centre_x, face.top + face.size * 0.5
    else:
        grey = luminance(photo)
        detail = blurred(np.asarray(np.abs(cv2.Laplacian(blurred(grey, 2), cv2.CV_32F)), np.float32), edge / 12)
        weight = detail.sum() or 1.0
        cx = float((detail.sum(axis=0) * np.arange(width)).sum() / weight)
        cy = float((detail.sum(axis=1) * np.arange(height)).sum() / weight)
    left = int(np.clip(cx - edge / 2, 0, width - edge))
    top = int(np.clip(cy - edge / 2, 0, height - edge))
    return photo[top : top + edge, left : left + edge]


def _medallion(square: Picture, size: int, look: Look, light: Light) -> Layer:
    x, y = grid(size, size)
    away = np.hypot(x - size / 2, y - size / 2) / (size / 2)
    colours = brushed(square, size, size, look.smooth, look.levels)
    cast = look.material.tint is not None
    metal = np.asarray(look.material.tint if cast else look.base.plate or _lighter(look), np.float32)
    frame = smoothstep(0.845, 0.855, away)[..., None]
    depth = size * (0.05 if cast else 0.026)
    # The ring is a half-round moulding with a bead inside; the field rises a little towards the middle.
    ring = size * 0.03 * np.sqrt(np.maximum(1 - ((away - 0.925) / 0.075) ** 2, 0))
    bead = size * 0.009 * np.sqrt(np.maximum(1 - ((away - 0.835) / 0.016) ** 2, 0))
    field = smoothstep(0.83, 0.70, away)
    bumps = (
        embossed(colours, size * 0.004, size * 0.05) * depth * 2.2
        + embossed(colours, size * 0.002, size * 0.012) * depth * 0.7
    )
    height = ring + bead + bumps * field + size * 0.03 * np.sqrt(np.maximum(1 - away**2, 0)) * field
    inner = lit(colours, np.asarray(height, np.float32), look.material, light)
    if not cast:
        inner *= (0.72 + 0.28 * smoothstep(0.84, 0.66, away))[..., None]
    gilt = Material(
        gloss=0.25, sheen=0.5, shininess=18, rim=0.3, contrast=0.8, metal=0.0 if cast else 0.8, shadow=(0.2, 0.16, 0.14)
    )
    gilt = look.material if cast else gilt
    outer = lit(np.broadcast_to(metal, (size, size, 3)).astype(np.float32), np.asarray(height, np.float32), gilt, light)
    rgb = inner + (outer - inner) * np.maximum(frame, (bead > 0)[..., None])
    return Layer(np.asarray(rgb, np.float32), smoothstep(1.0, 1 - 2.4 / size, away))


def _lighter(look: Look) -> tuple[float, float, float]:
    r, g, b = look.base.colour
    if look.base.support == "ground":
        return (0.78, 0.62, 0.42)
    return (0.35 + 0.6 * r, 0.35 + 0.6 * g, 0.35 + 0.6 * b)


def _standee(square: Picture, size: int, look: Look, light: Light) -> Layer:
    """Clear acrylic with a printed, slightly domed picture."""
    x, y = grid(size, size)
    half = size / 2
    away = rounded_distance(x - half, y - half, half - 2, half - 2, size * 0.17)
    printed = smoothstep(-size * 0.042, -size * 0.042 - 2, away)
    white = smoothstep(-size * 0.02, -size * 0.02 - 2, away)
    sheet = smoothstep(0.5, -1.0, away)
    colours = brushed(square, size, size, look.smooth, look.levels)
    bumps = embossed(colours, size * 0.004, size * 0.05) * size * 0.05
    dome = inflated(printed, size * 0.1) * 0.5
    picture = lit(colours, np.asarray(dome + bumps, np.float32), look.material, light)
    rgb = np.ones((size, size, 3), np.float32) * 0.985
    rgb += (picture - rgb) * printed[..., None]
    glare = smoothstep(0.0, 0.012, np.asarray((x + y * 0.55) / size - 0.34, np.float32)) * smoothstep(
        0.20, 0.188, np.asarray((x + y * 0.55) / size - 0.34, np.float32)
    )
    rgb += (1 - rgb) * (glare * 0.13)[..., None]
    edge = np.exp(-(((away + size * 0.008) / (size * 0.006)) ** 2))
    rgb += (1 - rgb) * (edge * 0.8)[..., None]
    clear = np.where(white > 0.5, 1.0, 0.42 + 0.5 * edge)
    return Layer(np.asarray(np.clip(rgb, 0, 1), np.float32), np.asarray(sheet * clear, np.float32))


def _mosaic(square: Picture, size: int, look: Look, light: Light) -> Layer:
    """A panel of round studs, one colour each, out of a builder's limited box of colours."""
    cells = _MOSAIC_CELLS
    pitch = max(8, size // cells)
    edge = pitch * cells
    soft = brushed(square, cells * 4, cells * 4, 0.6)
    small = cv2.resize(soft, (cells, cells), interpolation=cv2.INTER_AREA)
    grey = luminance(small)[..., None]
    small = np.clip(grey + (small - grey) * 1.35, 0, 1)
    small = np.asarray(np.round(small * 8) / 8, np.float32)
    colours = np.repeat(np.repeat(small, pitch, 0), pitch, 1)
    across = (np.arange(pitch, dtype=np.float32) + 0.5) / pitch - 0.5
    away = np.hypot(across[None, :], across[:, None])
    stud = pitch * 0.26 * smoothstep(0.40, 0.27, away)
    gap = smoothstep(0.5, 0.44, np.maximum(np.abs(across[None, :]), np.abs(across[:, None])))
    height = np.tile(stud + gap * pitch * 0.16, (cells, cells))
    rgb = lit(colours, np.asarray(blurred(np.asarray(height, np.float32), 0.7), np.float32), look.material, light)
    border = max(4, pitch // 2)
    framed: Picture = cv2.copyMakeBorder(
        rgb, border, border, border, border, cv2.BORDER_CONSTANT, value=(0.16, 0.17, 0.19)
    )
    framed[:2] += 0.2
    return Layer(
        np.asarray(np.clip(framed, 0, 1), np.float32), np.ones((edge + 2 * border, edge + 2 * border), np.float32)
    )


def rounded_distance(dx: Plane, dy: Plane, half_x: float, half_y: float, radius: float) -> Plane:
    """Signed distance to a rounded rectangle: negative inside."""
    qx, qy = np.abs(dx) - half_x + radius, np.abs(dy) - half_y + radius
    outside = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0))
    return np.asarray(outside + np.minimum(np.maximum(qx, qy), 0) - radius, np.float32)

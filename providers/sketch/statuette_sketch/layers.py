"""Cut-out pictures and how they are laid over one another."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from statuette_sketch.photo import Picture, Plane

RGB = tuple[float, float, float]


class Layer(NamedTuple):
    """Pixels with coverage: `rgb` (h, w, 3), not premultiplied, and `alpha` (h, w), both 0…1."""

    rgb: Picture
    alpha: Plane

    @property
    def width(self) -> int:
        return int(self.alpha.shape[1])

    @property
    def height(self) -> int:
        return int(self.alpha.shape[0])


def blank(width: int, height: int, colour: RGB = (0.0, 0.0, 0.0)) -> Picture:
    return np.tile(np.asarray(colour, np.float32), (height, width, 1))


def over(canvas: Picture, layer: Layer, left: float, top: float, opacity: float = 1.0) -> None:
    """Lay `layer` on `canvas` in place, its top left corner at (`left`, `top`); what lies outside is dropped."""
    x, y = round(left), round(top)
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(canvas.shape[1], x + layer.width), min(canvas.shape[0], y + layer.height)
    if x1 <= x0 or y1 <= y0:
        return
    alpha = layer.alpha[y0 - y : y1 - y, x0 - x : x1 - x, None] * np.float32(opacity)
    part = canvas[y0:y1, x0:x1]
    part += (layer.rgb[y0 - y : y1 - y, x0 - x : x1 - x] - part) * alpha


def stack(bottom: Layer, top: Layer, left: float, upper: float) -> Layer:
    """`top` over `bottom` as one layer of the size of `bottom`."""
    rgb, alpha = bottom.rgb.copy(), bottom.alpha.copy()
    x, y = round(left), round(upper)
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(bottom.width, x + top.width), min(bottom.height, y + top.height)
    if x1 <= x0 or y1 <= y0:
        return bottom
    above = top.alpha[y0 - y : y1 - y, x0 - x : x1 - x]
    below = alpha[y0:y1, x0:x1]
    total = above + below * (1 - above)
    share = (above / np.maximum(total, 1e-6))[..., None]
    rgb[y0:y1, x0:x1] += (top.rgb[y0 - y : y1 - y, x0 - x : x1 - x] - rgb[y0:y1, x0:x1]) * share
    alpha[y0:y1, x0:x1] = total
    return Layer(rgb, alpha)


def padded(layer: Layer, left: int, top: int, right: int, bottom: int) -> Layer:
    """The layer with a transparent margin whose hidden colour repeats the edge."""
    rgb = cv2.copyMakeBorder(layer.rgb, top, bottom, left, right, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(layer.alpha, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
    return Layer(np.asarray(rgb, np.float32), np.asarray(alpha, np.float32))


def scaled(layer: Layer, factor: float) -> Layer:
    size = (max(1, round(layer.width * factor)), max(1, round(layer.height * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    rgb = np.clip(cv2.resize(layer.rgb, size, interpolation=how), 0, 1)
    alpha = np.clip(cv2.resize(layer.alpha, size, interpolation=how), 0, 1)
    return Layer(np.asarray(rgb, np.float32), np.asarray(alpha, np.float32))


def blurred(plane: Plane, sigma_px: float) -> Plane:
    """Gaussian blur of a plane or picture; wide blurs run on a smaller copy, since nobody sees the difference."""
    if sigma_px < 0.3:
        return plane
    shrink = max(1, int(sigma_px / 6))
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px), np.float32)
    height, width = plane.shape[:2]
    small = cv2.resize(plane, (max(1, width // shrink), max(1, height // shrink)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / shrink)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    # Enlarging leaves a weave that the eye sees as soon as light falls on it as relief.
    return np.asarray(cv2.GaussianBlur(large, (0, 0), shrink * 0.9), np.float32)


def smoothstep(low: float, high: float, value: Plane) -> Plane:
    """0 below `low`, 1 above `high`, an S in between; `low` > `high` falls instead of rising."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def grid(width: int, height: int) -> tuple[Plane, Plane]:
    """Pixel-centre coordinates x (1, width) and y (height, 1), ready to broadcast."""
    x = np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5)
    y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
    return x, y


def mixed(first: RGB, second: RGB, share: float) -> RGB:
    """`first` at 0, `second` at 1."""
    return tuple(a + (b - a) * share for a, b in zip(first, second, strict=True))  # type: ignore[return-value]


def hexed(code: str) -> RGB:
    """`#rrggbb` as a colour."""
    return (int(code[1:3], 16) / 255, int(code[3:5], 16) / 255, int(code[5:7], 16) / 255)


def luminance(rgb: Picture) -> Plane:
    return np.asarray(rgb @ np.asarray((0.299, 0.587, 0.114), np.float32), np.float32)

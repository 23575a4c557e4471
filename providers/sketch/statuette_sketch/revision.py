"""A new version of an earlier figurine when its photo is no longer there: other light, other colours, other crop."""

from __future__ import annotations

import cv2
import numpy as np

from statuette_sketch.layers import grid, smoothstep
from statuette_sketch.photo import Picture
from statuette_sketch.shading import Light


def revised(previous: Picture, width: int, height: int, light: Light, random: np.random.Generator) -> Picture:
    """The earlier picture at the size wanted, its hues turned where it is colourful and the light moved."""
    rows, columns = previous.shape[:2]
    scale = max(width / columns, height / rows)
    large = cv2.resize(
        previous, (max(width, round(columns * scale)), max(height, round(rows * scale))), interpolation=cv2.INTER_CUBIC
    )
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    picture = np.asarray(np.clip(large[top : top + height, left : left + width], 0, 1), np.float32)
    hls = cv2.cvtColor(picture, cv2.COLOR_RGB2HLS)
    x, y = grid(width, height)
    # The figure stands in the middle and keeps its colours; the set around it changes.
    apart = smoothstep(0.25, 0.5, np.hypot(x / width - 0.5, (y / height - 0.52) * 0.8))
    hls[..., 0] = (hls[..., 0] + apart * random.uniform(40, 320)) % 360
    turned = cv2.cvtColor(hls, cv2.COLOR_HLS2RGB)
    sweep = 1 + 0.16 * light.side * (x / width - 0.5) * 2 - 0.05 * (y / height - 0.5)
    return np.asarray(np.clip(turned * sweep[..., None], 0, 1), np.float32)

"""From a photo to brushwork: few soft tones and crisp edges, at any size.

A head is often a hundred pixels wide in the photo and six hundred in the picture. Enlarging alone blurs; sharpening
along the edges only (a coherence-enhancing shock filter, Weickert 2003) gives the clean borders of painted plastic.
"""

from __future__ import annotations

import cv2
import numpy as np

from statuette_sketch.layers import blurred
from statuette_sketch.photo import Picture, to_bytes


def enlarged(photo: Picture, width: int, height: int) -> Picture:
    how = cv2.INTER_AREA if width < photo.shape[1] else cv2.INTER_CUBIC
    return np.asarray(np.clip(cv2.resize(photo, (width, height), interpolation=how), 0, 1), np.float32)


def brushed(photo: Picture, width: int, height: int, smooth: float, levels: int = 0) -> Picture:
    """The photo at a new size, simplified by `smooth` 0…1, optionally with `levels` steps of lightness."""
    # Simplified while small, so that a sharp photo and a coarse one end up equally plain.
    shrink = min(1.0, (430 - 210 * smooth) / max(photo.shape[:2]))
    small = to_bytes(enlarged(photo, max(8, round(photo.shape[1] * shrink)), max(8, round(photo.shape[0] * shrink))))
    for _ in range(1 + round(smooth * 2)):
        small = np.asarray(cv2.bilateralFilter(small, 7, 12 + 22 * smooth, 2 + 2 * smooth), np.uint8)
    picture = to_bytes(enlarged(small.astype(np.float32) / np.float32(255), width, height))
    picture = _shocked(np.asarray(picture, np.float32), 2 + round(2 * smooth), max(1.2, min(width, height) / 260))
    done = np.asarray(np.clip(picture / 255, 0, 1), np.float32)
    done = np.clip(done + 0.15 * (done - blurred(done, max(width, height) / 60)), 0, 1)
    if levels:
        value = done.max(axis=2, keepdims=True)
        steps = np.floor(value * levels) + np.clip((value * levels % 1 - 0.35) / 0.3, 0, 1)
        done = done * (steps / levels + 0.02) / np.maximum(value, 1e-3)
    return np.asarray(np.clip(done, 0, 1), np.float32)


def _shocked(picture: Picture, rounds: int, reach: float) -> Picture:
    kernel = np.ones((3, 3), np.uint8)
    for _ in range(rounds):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        small = cv2.GaussianBlur(grey, (0, 0), reach)
        gx, gy = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
        xx, xy, yy = (cv2.GaussianBlur(m, (0, 0), reach * 2.2) for m in (gx * gx, gx * gy, gy * gy))
        angle = 0.5 * np.arctan2(2 * xy, xx - yy)
        vx, vy = np.cos(angle), np.sin(angle)
        dxx = cv2.Sobel(small, cv2.CV_32F, 2, 0)
        dxy = cv2.Sobel(small, cv2.CV_32F, 1, 1)
        dyy = cv2.Sobel(small, cv2.CV_32F, 0, 2)
        across = vx * vx * dxx + 2 * vx * vy * dxy + vy * vy * dyy
        darker, lighter = cv2.erode(picture, kernel), cv2.dilate(picture, kernel)
        share = np.clip(np.abs(across) / 3, 0, 1)[..., None] * np.float32(0.7)
        target = np.where(across[..., None] < 0, lighter, darker)
        picture = np.asarray(picture + (target - picture) * share, np.float32)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.7), np.float32)


def with_big_eyes(photo: Picture, left: float, top: float, size: float, amount: float) -> Picture:
    """Enlarge both eyes of a face in the square given; `amount` 0.4 makes them up to 1.6 times as large."""
    if amount <= 0:
        return photo
    height, width = photo.shape[:2]
    map_x, map_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    reach = size * 0.19
    for side in (-1, 1):
        cx, cy = left + size * (0.5 + side * 0.195), top + size * 0.41
        away = np.clip(np.hypot(map_x - cx, map_y - cy) / reach, 0, 1)
        pull = amount * (1 - away**2) ** 2
        map_x = map_x - (map_x - cx) * pull
        map_y = map_y - (map_y - cy) * pull
    return np.asarray(np.clip(cv2.remap(photo, map_x, map_y, cv2.INTER_CUBIC), 0, 1), np.float32)

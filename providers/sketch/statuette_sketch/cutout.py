"""Cutting a person or a cat out of a photo, and judging whether the cut is fit to be seen.

GrabCut is told what a portrait looks like: a head around the face, shoulders below, and background beside and above the
head. A cut that fails the judgement is not patched up; the picture is then made of the whole photo instead.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from statuette_sketch.faces import Face, eight_bit
from statuette_sketch.layers import blurred
from statuette_sketch.photo import Picture, Plane

_WORKING_EDGE_PX = 520
Mask = NDArray[Any]


class Cutout(NamedTuple):
    """A portrait and where its face is; `alpha` has the size of `photo`."""

    photo: Picture
    alpha: Plane
    face: Face


def cut_out(photo: Picture, face: Face, seed: int = 0) -> Cutout | None:
    """The subject's outline, or None when it would look torn. Deterministic."""
    photo, face = _around(photo, face)
    height, width = photo.shape[:2]
    scale = min(1.0, _WORKING_EDGE_PX / max(height, width))
    small = np.asarray(
        cv2.resize(photo, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA), np.float32
    )
    near = face._replace(left=face.left * scale, top=face.top * scale, size=face.size * scale)
    labels = _expectation(small.shape[1], small.shape[0], near)
    cv2.setRNGSeed(1 + seed)  # GrabCut clusters colours from a random start
    models = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    smooth = cv2.bilateralFilter(eight_bit(small), 5, 30, 5)
    try:
        cv2.grabCut(smooth, labels, (0, 0, 1, 1), *models, 4, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return None
    solid = _one_piece(np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), np.uint8), near)
    if not _fit_to_be_seen(solid, near):
        return None
    # A figure has a moulded edge: smooth, and a little inside the photo's, where no background shines through.
    soft = blurred(np.asarray(solid, np.float32), 1.6)
    alpha = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    alpha = np.clip((alpha - 0.5) * 3.2 + 0.35, 0, 1)
    return Cutout(photo, np.asarray(alpha, np.float32), face)


def _around(photo: Picture, face: Face) -> tuple[Picture, Face]:
    """The part of the photo a bust can need, so that a small face in a wide photo is still cut with care."""
    height, width = photo.shape[:2]
    left = max(0, int(face.centre_x - face.size * 2.6))
    right = min(width, int(face.centre_x + face.size * 2.6))
    top = max(0, int(face.top - face.size * 1.5))
    bottom = min(height, int(face.top + face.size * 4.2))
    return photo[top:bottom, left:right], face._replace(left=face.left - left, top=face.top - top)


def _expectation(width: int, height: int, face: Face) -> Mask:
    """GrabCut's labels before it looks at colours."""
    size, cx = face.size, face.centre_x
    middle_y = face.top + size * 0.5
    x = (np.arange(width, dtype=np.float32)[None, :] - cx) / size
    y = (np.arange(height, dtype=np.float32)[:, None] - middle_y) / size
    below = np.clip(y - 0.45, 0, None)

    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    labels[(x**2 / 0.64**2 + (y + 0.12) ** 2 / 1.05**2) < 1] = cv2.GC_PR_FGD
    labels[(y > 0.45) & (np.abs(x) < 0.45 + below * 1.5)] = cv2.GC_PR_FGD

    beside_head = (np.abs(x) > 1.05) & (y < 0.45)
    above_head = y < -1.5
    over_shoulders = (y >= 0.35) & (np.abs(x) > 0.92 + np.clip(y - 0.7, 0, None) * 2.6)
    beside_jaw = (np.abs(x) > 0.64) & (y > 0.2) & (y < 0.5)
    labels[beside_head | above_head | over_shoulders | beside_jaw] = cv2.GC_BGD

    labels[(x**2 / 0.36**2 + y**2 / 0.5**2) < 1] = cv2.GC_FGD
    labels[(y > 0.3) & (np.abs(x) < 0.2 + below * 0.42)] = cv2.GC_FGD
    return labels


def _one_piece(solid: Mask, face: Face) -> Mask:
    """The piece that holds the face, without thin spikes, holes filled."""
    reach = max(1, round(face.size * 0.04))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    opened = cv2.morphologyEx(solid, cv2.MORPH_OPEN, kernel)
    _, pieces = cv2.connectedComponents(opened)
    y = min(solid.shape[0] - 1, max(0, round(face.top + face.size / 2)))
    x = min(solid.shape[1] - 1, max(0, round(face.centre_x)))
    if pieces[y, x] == 0:
        return np.zeros_like(solid)
    kept: Mask = np.asarray(pieces == pieces[y, x], np.uint8)
    # Hats and hair bulge outwards, so a bay in the outline above the eyes is a mistake.
    kept = _even(kept, face)
    brow = max(1, round(face.top + face.size * 0.4))
    kept[:brow] = np.maximum(kept[:brow], _hull(kept[:brow]))
    wide = max(1, round(face.size * 0.06))
    closing = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * wide + 1, 2 * wide + 1))
    room = cv2.copyMakeBorder(kept, wide, wide, wide, wide, cv2.BORDER_REPLICATE)
    kept = cv2.morphologyEx(room, cv2.MORPH_CLOSE, closing)[wide:-wide, wide:-wide]
    kept = np.ascontiguousarray(kept)
    outlines, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(kept, outlines, -1, 1, cv2.FILLED)
    # Halfway up the blurred edge is the outline; a little further in no background shines through.
    return np.asarray(blurred(np.asarray(kept, np.float32), face.size * 0.03) > 0.66, np.uint8)


def _even(solid: Mask, face: Face) -> Mask:
    """Heads are about as wide to the left as to the right: what sticks out on one side only is background behind it.

    Collars are even too, and where GrabCut loses one side of a shiny one the other side stands in.
    """
    height, width = solid.shape
    size, middle = face.size, face.centre_x
    evened = solid.copy()
    x = np.arange(width, dtype=np.float32)
    other = np.round(2 * middle - x).astype(int)
    near = (np.abs(x - middle) < size * 1.0) & (other >= 0) & (other < width)
    top, bottom = min(height, int(face.chin_y + size * 0.22)), min(height, int(face.chin_y + size * 0.8))
    collar = evened[top:bottom]
    collar[:, near] = np.maximum(collar[:, near], collar[:, other[near]])
    for y in range(max(0, int(face.top - size)), min(height, int(face.chin_y + size * 0.35))):
        row = np.flatnonzero(evened[y])
        if row.size:
            left, right = max(0.0, middle - row[0]), max(0.0, row[-1] - middle)
            evened[y, (x < middle - right * 1.05 - size * 0.02) | (x > middle + left * 1.05 + size * 0.02)] = 0
    return evened


def _hull(solid: Mask) -> Mask:
    points = cv2.findNonZero(solid)
    filled = np.zeros_like(solid)
    if points is not None:
        cv2.fillConvexPoly(filled, cv2.convexHull(points), 1)
    return np.asarray(filled, np.uint8)


def _fit_to_be_seen(solid: Mask, face: Face) -> bool:
    """Whether the outline is that of a portrait: a head of a head's width, free of the border, and not in shreds."""
    height, width = solid.shape
    size = face.size
    top, chin = max(0, round(face.top)), min(height, round(face.chin_y))
    left, right = max(0, round(face.left)), min(width, round(face.left + size))
    inner = solid[top + round(size * 0.15) : chin, left + round(size * 0.15) : right - round(size * 0.15)]
    if inner.size == 0 or inner.mean() < 0.93:
        return False
    head = solid[top:chin]
    widths = head.sum(axis=1) / size
    if not 0.7 < float(np.median(widths)) < 1.75:
        return False
    crown = int(np.argmax(solid.any(axis=1)))
    if crown <= 1 or not 0.02 < (face.top - crown) / size < 1.45:
        return False
    touching = head[:, :2].any(axis=1).mean() + head[:, -2:].any(axis=1).mean()
    if touching > 0.12:
        return False
    outlines, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)
    solidity = cv2.contourArea(outline) / max(1.0, cv2.contourArea(cv2.convexHull(outline)))
    return solidity > 0.66

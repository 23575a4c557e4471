"""Where the faces are, of people and of cats, with a second opinion on each."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from statuette_sketch.layers import luminance
from statuette_sketch.photo import Picture, Plane, to_bytes

_SEARCHED_EDGE_PX = 720
_SMALLEST_SHARE = 0.09

_CASCADES = Path(cv2.__file__).parent / "data"
_local = threading.local()

Grey = NDArray[Any]
"""Eight bits a pixel."""


class Face(NamedTuple):
    """A face's square in pixels of the photo; its bottom edge is near the chin."""

    left: float
    top: float
    size: float
    kind: Literal["person", "cat"]
    chin: float = 1.06
    """How far the chin is below the top, in sizes."""

    @property
    def centre_x(self) -> float:
        return self.left + self.size / 2

    @property
    def chin_y(self) -> float:
        return self.top + self.size * self.chin


def find_face(photo: Picture) -> Face | None:
    """The largest face that two detectors agree on, or that has eyes where eyes belong. People come before cats."""
    height, width = photo.shape[:2]
    scale = min(1.0, _SEARCHED_EDGE_PX / max(height, width))
    grey: Grey = np.asarray(luminance(photo) * 255, np.uint8)
    if scale < 1:
        grey = cv2.resize(
            grey, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
        )
    grey = cv2.equalizeHist(grey)
    found = _people(grey)
    kind: Literal["person", "cat"] = "person"
    if not found:
        found, kind = _cats(grey), "cat"
    if not found:
        return None
    left, top, size = max(found, key=lambda box: box[2])
    face = Face(left / scale, top / scale, size / scale, kind)
    return face._replace(chin=_chin(luminance(photo), face))


def _chin(light: Plane, face: Face) -> float:
    """Detectors frame a long face like a round one; the shadow below the chin tells them apart."""
    left, right = round(face.centre_x - face.size * 0.13), round(face.centre_x + face.size * 0.13)
    first, last = round(face.top + face.size * 0.86), round(face.top + face.size * 1.36)
    window = max(2, round(face.size * 0.06))
    column = light[max(0, first - window) : last + window, max(0, left) : right]
    if column.shape[0] < 4 * window or column.shape[1] < 2:
        return 1.06
    profile = np.median(column, axis=1)
    sums = np.concatenate([[0.0], np.cumsum(profile)])
    middle = np.arange(window, len(profile) - window)
    drop = (sums[middle] - sums[middle - window]) - (sums[middle + window] - sums[middle])
    # The first clear drop is the chin; a collar further down may be darker still.
    clear = max(0.05 * window, 0.4 * float(drop.max()))
    rising = np.append(drop[1:] > drop[:-1], False)
    steps = np.flatnonzero((drop > clear) & ~rising)
    if drop.max() < 0.07 * window or not steps.size:
        return 1.06
    best = int(steps[0])
    return float((max(0, first - window) + int(middle[best]) - face.top) / face.size)


Box = tuple[int, int, int]


def _people(grey: Grey) -> list[Box]:
    first = _detect("haarcascade_frontalface_alt2.xml", grey, 4)
    second = _detect("haarcascade_frontalface_default.xml", grey, 5)
    return [box for box in first if any(_overlap(box, other) > 0.35 for other in second) or _has_eyes(grey, box)]


def _cats(grey: Grey) -> list[Box]:
    first = _detect("haarcascade_frontalcatface.xml", grey, 3)
    second = _detect("haarcascade_frontalcatface_extended.xml", grey, 3)
    return [box for box in first if any(_overlap(box, other) > 0.35 for other in second)]


def _has_eyes(grey: Grey, box: Box) -> bool:
    left, top, size = box
    upper_half = grey[top + size // 6 : top + size * 6 // 10, left : left + size]
    eyes = _detector("haarcascade_eye_tree_eyeglasses.xml").detectMultiScale(
        upper_half, 1.08, 4, minSize=(size // 8, size // 8)
    )
    middles = [x + w / 2 for x, _, w, _ in eyes]
    return any(m < size / 2 for m in middles) and any(m > size / 2 for m in middles)


def _detect(cascade: str, grey: Grey, neighbours: int) -> list[Box]:
    smallest = max(24, round(min(grey.shape) * _SMALLEST_SHARE))
    boxes = _detector(cascade).detectMultiScale(grey, 1.1, neighbours, minSize=(smallest, smallest))
    return [(int(x), int(y), int(w)) for x, y, w, _ in boxes]


def _detector(cascade: str) -> cv2.CascadeClassifier:
    """One classifier a thread, since they keep state while they search."""
    loaded: dict[str, cv2.CascadeClassifier] = _local.__dict__.setdefault("loaded", {})
    if cascade not in loaded:
        loaded[cascade] = cv2.CascadeClassifier(str(_CASCADES / cascade))
    return loaded[cascade]


def _overlap(a: Box, b: Box) -> float:
    """Shared area over joint area."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[2], b[1] + b[2]) - max(a[1], b[1])
    shared = max(0, wide) * max(0, high)
    return shared / (a[2] ** 2 + b[2] ** 2 - shared)


def eight_bit(photo: Picture) -> NDArray[np.uint8]:
    """The photo as OpenCV's classic algorithms want it."""
    return np.ascontiguousarray(to_bytes(photo))

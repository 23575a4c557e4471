"""From a request to a finished picture: cut out, sculpt, put on a base, light the set, photograph."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import cv2
import numpy as np

from statuette.ports.image import ImageRequest, InputRole
from statuette_sketch import backdrop, bases, packaging, scenery
from statuette_sketch.body import assembled, brick_body, round_body
from statuette_sketch.cutout import Cutout, cut_out
from statuette_sketch.faces import Face, find_face
from statuette_sketch.layers import Layer, blurred, grid, over, scaled, smoothstep, stack
from statuette_sketch.lettering import name_in
from statuette_sketch.photo import Picture, decode, encode_png
from statuette_sketch.portrait import bust, clothes, head
from statuette_sketch.relief import relief
from statuette_sketch.revision import revised
from statuette_sketch.shading import Light
from statuette_sketch.styles import Look, look_for

_LONGEST_EDGE_PX = 1280


class Subject(NamedTuple):
    """One input, understood. `cut` is None when the photo has no clean outline."""

    photo: Picture
    face: Face | None
    cut: Cutout | None


class Shot(NamedTuple):
    """Everything the picture depends on apart from the subjects."""

    width: int
    height: int
    look: Look
    light: Light
    name: str
    random: np.random.Generator


def render_png(request: ImageRequest, variation: int) -> bytes:
    """One of the request's pictures. The same request and variation give the same bytes.

    Raises:
        UndecodableInput: final.
    """
    cv2.setRNGSeed(1)
    width, height = size_for(request.aspect_ratio)
    shot = _shot(request, variation, width, height)
    photos = [(i.role, decode(i.data)) for i in request.inputs]
    subjects = [understood(photo) for role, photo in photos if role is InputRole.subject]
    if not subjects:
        earlier = [photo for role, photo in photos if role is InputRole.previous]
        if earlier:
            return encode_png(revised(earlier[0], width, height, shot.light, shot.random))
        subjects = [understood(photos[0][1])]
    return encode_png(photographed(subjects, shot))


def size_for(aspect_ratio: str) -> tuple[int, int]:
    """Pixels for `width:height`; the longest edge is always the same."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    scale = _LONGEST_EDGE_PX / max(across, down)
    return round(across * scale), round(down * scale)


def understood(photo: Picture) -> Subject:
    face = find_face(photo)
    return Subject(photo, face, cut_out(photo, face) if face is not None else None)


def _shot(request: ImageRequest, variation: int, width: int, height: int) -> Shot:
    number = hashlib.sha256(f"{request.seed}/{variation}/{request.style}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(number[:8], "big"))
    look = look_for(request.style, request.variables)
    light = Light(side=-1.0)
    if request.seed or variation:
        # The first picture of a style is its art-directed one; others move the lamp and the paint on the wall.
        light = Light(side=-1.0 if variation % 2 == 0 else 1.0, height=random.uniform(0.6, 0.9))
        turn = look.hue_swing * (variation * 0.31 + random.uniform(-0.12, 0.12))
        look = look._replace(backdrop=backdrop.recoloured(look.backdrop, turn))
    return Shot(width, height, look, light, name_in(request.variables), random)


def photographed(subjects: list[Subject], shot: Shot) -> Picture:
    """The whole picture."""
    look, width, height = shot.look, shot.width, shot.height
    horizon = 0.62
    canvas = backdrop.painted_backdrop(width, height, horizon, look.backdrop, shot.light, shot.random)
    reach = min(width * (1.35 if height > width else 1.06), height)
    figures = [_figure(subject, round(reach * _tall(look, subject)), shot) for subject in subjects]
    if look.package == "card":
        _hang_cards(canvas, figures, shot)
        return _developed(canvas)
    group = _group(figures)
    half = _base_half_width(look, group, subjects)
    stand = bases.made(look.base, half, shot.name, shot.light) if look.base.support != "none" else None
    whole, floor_from_top = _on_base(group, stand)
    if look.backdrop.setting == "sky" and stand is not None:
        whole = scenery.planted(whole, floor_from_top, stand, shot.name, look, shot.light, shot.random)
    limit = min(width * 0.9 / whole.width, height * 0.86 / whole.height, 1.0)
    if limit < 1:
        whole, half, floor_from_top = scaled(whole, limit), half * limit, floor_from_top * limit
    floor_y = height * (0.89 if height <= width else 0.84)
    floor_y = min(floor_y, (height + whole.height) / 2 + height * 0.04) if height > width * 1.2 else floor_y
    floor_y = min(floor_y, height * 0.975 - whole.height + floor_from_top)
    left, top = width / 2 - whole.width / 2, floor_y - floor_from_top
    if look.package == "box":
        left = _beside_box(canvas, whole, floor_y, shot)
    if look.package == "sprue":
        _before_sprues(canvas, whole, floor_y - half * 0.3, shot)
    foot = stand.half_width * min(1.0, limit) if stand is not None else half
    backdrop.contact_shadow(canvas, left + whole.width / 2, floor_y - 2, foot, foot * 0.21, shot.light)
    backdrop.mirrored(canvas, whole, left, top, floor_y + foot * 0.17, look.backdrop.gloss * 0.5)
    over(canvas, whole, left, top)
    return _developed(canvas)


def _tall(look: Look, subject: Subject) -> float:
    """Height of a figure as a share of the picture."""
    if subject.cut is None:
        return 0.48 if look.package == "box" else 0.58
    if look.base.support == "pedestal":
        return 0.57
    return {"bust": 0.68, "toy": 0.74, "brick": 0.72}[look.build]


def _figure(subject: Subject, height: int, shot: Shot) -> Layer:
    """A sculpted subject, standing on the lower edge of its layer."""
    look, light = shot.look, shot.light
    if subject.cut is None:
        return relief(subject.photo, subject.face, height, look, light)
    if look.build == "bust":
        return bust(subject.cut, height, look, light)
    top, chin_x = head(subject.cut, round(height * look.proportions.head), look, light)
    dress = clothes(subject.cut)
    # A bobblehead shows a gap where its spring is; other heads sit on their shoulders.
    overlap = round(height * (-0.035 if look.proportions.spring else 0.035))
    body_px = height - top.height + overlap
    body, body_x = (brick_body if look.build == "brick" else round_body)(dress, body_px, look, light)
    return assembled(top, chin_x, body, body_x, overlap)


def _group(figures: list[Layer]) -> Layer:
    """Figures side by side, close together, feet on one line."""
    if len(figures) == 1:
        return figures[0]
    closeness = 0.86
    height = max(figure.height for figure in figures)
    width = round(sum(figure.width for figure in figures[:-1]) * closeness + figures[-1].width)
    whole = Layer(np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32))
    left = 0.0
    for figure in figures:
        whole = stack(whole, figure, left, height - figure.height)
        left += figure.width * closeness
    return whole


def _base_half_width(look: Look, group: Layer, subjects: list[Subject]) -> float:
    share = {"disc": 0.36, "pedestal": 0.38, "plate": 0.62, "ground": 0.74, "none": 0.36}[look.base.support]
    if look.build == "toy" and look.base.support == "disc":
        share = 0.5
    if any(s.cut is None for s in subjects):
        share = {"pedestal": 0.38, "plate": 0.6, "ground": 0.58}.get(look.base.support, 0.44)
    if len(subjects) > 1:
        share = max(0.5, share * 0.8)
    return group.width * share


def _on_base(group: Layer, stand: bases.Stand | None) -> tuple[Layer, float]:
    """Figure and base as one layer, and the y of the base's lower middle."""
    if stand is None:
        return group, float(group.height)
    width = max(group.width, stand.layer.width) + 4
    sunk = stand.half_width * 0.05
    upper = max(0.0, group.height - sunk - stand.stand_y)
    height = round(upper + stand.layer.height)
    whole = Layer(np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32))
    base_x = (width - stand.layer.width) / 2
    whole = stack(whole, stand.layer, base_x, upper)
    feet = blurred(np.asarray(group.alpha[-max(2, group.height // 30) :].max(axis=0, keepdims=True), np.float32), 4)
    _, y = grid(width, height)
    line = np.zeros((1, width), np.float32)
    gx = round((width - group.width) / 2)
    line[:, gx : gx + group.width] = feet
    spread = stand.half_width * 0.05
    occlusion = blurred(line, spread * 0.8) * np.exp(-(((y - upper - stand.stand_y) / (spread * 1.2)) ** 2)) * 0.7
    whole.rgb[:] *= (1 - occlusion)[..., None]
    whole = stack(whole, group, gx, upper + stand.stand_y + sunk - group.height)
    return whole, upper + stand.floor_y


def _hang_cards(canvas: Picture, figures: list[Layer], shot: Shot) -> None:
    """Each figure on a card of its own, hanging before the wall."""
    width, height = shot.width, shot.height
    tall = min(height * 0.9, width * 0.9 / (0.7 * len(figures) + 0.05 * (len(figures) - 1)))
    accent = _accent(shot)
    cards = [packaging.carded(figure, round(tall), shot.name, accent, shot.light) for figure in figures]
    gap = tall * 0.05
    left = width / 2 - (sum(c.width for c in cards) + gap * (len(cards) - 1)) / 2
    for card in cards:
        top = height / 2 - card.height / 2
        for softness, drift, strength in ((0.03, 0.02, 0.45), (0.008, 0.006, 0.4)):
            pad = round(card.height * 0.09)
            cast = blurred(np.pad(card.alpha, pad), card.height * softness)
            dark = Layer(np.zeros((*cast.shape, 3), np.float32), cast)
            over(
                canvas,
                dark,
                left - pad - shot.light.side * card.height * drift,
                top - pad + card.height * drift * 1.3,
                strength,
            )
        over(canvas, card, left, top)
        left += card.width + gap


def _before_sprues(canvas: Picture, whole: Layer, floor_y: float, shot: Shot) -> None:
    """The casting frame behind the figure, out of focus, with its shadow on the wall."""
    frame = packaging.sprues(round(whole.width * 1.5), round(whole.height * 0.9), shot.look, shot.light)
    soft = Layer(cv2.GaussianBlur(frame.rgb, (0, 0), 2.2), cv2.GaussianBlur(frame.alpha, (0, 0), 2.2))
    left, top = shot.width / 2 - frame.width / 2, floor_y - frame.height
    over(canvas, Layer(np.zeros_like(soft.rgb), blurred(soft.alpha, 9)), left - 16 * shot.light.side, top + 12, 0.4)
    over(canvas, soft, left, top)


def _beside_box(canvas: Picture, whole: Layer, floor_y: float, shot: Shot) -> float:
    """The box behind the figure's shoulder; returns the figure's new left edge."""
    box = packaging.boxed(round(whole.height * 0.94), shot.name, _accent(shot), shot.light)
    room = shot.width * 0.97
    joint = box.width + whole.width * 0.72
    if joint > room:
        box = scaled(box, max(0.45, (room - whole.width * 0.72) / box.width))
        joint = box.width + whole.width * 0.72
    left = shot.width / 2 - joint / 2
    box_floor = floor_y - shot.height * 0.035
    cx = left + box.width / 2
    backdrop.contact_shadow(canvas, cx, box_floor - 4, box.width * 0.5, box.width * 0.06, shot.light)
    backdrop.mirrored(canvas, box, left, box_floor - box.height, box_floor - 2, shot.look.backdrop.gloss * 0.35)
    over(
        canvas,
        Layer(cv2.GaussianBlur(box.rgb, (0, 0), 1.0), cv2.GaussianBlur(box.alpha, (0, 0), 1.0)),
        left,
        box_floor - box.height,
    )
    return left + joint - whole.width


def _accent(shot: Shot) -> tuple[float, float, float]:
    base = (0.86, 0.16, 0.2) if shot.look.package == "card" else (0.98, 0.56, 0.72)
    return backdrop.turned(base, float(shot.random.uniform(0, 1)) if shot.light.side > 0 else 0.0)


def _developed(canvas: Picture) -> Picture:
    """The camera: bloom on the highlights, a soft far floor, a gentle curve, grain finer than one step."""
    bright = np.clip(canvas - 0.86, 0, 1)
    canvas = np.clip(canvas + blurred(np.asarray(bright, np.float32), canvas.shape[1] / 90) * 0.6, 0, 1)
    canvas = canvas + 0.06 * (canvas - 0.5) * (1 - np.abs(2 * canvas - 1))
    rows = np.arange(canvas.shape[0], dtype=np.float32)[:, None] / canvas.shape[0]
    near = smoothstep(0.955, 1.0, rows)[..., None]
    canvas = canvas + (cv2.GaussianBlur(np.asarray(canvas, np.float32), (0, 0), 4) - canvas) * near
    dither = np.random.default_rng(11).random(canvas.shape[:2], np.float32)[..., None] - 0.5
    return np.asarray(np.clip(canvas + dither / 255, 0, 1), np.float32)

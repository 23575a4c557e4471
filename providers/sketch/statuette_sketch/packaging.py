"""What a figure is sold in: a carded blister, a box for blind buys, a casting frame with loose parts."""

from __future__ import annotations

import cv2
import numpy as np

from statuette_sketch.layers import RGB, Layer, blurred, grid, mixed, over, scaled, smoothstep, stack
from statuette_sketch.lettering import written
from statuette_sketch.photo import Picture
from statuette_sketch.relief import rounded_distance
from statuette_sketch.shading import Light, inflated, lit
from statuette_sketch.styles import Look


def carded(figure: Layer, height: int, name: str, accent: RGB, light: Light) -> Layer:
    """The figure in a clear blister on a printed card with its name, `height` pixels high."""
    width = round(height * 0.70)
    x, y = grid(width, height)
    card = smoothstep(
        0.7, -0.7, rounded_distance(x - width / 2, y - height / 2, width / 2 - 2, height / 2 - 2, height * 0.022)
    )
    hole = rounded_distance(x - width / 2, y - height * 0.032, width * 0.075, height * 0.009, height * 0.009)
    card *= smoothstep(-0.7, 0.7, hole)
    art = _card_art(width, height, name or "LIMITED", accent)

    left, right, top, bottom = width * 0.1, width * 0.9, height * 0.225, height * 0.9
    bubble = rounded_distance(
        x - (left + right) / 2, y - (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2, width * 0.1
    )
    inside = smoothstep(0.8, -0.8, bubble)
    shade = 1 - 0.5 * inside * smoothstep(-width * 0.16, 0, bubble) - 0.12 * inside
    art *= shade[..., None]

    room = (right - left) * 0.86 / figure.width, (bottom - top) * 0.9 / figure.height
    toy = scaled(figure, min(room))
    fx, fy = width / 2 - toy.width / 2, bottom - height * 0.03 - toy.height
    cast = Layer(np.zeros_like(toy.rgb), blurred(toy.alpha, height * 0.008))
    over(art, cast, fx - light.side * width * 0.03, fy + height * 0.012, 0.55)
    over(art, toy, fx, fy)

    tray = smoothstep(bottom - height * 0.05, bottom - height * 0.045, y) * inside
    art += (np.asarray(mixed(accent, (1, 1, 1), 0.75), np.float32) - art) * (tray * 0.42)[..., None]
    _plastic(art, bubble, inside, x, y, width, height, light)
    art += (1 - art) * (np.exp(-((y - 3) ** 2) / 6) * 0.4)[..., None]
    return Layer(np.asarray(np.clip(art, 0, 1), np.float32), np.asarray(card, np.float32))


def _card_art(width: int, height: int, name: str, accent: RGB) -> Picture:
    x, y = grid(width, height)
    angle = np.arctan2(y - height * 0.56, x - width / 2)
    rays = smoothstep(-0.06, 0.06, np.asarray(np.sin(angle * 14), np.float32))[..., None]
    glow = np.exp(-((np.hypot(x - width / 2, y - height * 0.56) / (width * 0.55)) ** 2))[..., None]
    dark, bright = np.asarray(mixed(accent, (0.02, 0.02, 0.08), 0.62), np.float32), np.asarray(accent, np.float32)
    art = dark + (bright - dark) * (0.35 + 0.4 * rays) + (1 - dark) * glow * 0.38
    art = np.clip(art, 0, 1).astype(np.float32)
    band = np.asarray(y + (x - width / 2) * 0.1, np.float32)
    art += (np.asarray((0.985, 0.8, 0.16), np.float32) - art) * (
        smoothstep(height * 0.066, height * 0.068, band) * smoothstep(height * 0.207, height * 0.205, band)
    )[..., None]
    art += (np.asarray((0.07, 0.07, 0.1), np.float32) - art) * (
        smoothstep(height * 0.074, height * 0.076, band) * smoothstep(height * 0.199, height * 0.197, band)
    )[..., None]
    title = written(name.upper(), round(height * 0.088), round(width * 0.8), 0.07, 0.14)
    title = _sloped(title, -0.1)
    print_on(art, title, width / 2, height * 0.137, (1.0, 0.98, 0.92))
    print_on(
        art,
        written("COLLECTIBLE FIGURE", round(height * 0.026), round(width * 0.5), 0.05),
        width * 0.36,
        height * 0.948,
        (1, 1, 1),
    )
    seal = smoothstep(height * 0.036, height * 0.034, np.hypot(x - width * 0.84, y - height * 0.945))
    art += (np.asarray((0.985, 0.8, 0.16), np.float32) - art) * seal[..., None]
    print_on(
        art,
        written("5+", round(height * 0.032), round(width * 0.1), 0.07),
        width * 0.84,
        height * 0.945,
        (0.1, 0.08, 0.1),
    )
    return art


def _plastic(
    art: Picture, bubble: Picture, inside: Picture, x: Picture, y: Picture, width: int, height: int, light: Light
) -> None:
    """The clear bubble: bright edges where it bends, a window's reflection across its face."""
    bend = np.exp(-(((bubble + width * 0.02) / (width * 0.007)) ** 2)) + 0.7 * np.exp(-(((bubble + 2) / 2.6) ** 2))
    toward = 0.35 + 0.65 * smoothstep(
        -0.5, 0.6, np.asarray((x / width - 0.5) * light.side - (y / height - 0.55), np.float32)
    )
    flange = smoothstep(width * 0.028, width * 0.026, bubble) * (1 - inside)
    art += (1 - art) * (flange * 0.16)[..., None]
    art += (1 - art) * np.clip(bend * toward * 0.75, 0, 1)[..., None]
    run = np.asarray((x + y * 0.32) / width, np.float32)
    for start, wide, strength in ((0.36, 0.10, 0.17), (0.49, 0.03, 0.12), (0.98, 0.06, 0.09)):
        streak = smoothstep(start, start + 0.006, run) * smoothstep(start + wide, start + wide - 0.006, run)
        art += (1 - art) * (streak * inside * strength * smoothstep(0.92, 0.3, np.asarray(y / height, np.float32)))[
            ..., None
        ]
    down = np.exp(-(((bubble + width * 0.02) / (width * 0.012)) ** 2)) * (1 - toward) * 0.35 * inside
    art *= (1 - down)[..., None]


def boxed(height: int, name: str, accent: RGB, light: Light) -> Layer:
    """A closed box for a blind buy, its front turned a little: pattern, round window with a question mark, name."""
    front_w, depth = round(height * 0.72), round(height * 0.2)
    x, y = grid(front_w, height)
    pale, deep = mixed(accent, (1, 1, 1), 0.55), mixed(accent, (0.2, 0.08, 0.35), 0.35)
    v = (y / height)[..., None]
    art: Picture = np.asarray(pale, np.float32) * (1 - v) + np.asarray(accent, np.float32) * v
    art = np.broadcast_to(art, (height, front_w, 3)).astype(np.float32).copy()
    pitch = front_w / 7
    row = np.floor(y / pitch)
    dots = np.hypot((x + row * pitch / 2) % pitch - pitch / 2, y % pitch - pitch / 2)
    art += (1 - art) * (smoothstep(pitch * 0.16, pitch * 0.13, np.asarray(dots, np.float32)) * 0.4)[..., None]
    away = np.hypot(x - front_w / 2, y - height * 0.42) / (front_w * 0.36)
    art += (1 - art) * smoothstep(1.08, 1.06, away)[..., None]
    pane = np.asarray(deep, np.float32) * (0.75 + 0.5 * (1 - away))[..., None]
    art += (np.clip(pane, 0, 1) - art) * smoothstep(1.0, 0.985, away)[..., None]
    print_on(
        art,
        written("?", round(height * 0.36), round(front_w * 0.5), 0.09),
        front_w / 2,
        height * 0.42,
        mixed(accent, (1, 1, 1), 0.75),
    )
    glare = smoothstep(0.0, 0.02, np.asarray((x + y * 0.5) / front_w - 0.62, np.float32)) * smoothstep(
        0.16, 0.14, np.asarray((x + y * 0.5) / front_w - 0.62, np.float32)
    )
    art += (1 - art) * (glare * smoothstep(1.0, 0.985, away) * 0.3)[..., None]
    strip = smoothstep(height * 0.775, height * 0.779, y) * smoothstep(height * 0.925, height * 0.921, y)
    art += (1 - art) * (strip * 0.92)[..., None]
    print_on(
        art,
        written((name or "Surprise").upper(), round(height * 0.085), round(front_w * 0.84), 0.07),
        front_w / 2,
        height * 0.85,
        deep,
    )
    art *= (1.03 - 0.1 * (x / front_w - 0.5) * -light.side)[..., None]

    side = np.asarray(deep, np.float32) * np.linspace(1.05, 0.8, height, dtype=np.float32)[:, None, None]
    side = np.broadcast_to(side, (height, depth, 3)).astype(np.float32).copy()
    sx, sy = grid(depth, height)
    side += (1 - side) * (
        smoothstep(
            pitch * 0.16, pitch * 0.13, np.asarray(np.hypot(sx % pitch - pitch / 2, sy % pitch - pitch / 2), np.float32)
        )
        * 0.12
    )[..., None]
    return _turned_box(art, side, light)


def _turned_box(front: Picture, side: Picture, light: Light) -> Layer:
    """Front and right side in two-point perspective."""
    height, front_w = front.shape[:2]
    wide, deep = round(front_w * 0.97), round(side.shape[1] * 0.9)
    width, total = wide + deep + 4, height + 4
    near_x, sink_l, sink_r = float(wide), height * 0.025, height * 0.055
    shapes = (
        (
            front,
            [(2, 2 + sink_l), (near_x, 2), (near_x, total - 2), (2, total - 2 - sink_l)],
            1.0 if light.side < 0 else 0.93,
        ),
        (
            side,
            [(near_x, 2), (width - 2, 2 + sink_r), (width - 2, total - 2 - sink_r), (near_x, total - 2)],
            0.72 if light.side < 0 else 0.95,
        ),
    )
    box = Layer(np.zeros((total, width, 3), np.float32), np.zeros((total, width), np.float32))
    for face, corners, brightness in shapes:
        h, w = face.shape[:2]
        source = np.asarray([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
        turn = cv2.getPerspectiveTransform(source, np.asarray(corners, np.float32))
        rgb = cv2.warpPerspective(face, turn, (width, total), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpPerspective(np.ones((h, w), np.float32), turn, (width, total), flags=cv2.INTER_LINEAR)
        box = stack(
            box, Layer(np.asarray(np.clip(rgb * brightness, 0, 1), np.float32), np.asarray(alpha, np.float32)), 0, 0
        )
    edge = round(near_x)
    box.rgb[:, edge - 1 : edge + 2] += 0.18
    return Layer(np.asarray(np.clip(box.rgb, 0, 1), np.float32), box.alpha)


def sprues(width: int, height: int, look: Look, light: Light) -> Layer:
    """The frame a kit's loose parts are cast in: rods, gates and a few small parts, standing behind the figure."""
    mask = np.zeros((height, width), np.uint8)
    rod = max(4, round(height * 0.022))
    left, right, top, bottom = rod * 2, width - rod * 2, rod * 2, height - rod
    cv2.rectangle(mask, (left, top), (right, bottom), 255, rod, cv2.LINE_AA)
    for share in (0.2, 0.8):
        cv2.line(mask, (round(width * share), top), (round(width * share), bottom), 255, rod, cv2.LINE_AA)
    for row, share in enumerate((0.2, 0.42, 0.64, 0.86)):
        y = round(height * share)
        for side in (0.1, 0.9):
            cx = round(width * side)
            cv2.line(
                mask, (round(width * (0.2 if side < 0.5 else 0.8)), y), (cx, y), 255, max(2, rod // 2), cv2.LINE_AA
            )
            if row % 2:
                cv2.ellipse(
                    mask, (cx, y), (round(width * 0.042), round(height * 0.05)), 20, 0, 360, 255, -1, cv2.LINE_AA
                )
            else:
                half_w, half_h = round(width * 0.035), round(height * 0.06)
                cv2.rectangle(mask, (cx - half_w, y - half_h), (cx + half_w, y + half_h), 255, -1)
    alpha = np.asarray(mask, np.float32) / 255
    alpha = np.asarray(np.clip((blurred(alpha, 1.4) - 0.3) * 2.2, 0, 1), np.float32)
    colour = np.ones((height, width, 3), np.float32) * 0.8
    rgb = lit(colour, inflated(alpha, rod * 0.8), look.material, light)
    return Layer(np.asarray(rgb * 0.86, np.float32), alpha)


def print_on(art: Picture, ink: Picture, cx: float, cy: float, colour: RGB) -> None:
    """Letters in flat colour, centred."""
    over(
        art,
        Layer(np.broadcast_to(np.asarray(colour, np.float32), (*ink.shape, 3)), ink),
        cx - ink.shape[1] / 2,
        cy - ink.shape[0] / 2,
    )


def _sloped(ink: Picture, slope: float) -> Picture:
    height, width = ink.shape
    rise = int(abs(slope) * width) + 2
    matrix = np.asarray([[1, 0, 0], [slope, 1, rise if slope < 0 else 0]], np.float32)
    return np.asarray(cv2.warpAffine(ink, matrix, (width, height + rise)), np.float32)

"""Intake of a 12-megapixel JPEG against a bare Pillow thumbnail and save, turn by turn in one run.

The bar is 1.25 times the bare script. The bare script runs in this process, on a thread of its own; intake runs in the
pool's child, so its figure includes both pipes and the digest.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import time

from PIL import Image
from skimage import data

from statuette.kernel.pixels.pool import PixelPool
from tests.bench.report import Figure, at_most

BAR = 1.25
_ROUNDS = 15
_EDGES = (2048, 2048)


def _twelve_megapixels() -> bytes:
    """A real photo (public domain, 512 × 512), enlarged, with grain so that it weighs what a phone's photo weighs."""
    portrait = Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]
    photo = portrait.resize((4000, 3000), Image.Resampling.BICUBIC)
    grain = Image.effect_noise(photo.size, 24).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(photo, grain, 0.2).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _bare(photo: bytes) -> None:
    picture = Image.open(io.BytesIO(photo))
    picture.thumbnail(_EDGES)
    picture.save(io.BytesIO(), "JPEG")


async def measure() -> list[Figure]:
    photo = await asyncio.to_thread(_twelve_megapixels)
    pool = PixelPool(workers=1)
    await pool.start()
    ratios = []
    try:
        for _ in range(_ROUNDS):
            begin = time.perf_counter()
            await pool.normalise(photo)
            middle = time.perf_counter()
            await asyncio.to_thread(_bare, photo)
            ratios.append((middle - begin) / (time.perf_counter() - middle))
    finally:
        await pool.aclose()
    how = f"median of {_ROUNDS}, in turns with a bare Pillow thumbnail and save of the same {len(photo) // 1000} kB"
    return [at_most("intake of a 12-megapixel JPEG", statistics.median(ratios), BAR, how)]

"""Intake of a 12-megapixel JPEG against a bare Pillow thumbnail and save, turn by turn in one run.

The bar is 1.25 times the bare script. The bare script runs in this process, on a thread of its own; intake runs in the
pool's child, so its figure includes both pipes and the digest.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import time
from typing import Any

from PIL import Image
from skimage import data
from statuette.kernel.pixels.pool import PixelPool

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


async def measure() -> dict[str, Any]:
    """Medians in seconds and their ratio."""
    photo = await asyncio.to_thread(_twelve_megapixels)
    pool = PixelPool(workers=1)
    await pool.start()
    intake, bare = [], []
    try:
        for _ in range(_ROUNDS):
            begin = time.perf_counter()
            await pool.normalise(photo)
            middle = time.perf_counter()
            await asyncio.to_thread(_bare, photo)
            intake.append(middle - begin)
            bare.append(time.perf_counter() - middle)
    finally:
        await pool.aclose()
    intake_seconds, bare_seconds = statistics.median(intake), statistics.median(bare)
    return {
        "what": "intake of a 12-megapixel JPEG",
        "how": f"median of {_ROUNDS}, in turns with a bare Pillow thumbnail and save of the same {len(photo)} bytes",
        "intake_seconds": intake_seconds,
        "bare_seconds": bare_seconds,
        "ratio": intake_seconds / bare_seconds,
        "bar": BAR,
    }


if __name__ == "__main__":
    print(asyncio.run(measure()))

"""What a pixel child takes for a provider's picture."""

from __future__ import annotations

from statuette.kernel.pixels.pool import PixelPool
from statuette.testing.pictures import picture_png
from tests.bench.cluster import cpu_seconds
from tests.simulation.process import EDGE_PIXELS

_ROUNDS = 20


async def render_ms() -> float:
    """CPU time for one picture of a megapixel, made fit to serve in three sizes."""
    pool = PixelPool(workers=1)
    await pool.start()
    try:
        picture = picture_png(EDGE_PIXELS, EDGE_PIXELS)
        await pool.render(picture, provenance="scripted/scripted-1")
        [child] = pool.pids()
        before = cpu_seconds(child)
        for _ in range(_ROUNDS):
            await pool.render(picture, provenance="scripted/scripted-1")
        return 1000 * (cpu_seconds(child) - before) / _ROUNDS
    finally:
        await pool.aclose()

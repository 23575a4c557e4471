"""A process of the cluster for a measurement, as `tests.bench.process`, whose model answers with a picture of one megapixel."""

from __future__ import annotations

import sys

from statuette.kernel.running import Role
from statuette.testing.pictures import picture_png
from tests.bench import process

EDGE_PIXELS = 1024


def main(role: Role, provider_seconds: float) -> None:
    picture = picture_png(EDGE_PIXELS, EDGE_PIXELS)
    process.picture_png = lambda *_: picture  # type: ignore[assignment]
    process.main(role, provider_seconds)


if __name__ == "__main__":
    main(Role(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)

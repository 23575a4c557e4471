"""The image port's suite, run against the renderer."""

from __future__ import annotations

from statuette.ports.image import ImageProvider
from statuette.testing.image_suite import ImageProviderSuite
from statuette_sketch.provider import SketchProvider


class TestSketch(ImageProviderSuite):
    def make_provider(self) -> ImageProvider:
        return SketchProvider()

"""The image port's suite, run against the renderer."""

from __future__ import annotations

import pytest

from statuette.ports.image import ImageProvider
from statuette.testing.image_suite import ImageProviderSuite
from statuette_sketch.provider import SketchProvider


@pytest.mark.usefixtures("half_size", "known_photos")
class TestSketch(ImageProviderSuite):
    def make_provider(self) -> ImageProvider:
        return SketchProvider()

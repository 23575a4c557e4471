"""The entry point: registers the provider. Neither OpenCV nor numpy is imported before the first picture."""

from __future__ import annotations

from collections.abc import Sequence

from statuette.hookspecs import hookimpl
from statuette.plugin import Plugin, PluginContext
from statuette.ports.image import ImageProvider


class SketchPlugin(Plugin):
    name = "sketch"
    version = "0.1.0"
    requires = ">=0.1,<0.2"

    @hookimpl
    def image_providers(self, context: PluginContext) -> Sequence[ImageProvider]:
        from statuette_sketch.provider import SketchProvider

        return [SketchProvider()]


plugin = SketchPlugin()

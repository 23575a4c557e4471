"""The plugin: offers the provider as soon as a key is set."""

from __future__ import annotations

from collections.abc import Sequence

from statuette.hookspecs import hookimpl
from statuette.plugin import Plugin, PluginContext
from statuette.ports.image import ImageProvider
from statuette_gemini.config import GeminiConfig, check
from statuette_gemini.provider import GeminiImageProvider


class GeminiPlugin(Plugin):
    name = "gemini"
    version = "0.1.0"
    requires = ">=0.1,<0.2"
    Config = GeminiConfig

    @hookimpl
    def image_providers(self, context: PluginContext) -> Sequence[ImageProvider]:
        config: GeminiConfig = context.config
        if not config.api_key:
            return ()
        check(config, live=context.live)
        return (GeminiImageProvider(config, context.clock),)


plugin = GeminiPlugin()

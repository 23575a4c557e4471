"""A plugin for processes of tests: the queue-based image model of `statuette.testing`, at the address that it is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from statuette import Plugin, PluginContext, hookimpl
from statuette.ports.image import ImageProvider
from statuette.testing.queued_image import QueuedImageProvider


class Config(msgspec.Struct, frozen=True):
    url: Annotated[str, msgspec.Meta(extra={"env": "QUEUED_URL"})] = ""
    api_key: Annotated[str, msgspec.Meta(extra={"env": "QUEUED_API_KEY", "secret": True})] = ""


class QueuedPlugin(Plugin):
    name = "queued"
    version = "0.1.0"
    requires = ">=0.1,<0.2"
    Config = Config

    @hookimpl
    def image_providers(self, context: PluginContext) -> Sequence[ImageProvider]:
        config: Config = context.config
        return (QueuedImageProvider(config.url, config.api_key),) if config.url else ()


plugin = QueuedPlugin()

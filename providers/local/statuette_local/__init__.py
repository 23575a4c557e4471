"""Objects in a local folder, durable, with signed addresses of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from statuette import Plugin, PluginContext, hookimpl
from statuette.ports.storage import Storage
from statuette_local.storage import LocalStorage


class LocalConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        root: the folder of the objects; None for `objects` below the plugin's data folder.
        encrypted_volume: the operator attests that the folder lies on an encrypted volume; nothing here can check it.
    """

    root: str | None = None
    encrypted_volume: bool = False


class LocalPlugin(Plugin):
    name = "local"
    version = "0.1.0"
    requires = ">=0.1,<0.2"
    Config = LocalConfig

    @hookimpl
    def storages(self, context: PluginContext) -> Sequence[Storage]:
        return [_storage(context)]

    @hookimpl
    def routes(self, context: PluginContext) -> Sequence[Any]:
        # Only a server needs the web framework; commands that load plugins should not wait for it.
        from statuette_local.serving import object_routes

        return object_routes(_storage(context))


def _storage(context: PluginContext) -> LocalStorage:
    """Each hook makes its own: the folder is the only state, and its path and key come from the context."""
    config = context.config
    return LocalStorage(
        root=context.data_dir / "objects" if config.root is None else Path(config.root),
        clock=context.clock,
        public_url=context.public_url,
        signing_key=context.master_key,
        encrypted_volume=config.encrypted_volume,
    )


plugin = LocalPlugin()

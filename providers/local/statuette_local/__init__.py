"""Objects in a local folder, durable, with signed addresses of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from statuette import Plugin, PluginContext, hookimpl
from statuette.ports.anchor import Anchor
from statuette.ports.storage import Storage
from statuette_local.anchor import FileAnchor
from statuette_local.storage import LocalStorage


class LocalConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        root: the folder of the objects; None for `objects` below the plugin's data folder.
        anchor_file: where signed heads of the evidence log are kept as well, one a line: on another machine's volume. Its folder
            must exist.
        encrypted_volume: the operator attests that the folder lies on an encrypted volume; nothing here can check it.
        journal_root: a folder for the erasure journal (`journal_storage = "local_journal"`), on another disk or a mount.
        journal_off_host: the operator attests that `journal_root` is another machine's, mounted here.
    """

    root: str | None = None
    anchor_file: str | None = None
    encrypted_volume: bool = False
    journal_root: str | None = None
    journal_off_host: bool = False


class LocalPlugin(Plugin):
    name = "local"
    version = "0.1.0"
    requires = ">=0.1,<0.2"
    Config = LocalConfig

    @hookimpl
    def storages(self, context: PluginContext) -> Sequence[Storage]:
        return [_storage(context), *_journal(context)]

    @hookimpl
    def anchors(self, context: PluginContext) -> Sequence[Anchor]:
        path = context.config.anchor_file
        return [] if path is None else [FileAnchor(Path(path))]

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


def _journal(context: PluginContext) -> list[LocalStorage]:
    config = context.config
    if config.journal_root is None:
        return []
    store = LocalStorage(
        root=Path(config.journal_root),
        clock=context.clock,
        public_url=context.public_url,
        signing_key=context.master_key,
        name="local_journal",
        off_host=config.journal_off_host,
    )
    return [store]


plugin = LocalPlugin()

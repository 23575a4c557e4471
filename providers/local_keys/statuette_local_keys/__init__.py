"""Data keys in a folder of their own, wrapped by a master key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from statuette import Plugin, PluginContext, hookimpl
from statuette.ports.keys import KeyStore

__all__ = ["LocalKeysConfig", "LocalKeysPlugin", "plugin"]


class LocalKeysConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        directory: folder of the wrapped keys; `keys` in the plugin's data folder unless set. Back it up apart from the
            database.
        master_key_file: file of master keys, newest last, readable by this user alone. Unless set, one is made in the
            plugin's data folder on first use.
        off_host: you attest that `directory` is another machine's, mounted here.
    """

    directory: str | None = None
    master_key_file: Annotated[str | None, msgspec.Meta(extra={"env": "STATUETTE_LOCAL_KEYS_MASTER_KEY_FILE"})] = None
    off_host: bool = False


class LocalKeysPlugin(Plugin):
    name = "local_keys"
    version = "0.1.0"
    requires = ">=0.1,<0.2"
    Config = LocalKeysConfig

    @hookimpl
    def key_stores(self, context: PluginContext) -> Sequence[KeyStore]:
        from statuette_local_keys.store import LocalKeyStore
        from statuette_local_keys.vault import Vault

        config: LocalKeysConfig = context.config
        folder = Path(config.directory) if config.directory else context.data_dir / "keys"
        master_file = Path(config.master_key_file) if config.master_key_file else context.data_dir / "master-keys"
        vault = Vault(folder, master_file, make_master_file=config.master_key_file is None)
        return (LocalKeyStore(vault, off_host=config.off_host),)


plugin = LocalKeysPlugin()

"""The two plugins. Each offers nothing while its bucket is not set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from statuette import ConfigurationError, Plugin, PluginContext, hookimpl
from statuette.ports.keys import KeyStore
from statuette.ports.storage import Storage
from statuette_s3.config import BucketConfig, S3Config, S3KeysConfig, check

_VERSION = "0.1.0"
_REQUIRES = ">=0.1,<0.2"

# Which bucket each plugin of a deployment uses, by the folder that holds the data of all its plugins. Neither plugin is told
# the other's settings, and together they must not use one bucket.
_Buckets = dict[tuple[Path, str], str]


class S3Plugin(Plugin):
    name = "s3"
    version = _VERSION
    requires = _REQUIRES
    Config = S3Config

    def __init__(self, buckets: _Buckets) -> None:
        self._buckets = buckets

    @hookimpl
    def storages(self, context: PluginContext) -> Sequence[Storage]:
        config: S3Config = context.config
        photos = _is_set_up(config, context, self._buckets)
        journal = msgspec.structs.replace(config, bucket=config.journal_bucket) if config.journal_bucket else None
        if journal is not None:
            check(journal)
        if not photos and journal is None:
            return ()
        from statuette_s3.storage import S3Storage

        stores = [S3Storage(config, context.clock)] if photos else []
        if journal is not None:
            stores.append(S3Storage(journal, context.clock, "s3_journal"))
        return stores


class S3KeysPlugin(Plugin):
    name = "s3_keys"
    version = _VERSION
    requires = _REQUIRES
    Config = S3KeysConfig

    def __init__(self, buckets: _Buckets) -> None:
        self._buckets = buckets

    @hookimpl
    def key_stores(self, context: PluginContext) -> Sequence[KeyStore]:
        config: S3KeysConfig = context.config
        if not _is_set_up(config, context, self._buckets):
            return ()
        from statuette_s3.key_store import S3KeyStore
        from statuette_s3.masters import Masters

        file = Path(config.master_key_file) if config.master_key_file else None
        return (S3KeyStore(config, Masters(file, context.master_key), context.clock),)


def _is_set_up(config: BucketConfig, context: PluginContext, buckets: _Buckets) -> bool:
    """Whether the settings name a bucket. Raises `ConfigurationError` if something is wrong with it."""
    deployment = context.data_dir.parent
    buckets.pop((deployment, config.plugin), None)
    if not config.bucket:
        return False
    check(config)
    mine = f"{config.store_url}/{config.bucket}"
    for (place, other), theirs in buckets.items():
        if place == deployment and theirs == mine:
            raise ConfigurationError(
                f"The plugins {config.plugin} and {other} use one bucket, {config.bucket!r}.",
                cure="Give data keys a bucket of their own: a copy of the objects must never hold what opens them.",
            )
    buckets[deployment, config.plugin] = mine
    return True


_buckets: _Buckets = {}
plugin = S3Plugin(_buckets)
keys_plugin = S3KeysPlugin(_buckets)

"""Objects, and data keys, in S3 or a store that speaks its language: two plugins, `s3` and `s3_keys`."""

from statuette_s3.config import BucketConfig, S3Config, S3KeysConfig
from statuette_s3.plugin import S3KeysPlugin, S3Plugin, keys_plugin, plugin

__all__ = ["BucketConfig", "S3Config", "S3KeysConfig", "S3KeysPlugin", "S3Plugin", "keys_plugin", "plugin"]

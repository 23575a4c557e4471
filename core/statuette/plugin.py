"""What a plugin is: a name, a version, the range of platform versions it works with, a configuration, and hooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from statuette.values import Clock


class NoConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For plugins without settings."""


class PluginContext(msgspec.Struct, frozen=True):
    """What the platform hands to hooks.

    Attributes:
        config: an instance of the plugin's `Config`.
        data_dir: a folder of the plugin's own below the platform's data folder; made when first needed, by the plugin.
        clock: the source of time.
        public_url: where the platform is reached from outside, without a trailing slash.
        master_key: 32 bytes derived for this plugin alone (HKDF, RFC 5869); stable over restarts.
        live: True when any brand takes real money or real people's photos.
    """

    config: Any
    data_dir: Path
    clock: Clock
    public_url: str
    master_key: bytes
    live: bool = False

    def __repr__(self) -> str:  # the key never reaches a log
        return f"PluginContext({self.data_dir})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("data_dir", self.data_dir)]


class Plugin:
    """Base of every plugin. Subclass, set the class attributes, add hooks, and name an instance in an entry point.

    Attributes:
        name: unique, lower case, `[a-z][a-z0-9_]*`; also the table name in the settings file.
        version: PEP 440.
        requires: PEP 440 range of statuette versions, such as `>=0.1,<0.2`.
        Config: a frozen msgspec struct with `forbid_unknown_fields=True`. A field may name an environment variable and say that
            it is secret: `Annotated[str | None, msgspec.Meta(extra={"env": "GEMINI_API_KEY", "secret": True})] = None`.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    requires: ClassVar[str]
    Config: ClassVar[type[msgspec.Struct]] = NoConfig

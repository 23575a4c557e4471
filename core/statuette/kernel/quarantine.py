"""Plugins that could not be put to use, and why. The rest of the platform goes on without them."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable
from importlib.metadata import EntryPoint

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from statuette.errors import ConfigurationError, StatuetteError
from statuette.kernel.toml_source import redacted
from statuette.plugin import Plugin

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST_MESSAGE = 300
_NOT_THEIRS = frozenset({"statuette", "msgspec", "pluggy", *sys.stdlib_module_names})


class Quarantined(msgspec.Struct, frozen=True):
    """One plugin that is kept out.

    Attributes:
        stage: `find`, `import`, `check`, `configure`, `register`, or the name of the hook that failed.
        code: stable; `plugin_failed` for whatever a plugin raised of its own accord.
        message: one line, without secrets.
    """

    name: str
    stage: str
    code: str
    message: str
    cure: str | None = None

    def __str__(self) -> str:
        return f"{self.message} {self.cure}" if self.cure else self.message


class PluginNotInstalled(ConfigurationError):
    code = "plugin_not_installed"


class PluginAmbiguous(ConfigurationError):
    code = "plugin_ambiguous"


class PluginMalformed(ConfigurationError):
    code = "plugin_malformed"


class PluginIncompatible(ConfigurationError):
    code = "plugin_incompatible"


class PluginNameTaken(ConfigurationError):
    code = "plugin_name_taken"


def quarantined(name: str, stage: str, error: BaseException, secrets: Iterable[str] = ()) -> Quarantined:
    """An entry for what was raised: our errors in their own words, a stranger's by class and first line."""
    if isinstance(error, StatuetteError):
        cure = redacted(error.cure, secrets) if error.cure else None
        return Quarantined(name, stage, error.code, redacted(error.detail, secrets), cure)
    text = redacted(str(error), secrets).strip().partition("\n")[0]
    message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return Quarantined(name, stage, "plugin_failed", message[:_LONGEST_MESSAGE] + _raised_at(error))


def _raised_at(error: BaseException) -> str:
    """The last line of a plugin's own module on the way to the error, from the top of its package on."""
    found, package = "", ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        top = module.partition(".")[0]
        if top not in _NOT_THEIRS and frame.f_globals.get("__spec__") is not None and package in ("", top):
            package = top
            found = f" ({module.replace('.', '/')}{'/__init__' if '__path__' in frame.f_globals else ''}.py:{line})"
    return found


def check_plugin(loaded: object, entry_point: EntryPoint, platform_version: str) -> Plugin:
    """`loaded`, if it is what it says and fits this version. Raises `PluginMalformed`, `PluginIncompatible`."""
    if not isinstance(loaded, Plugin):
        raise PluginMalformed(
            f"The entry point {entry_point.value!r} names {type(loaded).__name__}, not an instance of a Plugin."
        )
    for attribute in ("name", "version", "requires"):
        if not isinstance(getattr(loaded, attribute, None), str):
            raise PluginMalformed(f"The plugin has no text `{attribute}`.")
    if loaded.name != entry_point.name or not _NAME.fullmatch(loaded.name):
        raise PluginMalformed(
            f"The plugin calls itself {loaded.name!r} and its entry point {entry_point.name!r}.",
            cure="Both are the same: small letters, digits and _, a letter first.",
        )
    if not (isinstance(loaded.Config, type) and issubclass(loaded.Config, msgspec.Struct)):
        raise PluginMalformed("`Config` is not a msgspec struct.")
    try:
        wanted = SpecifierSet(loaded.requires)
    except InvalidSpecifier:
        raise PluginMalformed(f"`requires` is {loaded.requires!r}, which is no range of versions.") from None
    if not wanted.contains(platform_version, prereleases=True):
        raise PluginIncompatible(
            f"Version {loaded.version} works with statuette {loaded.requires}; this is {platform_version}.",
            cure=f"Install a version of {loaded.name} made for {platform_version}.",
        )
    return loaded

"""A plugin's configuration: its table in the settings file, then the environment variables its fields name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from statuette.errors import ConfigurationError
from statuette.kernel.environment import from_text, paths, variable_text
from statuette.kernel.settings import PluginTable
from statuette.kernel.toml_source import TomlSource, described, redacted


class FieldInfo(msgspec.Struct, frozen=True):
    """A field of a plugin's `Config`, with what its `msgspec.Meta(extra=…)` says."""

    name: str
    form: Any
    variable: str | None
    secret: bool


def fields(config: type[msgspec.Struct]) -> list[FieldInfo]:
    return [_info(field) for field in msgspec.structs.fields(config)]


def secrets_of(
    config: type[msgspec.Struct], table: PluginTable | None, environment: Mapping[str, str] | None = None
) -> list[str]:
    """Every secret text the plugin is given, wherever it was written, so that none shows in an error."""
    environment = os.environ if environment is None else environment
    found: list[str] = []
    for info in fields(config):
        if not info.secret:
            continue
        if table is not None:
            found += _texts(table.data.get(info.name))
        if info.variable is not None:
            try:
                given = variable_text(environment, info.variable)
            except ConfigurationError:  # told, with its name, when the configuration is built
                continue
            found += [given[1]] if given is not None else []
    return found


def build_config(
    plugin: str,
    config: type[msgspec.Struct],
    table: PluginTable | None,
    environment: Mapping[str, str] | None = None,
) -> msgspec.Struct:
    """The configuration of `plugin`.

    Raises:
        ConfigurationError: names the file and line, or the variable, and never a secret.
    """
    environment = os.environ if environment is None else environment
    source = table.source if table is not None else TomlSource("the settings file", {"plugins": {plugin: {}}}, {})
    base = ("plugins", plugin)
    secrets = secrets_of(config, table, environment)
    values: dict[str, Any] = dict(source.value(base))
    for info in fields(config):
        given = variable_text(environment, info.variable) if info.variable is not None else None
        if given is not None:
            values[info.name] = _from_variable(info, *given, secrets)
    try:
        return msgspec.convert(values, config, dec_hook=paths)
    except msgspec.ValidationError as error:
        wrong = described(source, error, config, values, base, secrets=secrets)
        raise ConfigurationError(wrong.detail, cure=_cure(plugin, config, str(error)) or wrong.cure) from None


def _from_variable(info: FieldInfo, variable: str, text: str, secrets: list[str]) -> Any:
    try:
        return from_text(text, info.form)
    except msgspec.ValidationError as error:
        reason = "The value is not valid" if info.secret else redacted(str(error), secrets)
        raise ConfigurationError(f"{variable}: {reason}.", cure=f"It sets `{info.name}`.") from None


def _cure(plugin: str, config: type[msgspec.Struct], message: str) -> str | None:
    for info in fields(config):
        if message == f"Object missing required field `{info.name}`":
            line = f"add `{info.name} = …` below [plugins.{plugin}] in the settings file"
            return f"Set {info.variable}, or {line}." if info.variable else f"{line[0].upper()}{line[1:]}."
    return None


def _info(field: msgspec.structs.FieldInfo) -> FieldInfo:
    extra: dict[str, Any] = {}
    for part in getattr(field.type, "__metadata__", ()):
        if isinstance(part, msgspec.Meta):
            extra |= part.extra or {}
    return FieldInfo(field.encode_name, field.type, extra.get("env"), bool(extra.get("secret")))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)

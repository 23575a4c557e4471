"""Reads settings: defaults, then the file, then the environment. What is wrong is named with the place it came from."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from statuette.errors import ConfigurationError
from statuette.kernel.environment import from_text, paths, variable_text
from statuette.kernel.settings import PluginTable, SettingInfo, Settings, is_loopback, reference
from statuette.kernel.toml_source import TomlSource, described, did_you_mean, read_toml

_PREFIX = "STATUETTE_"
_OTHER_NAMES = {"database_url": ("DATABASE_URL",), "redis_url": ("REDIS_URL",)}
# What `statuette quickstart` writes for clients; it may well be in the shell that starts the server.
_OF_CLIENTS = {"STATUETTE_SECRET_KEY", "STATUETTE_PUBLISHABLE_KEY"}
# What Kubernetes puts into every container beside a service that is called `statuette`.
_SERVICE_LINK = re.compile(r"STATUETTE_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_\w+)?)")


def load_settings(environment: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Settings:
    """Read and check all settings.

    Args:
        environment: the process's own unless given.
        folder: where `statuette.toml` is looked for when `STATUETTE_SETTINGS` names no file; else the current one.

    Raises:
        ConfigurationError: a setting is unknown, wrong or missing; names it, its source and an example.
    """
    environment = os.environ if environment is None else environment
    known = {info.name: info for info in reference()}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    tables: dict[str, PluginTable] = {}
    if (source := _file(environment, folder or Path())) is not None:
        tables = _plugin_tables(source)
        for name, raw in source.data.items():
            if name == "plugins":
                continue
            if name not in known:
                raise ConfigurationError(
                    f"{source.at(name)}: There is no setting `{name}`.", cure=did_you_mean(name, known, what="setting")
                )
            values[name] = _from_file(known[name], raw, source)
            sources[name] = source.at(name)
    for info in known.values():
        if (found := _variable(info, known, environment)) is not None:
            variable, text = found
            values[info.name] = _from_text(info, text, variable)
            sources[info.name] = variable
    settings = Settings(**values, sources=sources, plugin_tables=tables)
    _refuse_unknown_variables(environment, known, settings.allowed_plugins)
    _check(settings)
    return settings


def _file(environment: Mapping[str, str], folder: Path) -> TomlSource | None:
    if named := environment.get("STATUETTE_SETTINGS"):
        return read_toml(Path(named))
    path = folder / "statuette.toml"
    return read_toml(path, path.name) if path.exists() else None


def _plugin_tables(source: TomlSource) -> dict[str, PluginTable]:
    tables = source.data.get("plugins", {})
    if not isinstance(tables, dict):
        raise ConfigurationError(
            f"{source.at('plugins')}: `plugins` holds the tables [plugins.<name>].",
            cure='The list of plugins that may be loaded is `allowed_plugins = ["…"]`.',
        )
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigurationError(
                f"{source.at('plugins', name)}: `plugins.{name}` is not a table.", cure=f"Write [plugins.{name}]."
            )
    return {name: PluginTable(name, source) for name in tables}


def _from_file(info: SettingInfo, raw: Any, source: TomlSource) -> Any:
    try:
        return msgspec.convert(raw, info.form, dec_hook=paths)
    except msgspec.ValidationError as error:
        wrong = described(source, error, info.form, raw, (info.name,))
        raise ConfigurationError(f"{wrong.detail}.", cure=_example(info)) from None


def _variable(
    info: SettingInfo, known: Mapping[str, SettingInfo], environment: Mapping[str, str]
) -> tuple[str, str] | None:
    """The variable that sets `info`, and its text."""
    for variable in (info.variable, *_OTHER_NAMES.get(info.name, ())):
        found = variable_text(environment, variable, or_file=f"{info.name}_file" not in known)
        if found is not None and not (info.name == "port" and found[1].startswith("tcp://")):
            return found
    return None


def _from_text(info: SettingInfo, text: str, variable: str) -> Any:
    try:
        return from_text(text, info.form)
    except msgspec.ValidationError as error:
        reason = str(error) if not info.secret else "The value is not valid"
        raise ConfigurationError(
            f"{variable}: {reason}.",
            cure=f"For example: {info.variable}={_as_variable(info.example)}",
        ) from None


def _as_variable(example: Any) -> str:
    if isinstance(example, list):
        return ",".join(example)
    return str(example).lower() if isinstance(example, bool) else str(example)


def _example(info: SettingInfo) -> str:
    return f"For example: {info.name} = {json.dumps(info.example)}"


def _refuse_unknown_variables(
    environment: Mapping[str, str], known: Mapping[str, SettingInfo], plugins: tuple[str, ...]
) -> None:
    names = {info.variable for info in known.values()}
    names |= {f"{info.variable}_FILE" for info in known.values()} | {f"{_PREFIX}SETTINGS"}
    # A plugin's own variables may begin with STATUETTE_<PLUGIN>_; the plugin's configuration decides about them.
    owned = tuple(f"{_PREFIX}{plugin.upper()}_" for plugin in plugins)
    for variable in environment:
        if (
            variable.startswith(_PREFIX)
            and variable not in names | _OF_CLIENTS
            and not variable.startswith(owned)
            and not _SERVICE_LINK.fullmatch(variable)
        ):
            raise ConfigurationError(
                f"The environment variable {variable} sets nothing.",
                cure=did_you_mean(variable, names, what="variable"),
            )


def _check(settings: Settings) -> None:
    """What no single field can tell."""
    _check_urls(settings)
    for network in settings.trusted_proxies:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise _wrong(settings, "trusted_proxies", f"{network!r} is not a network address.") from None
    if settings.master_key and settings.master_key_file:
        raise _wrong(settings, "master_key_file", "`master_key` is set as well.", cure="Keep one of them.")
    if settings.profile == "cluster":
        if not settings.database_url.startswith(("postgresql://", "postgres://")):
            raise _wrong(settings, "database_url", "The profile `cluster` needs a PostgreSQL database.")
        if not (settings.master_key or settings.master_key_file):
            raise _wrong(settings, "master_key", "The profile `cluster` makes no keys by itself.")
        if settings.redis_url is None:
            raise _wrong(settings, "redis_url", "The profile `cluster` needs a Redis.")
        for name, local in (("storage", "local"), ("key_store", "local_keys")):
            if getattr(settings, name) == local and not settings.shared_data_dir:
                raise _wrong(
                    settings,
                    name,
                    f"`{local}` keeps things in a folder that other machines do not see.",
                    cure="Choose one that all reach (`s3`, `s3_keys`), or set `shared_data_dir` if the folder is shared.",
                )


def _check_urls(settings: Settings) -> None:
    if not settings.database_url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise _wrong(settings, "database_url", "The database is neither `sqlite:///…` nor `postgresql://…`.")
    for name, url in (("public_url", settings.public_url), ("otlp_endpoint", settings.otlp_endpoint)):
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise _wrong(settings, name, "This is not an http or https address.")
    if settings.redis_url is not None and urlsplit(settings.redis_url).scheme not in ("redis", "rediss", "unix"):
        raise _wrong(settings, "redis_url", "This is not a redis://, rediss:// or unix:// address.")
    public = urlsplit(settings.public_url)
    if public.path or public.query or public.fragment:
        raise _wrong(settings, "public_url", "The address has something after its host.")
    set_by_hand = "public_url" in settings.sources
    if set_by_hand and public.scheme == "http" and not is_loopback(public.hostname) and not settings.allow_plain_http:
        raise _wrong(
            settings,
            "public_url",
            "People would sign in and send photos without encryption.",
            cure="Use https://, or set `allow_plain_http` if that is what you want.",
        )


def _wrong(settings: Settings, name: str, reason: str, *, cure: str | None = None) -> ConfigurationError:
    info = next(info for info in reference() if info.name == name)
    source = settings.source(name)
    return ConfigurationError(f"The setting `{name}` ({source}): {reason}", cure=cure or _example(info))

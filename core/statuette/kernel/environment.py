"""Reading a value from an environment variable, or from the file that its `_FILE` twin names."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from statuette.errors import ConfigurationError


def variable_text(environment: Mapping[str, str], variable: str, *, or_file: bool = True) -> tuple[str, str] | None:
    """The name that is set, and its text; an empty variable counts as not set, as in shells and compose files.

    Raises:
        ConfigurationError: both are set, or the file cannot be read.
    """
    text = environment.get(variable)
    named_file = environment.get(f"{variable}_FILE") if or_file else None
    if text and named_file:
        raise ConfigurationError(f"Both {variable} and {variable}_FILE are set.", cure="Keep one of them.")
    if text:
        return variable, text
    if not named_file:
        return None
    try:
        return f"{variable}_FILE", Path(named_file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"{variable}_FILE names {named_file}, which cannot be read: {reason}.") from None


def from_text(text: str, form: Any) -> Any:
    """`text` as `form`: lists are separated by commas, truth is `true` or `false`. Raises `msgspec.ValidationError`."""
    raw: Any = [part.strip() for part in text.split(",") if part.strip()] if _is_list(form) else text
    return msgspec.convert(raw, form, strict=False, dec_hook=paths)


def paths(form: type, raw: Any) -> Any:
    """msgspec's hook for forms it does not know: texts become paths."""
    if form is Path and isinstance(raw, str) and raw:
        return Path(raw)
    raise ValueError("Expected a path")


def _is_list(form: Any) -> bool:
    origin = typing.get_origin(form)
    if origin is typing.Annotated:
        return _is_list(form.__origin__)
    if origin in (typing.Union, types.UnionType):
        return any(_is_list(arm) for arm in typing.get_args(form))
    return origin in (tuple, list, set, frozenset)

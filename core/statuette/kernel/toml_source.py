"""TOML with a memory: values by `tomllib`, and for each of them the line it was written at.

So a mistake in a file of thirty settings reads `brands/demo.toml:41: styles[2].credits: Expected int, got str`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from statuette.errors import ConfigurationError
from statuette.kernel.toml_lines import KeyPath, locate

T = TypeVar("T")

_PLACE = re.compile(r" - at `([^`]*)`$")
_STEP = re.compile(r"\[(\d+|\.\.\.)\]|\.?([^.\[\]]+)")
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)`")
_MISSING_FIELD = re.compile(r"Object missing required field `(.*)`")
_SYNTAX_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_SOME_KEY = "..."  # how msgspec writes the key of a dictionary entry


class TomlSource(msgspec.Struct, frozen=True):
    """A read file. `name` is what error messages call it; `lines` knows every table, key and array element."""

    name: str
    data: dict[str, Any]
    lines: dict[KeyPath, int]

    def __repr__(self) -> str:  # a settings file may hold secrets
        return f"TomlSource({self.name})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("name", self.name)]

    def line(self, path: KeyPath) -> int:
        """The line of the value at `path`, or of the nearest thing around it; 1 for the file itself."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1

    def at(self, *path: str | int) -> str:
        """Where a value was written: `brands/demo.toml:41`."""
        return f"{self.name}:{self.line(path)}"

    def value(self, path: KeyPath) -> Any:
        """The raw value at `path`. Raises `KeyError` or `IndexError` when there is none."""
        found: Any = self.data
        for step in path:
            found = found[step]
        return found


def read_toml(path: Path, name: str | None = None) -> TomlSource:
    """Read a file.

    Raises:
        ConfigurationError: it is not there, cannot be read, is not UTF-8 or is not TOML; names file and line.
    """
    shown = name or str(path)
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise ConfigurationError(f"{shown}: There is no such file.") from None
    except OSError as error:
        raise ConfigurationError(f"{shown}: The file cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{shown}:{line}: The file is not UTF-8 text.", cure="Save it as UTF-8.") from None
    return parse_toml(text, shown)


def parse_toml(text: str, name: str) -> TomlSource:
    """Like `read_toml`, of text that is already in memory."""
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _SYNTAX_PLACE.search(str(error))
        line = int(place.group(1)) if place and place.group(1) else text.count("\n") + 1
        reason = _SYNTAX_PLACE.sub("", str(error))
        raise ConfigurationError(
            f"{name}:{line}: This is not TOML: {reason}.", cure="Texts stand in quotes; tables begin with [name]."
        ) from None
    return TomlSource(name, data, locate(text))


def convert(source: TomlSource, form: type[T], path: KeyPath = (), *, secrets: Iterable[str] = ()) -> T:
    """The value at `path` as a `form`.

    Args:
        path: where in the file; the whole file unless given.
        secrets: values that must not show in an error.

    Raises:
        ConfigurationError: names file, line, field, what is wrong and a cure.
    """
    raw = source.value(path)
    try:
        return msgspec.convert(raw, form)
    except msgspec.ValidationError as error:
        raise described(source, error, form, raw, path, secrets=secrets) from None


def described(
    source: TomlSource,
    error: msgspec.ValidationError,
    form: Any,
    raw: Any,
    base: KeyPath = (),
    *,
    secrets: Iterable[str] = (),
) -> ConfigurationError:
    """The error with its place. `raw`, at `base` in the file, is what did not convert to `form`."""
    place = _PLACE.search(str(error))
    reason = redacted(_PLACE.sub("", str(error)), secrets)
    path = _named(steps(place.group(1)) if place else (), raw, form, str(error))
    cure = None
    if unknown := _UNKNOWN_FIELD.fullmatch(reason):
        cure = did_you_mean(unknown.group(1), field_names(form, path), what="field")
        path = (*path, unknown.group(1))
        reason = "There is no such field."
    elif missing := _MISSING_FIELD.fullmatch(reason):
        cure = f"Add a line `{missing.group(1)} = …`."
        reason = f"The field `{missing.group(1)}` is missing."
    where = source.at(*base, *path)
    shown = shown_path((*base, *path))
    return ConfigurationError(f"{where}: {shown}: {reason}" if shown else f"{where}: {reason}", cure=cure)


def steps(place: str) -> KeyPath:
    """`$.a.b[2].c` as `("a", "b", 2, "c")`; the unnamed key of a dictionary is `"..."`."""
    found: list[str | int] = []
    for index, name in _STEP.findall(place.removeprefix("$")):
        found.append(name or (index if index == _SOME_KEY else int(index)))
    return tuple(found)


def shown_path(path: KeyPath) -> str:
    """`("styles", 2, "credits")` as `styles[2].credits`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def did_you_mean(word: str, known: Iterable[str], *, what: str) -> str | None:
    """A cure for an unknown word: the nearest known ones, else all of them."""
    names = sorted(known)
    if near := difflib.get_close_matches(word, names, n=2, cutoff=0.6):
        return f"Did you mean {' or '.join(f'`{name}`' for name in near)}?"
    return f"Use one of: {', '.join(names)}." if names else f"Remove it: no {what} is known here."


def redacted(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[hidden]")
    return text


def field_names(form: Any, path: KeyPath = ()) -> set[str]:
    """The fields of the struct that `form` has at `path`; empty where it has none."""
    kinds = _alternatives(form)
    for step in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    return {
        field.encode_name
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        for field in msgspec.structs.fields(kind)
    }


def _named(path: KeyPath, raw: Any, form: Any, message: str) -> KeyPath:
    """`path` with each `...` replaced by the key that is to blame: the first entry that fails alike on its own."""
    if _SOME_KEY not in path:
        return path
    at = path.index(_SOME_KEY)
    table = raw
    for step in path[:at]:
        table = table[step]
    for key, value in table.items():
        alone = _with(raw, path[:at], {key: value})
        try:
            msgspec.convert(alone, form)
        except msgspec.ValidationError as error:
            if str(error) == message:
                return _named((*path[:at], key, *path[at + 1 :]), raw, form, message)
    return path[:at]


def _with(raw: Any, path: KeyPath, value: Any) -> Any:
    if not path:
        return value
    copy: Any = list(raw) if isinstance(raw, list) else dict(raw)
    copy[path[0]] = _with(copy[path[0]], path[1:], value)
    return copy


def _alternatives(form: Any) -> list[Any]:
    if typing.get_origin(form) is typing.Annotated:
        return _alternatives(typing.get_args(form)[0])
    if typing.get_origin(form) in (typing.Union, types.UnionType):
        return [kind for arm in typing.get_args(form) for kind in _alternatives(arm)]
    return [form]


def _inside(kind: Any, step: str | int) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [
            arm
            for field in msgspec.structs.fields(kind)
            if field.encode_name == step
            for arm in _alternatives(field.type)
        ]
    arguments = [argument for argument in typing.get_args(kind) if argument is not Ellipsis]
    origin = typing.get_origin(kind)
    if not arguments:
        return []
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _alternatives(arguments[-1])
    return _alternatives(arguments[0])

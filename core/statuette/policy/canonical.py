"""Policies as JSON, the same bytes for the same meaning: names sorted, lengths of time in their one spelling."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from statuette.policy.periods import Floor, Period

T = TypeVar("T")


def encode(value: Any) -> bytes:
    """Canonical JSON of rules, catalogues, packs, policies and what is made of these."""
    return msgspec.json.encode(value, enc_hook=_text, order="sorted")


def decode(data: bytes | str, form: type[T]) -> T:
    """The inverse of `encode`. Raises `msgspec.DecodeError`, which names the place."""
    return msgspec.json.decode(data, type=form, dec_hook=_length)


def plain(value: Any) -> Any:
    """The same as dictionaries, lists, texts and numbers."""
    return msgspec.to_builtins(value, enc_hook=_text, order="sorted", str_keys=True)


def _text(value: Any) -> str:
    if isinstance(value, Period | Floor):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def _length(form: type, value: Any) -> Any:
    if form in (Period, Floor):
        if not isinstance(value, str):
            raise TypeError(f"Expected a length of time such as `PT1H`, got `{type(value).__name__}`")
        return form.parse(value)
    raise NotImplementedError(form.__name__)

"""Where each key of a TOML document stands.

`tomllib` gives values without places. This walks the same text once and notes lines. It trusts that `tomllib` accepted
the document, so it can be short: it never decides whether something is valid.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right

KeyPath = tuple[str | int, ...]
"""Keys and, within arrays, positions: `("styles", 2, "credits")`."""

_BARE_KEY_ENDS = " \t\n.=]"
_BARE_VALUE_ENDS = ",]}\n#"


def locate(text: str) -> dict[KeyPath, int]:
    """Every table, key and array element of a valid document → its line, counted from 1."""
    return _Walk(text).document()


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [place for place, character in enumerate(text) if character == "\n"]
        self._lines: dict[KeyPath, int] = {}
        self._lengths: dict[KeyPath, int] = {}  # of arrays of tables, so far

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip_blank():
            if self._take("[["):
                self._skip_blank()
                table = self._element(self._keys())
                self._take("]]")
            elif self._take("["):
                self._skip_blank()
                table = self._resolved(self._keys())
                self._note(table)
                self._take("]")
            else:
                self._pair(table)
        return self._lines

    def _note(self, path: KeyPath) -> None:
        line = bisect_right(self._breaks, self._at - 1) + 1
        for length in range(1, len(path)):
            self._lines.setdefault(path[:length], line)
        self._lines[path] = line

    def _resolved(self, keys: list[str]) -> KeyPath:
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            if path in self._lengths:  # [a.b] below [[a]] speaks of the last a
                path = (*path, self._lengths[path] - 1)
        return path

    def _element(self, keys: list[str]) -> KeyPath:
        path: KeyPath = (*self._resolved(keys[:-1]), keys[-1])
        index = self._lengths.get(path, 0)
        self._lengths[path] = index + 1
        self._note((*path, index))
        return (*path, index)

    def _pair(self, table: KeyPath) -> None:
        path: KeyPath = (*table, *self._keys())
        self._note(path)
        self._take("=")
        self._skip_blank()
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._text[self._at] in "\"'":
            self._string()
        elif self._take("["):
            position = 0
            while self._skip_blank() and not self._take("]"):
                self._note((*path, position))
                self._value((*path, position))
                position += 1
                self._skip_blank()
                self._take(",")
        elif self._take("{"):
            while self._skip_blank() and not self._take("}"):
                self._pair(path)
                self._skip_blank()
                self._take(",")
        else:
            while self._at < len(self._text) and self._text[self._at] not in _BARE_VALUE_ENDS:
                self._at += 1

    def _keys(self) -> list[str]:
        """One key, dotted or not."""
        keys = [self._key()]
        while self._skip_blank() and self._take("."):
            self._skip_blank()
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        start = self._at
        if self._text[start] in "\"'":
            self._string()
            # The one key of a one-line document: unescaping stays with tomllib.
            return next(iter(tomllib.loads(f"{self._text[start : self._at]} = 0")))
        while self._text[self._at] not in _BARE_KEY_ENDS:
            self._at += 1
        return self._text[start : self._at]

    def _string(self) -> None:
        """Pass over a string of any of the four kinds."""
        quote = self._text[self._at]
        long = self._text.startswith(quote * 3, self._at)
        end = quote * 3 if long else quote
        self._at += len(end)
        while not self._text.startswith(end, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += len(end)
        if long:  # up to two quotes may stand before the closing three
            while self._text.startswith(quote, self._at):
                self._at += 1

    def _skip_blank(self) -> bool:
        """Pass over spaces, line ends and comments; whether anything is left."""
        while self._at < len(self._text):
            if self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif self._text[self._at] in " \t\n":
                self._at += 1
            else:
                return True
        return False

    def _take(self, token: str) -> bool:
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

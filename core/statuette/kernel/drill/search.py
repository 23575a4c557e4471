"""Searches bytes for needles, in pieces of any size, through compression."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator

from statuette.kernel.drill.needles import Needle, flocks, forms

Hit = tuple[Needle, str]
"""A needle, and the form it was found in."""

_GZIP = b"\x1f\x8b\x08"
_ZLIB_HEADS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_OPENED_BYTES = 8 * 1024 * 1024
_NESTED = 2
_AUTOMATIC = 32 + zlib.MAX_WBITS  # gzip or zlib, whichever it is


class Search:
    """Looks for all needles at once. Immutable; any number may look with it."""

    def __init__(self, stem: str, needles: Iterable[Needle]) -> None:
        self._flocks = [
            (None if flock.common is None else _all_forms(flock.common), _forms_of(flock.needles))
            for flock in flocks(stem, tuple(needles))
        ]
        self.longest = max((len(form) for _, several in self._flocks for _, _, form in several), default=1)

    def hits(self, data: bytes, *, seen: int = 0) -> Counter[Hit]:
        """How often each needle is there, by form.

        Args:
            seen: so many bytes at the beginning were searched before: what ends within them does not count again.
        """
        found: Counter[Hit] = Counter()
        for common, several in self._flocks:
            if common is not None and not any(form in data for form in common):
                continue
            for needle, name, form in several:
                if count := _count(data, form, seen):
                    found[needle, name] += count
        return found

    def opened(self, data: bytes, *, whole: bool, depth: int = 0) -> Counter[Hit]:
        """The same for what is compressed in `data`: gzip wherever it begins, zlib where `data` as a whole is that."""
        found: Counter[Hit] = Counter()
        if depth < _NESTED:
            for unpacked in _unpacked(data, whole):
                for (needle, form), count in (
                    self.hits(unpacked) + self.opened(unpacked, whole=True, depth=depth + 1)
                ).items():
                    found[needle, f"{form} in compressed data"] += count
        return found


class Reader:
    """Searches a stream of pieces that belong together."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._tail = b""
        self.found: Counter[Hit] = Counter()

    def take(self, data: bytes, *, whole: bool = False) -> None:
        """The next piece. `whole`: it is a value of its own, not a part of one."""
        joined = self._tail + data
        self.found += self._search.hits(joined, seen=len(self._tail))
        self.found += self._search.opened(data, whole=whole)
        self._tail = joined[-(self._search.longest - 1) :] if self._search.longest > 1 else b""


def _forms_of(needles: tuple[Needle, ...]) -> list[tuple[Needle, str, bytes]]:
    return [
        (needle, name, form) for needle in needles for name, several in forms(needle.value).items() for form in several
    ]


def _all_forms(value: bytes) -> tuple[bytes, ...]:
    return tuple(form for several in forms(value).values() for form in several)


def _count(data: bytes, form: bytes, seen: int) -> int:
    count = 0
    at = data.find(form)
    while at >= 0:
        count += at + len(form) > seen
        at = data.find(form, at + 1)
    return count


def _unpacked(data: bytes, whole: bool) -> Iterator[bytes]:
    starts = [0] if whole and data[:2] in _ZLIB_HEADS else []
    at = data.find(_GZIP)
    while at >= 0:
        starts.append(at)
        at = data.find(_GZIP, at + 1)
    for start in starts:
        try:
            unpacked = zlib.decompressobj(_AUTOMATIC).decompress(data[start:], _OPENED_BYTES)
        except zlib.error:
            continue  # it only looked like the beginning of one
        if unpacked:
            yield unpacked

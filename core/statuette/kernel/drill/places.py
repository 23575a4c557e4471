"""What a place is that is searched, and how what is found there is counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from statuette.kernel.drill.needles import Needle
from statuette.kernel.drill.search import Reader, Search

_BATCH_BYTES = 256 * 1024
_READ_BYTES = 1024 * 1024
_BETWEEN = b"\0\xff\0"


class Found(msgspec.Struct, frozen=True):
    """A needle that is somewhere: `generation.variables`, `uploads/…/photo.jpg`, a line of a log."""

    where: str
    needle: Needle
    form: str


class Seen(msgspec.Struct, frozen=True):
    """What a search looked at and found.

    Attributes:
        items: how many rows, objects, files, keys or lines, as the place counts.
    """

    items: int
    bytes: int
    found: Counter[Found]


class Tally:
    """Takes what a place holds, piece by piece, and searches it."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._batches: dict[str, bytearray] = {}
        self.items = 0
        self.bytes = 0
        self.found: Counter[Found] = Counter()

    def value(self, where: str, data: bytes) -> None:
        """A value that stands by itself: of a column, a key, a line. Small ones are searched many at a time."""
        self.bytes += len(data)
        self._note(where, self._search.opened(data, whole=True))
        batch = self._batches.setdefault(where, bytearray())
        batch += data
        batch += _BETWEEN
        if len(batch) >= _BATCH_BYTES:
            self._flush(where)

    def stream(self, where: str, pieces: Iterator[bytes]) -> None:
        """What is too large to be held: a file."""
        reader = Reader(self._search)
        for piece in pieces:
            self.bytes += len(piece)
            reader.take(piece)
        self._note(where, reader.found)

    def end(self) -> Seen:
        for where in list(self._batches):
            self._flush(where)
        return Seen(self.items, self.bytes, self.found)

    def _flush(self, where: str) -> None:
        self._note(where, self._search.hits(bytes(self._batches.pop(where))))

    def _note(self, where: str, hits: Counter[tuple[Needle, str]]) -> None:
        for (needle, form), count in hits.items():
            self.found[Found(where, needle, form)] += count


class Place(ABC):
    """Somewhere that personal data may be, read without the platform's own help.

    Attributes:
        name: for the report.
        unit: what is counted there: rows, objects.
        told: what the platform tells others on the way (logs, spans, queues): ids may be in it, words never.
    """

    name: str
    unit: str
    told: bool = False

    @abstractmethod
    async def searched(self, search: Search) -> Seen:
        """Search all of it. Raises what its driver raises: a place that cannot be read is not clean."""

    async def plant(self, control: bytes) -> bool:
        """Put the control there, where nothing else is sure to be; False where the canary itself shows that it is found."""
        return False

    async def unplant(self) -> None:
        """Take the control away again."""


def pieces(path: Path, start: int = 0) -> Iterator[bytes]:
    """A file's bytes."""
    with path.open("rb") as file:
        file.seek(start)
        while data := file.read(_READ_BYTES):
            yield data

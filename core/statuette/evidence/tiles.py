"""The tree cut into tiles of 256 hashes, so that a log of any length is kept, grown and proven from a few rows.

Tile `(0, n)` holds the leaf hashes of entries 256 n to 256 n + 255; tile `(level, n)` the roots of 256 tiles of the level
below. Those on the right edge hold fewer, as many as are complete, and grow in place; no hash in a tile ever changes.
The levels are those of C2SP's tlog-tiles (https://c2sp.org/tlog-tiles).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

import msgspec

from statuette.errors import InvalidInput, StatuetteError
from statuette.evidence.merkle import EMPTY_ROOT, HASH_BYTES, Frontier, folded, node_hash, split_hashes
from statuette.evidence.proofs import Span, Subtree, complete_subtrees, consistency_spans, inclusion_spans

TILE_HEIGHT = 8
TILE_HASHES = 1 << TILE_HEIGHT
TILE_BYTES = TILE_HASHES * HASH_BYTES


class TileId(NamedTuple):
    """The place of a tile: its level, from 0 at the leaves, and its number from the left, from 0."""

    level: int
    number: int


class HashReader(Protocol):
    """Where the tiles of a log are kept: a table with the primary key `(level, number)`, say."""

    async def tiles(self, wanted: Collection[TileId]) -> Mapping[TileId, bytes]:
        """Those of `wanted` that exist, each its hashes, 32 bytes each, one after another.

        Called once for a proof, with a handful of tiles. A tile may hold more than it did at the size in question.
        """
        ...


class TilesIncomplete(StatuetteError):
    """The tiles that are kept are not those of a log of this size: one is missing, too short or too long. Final."""

    summary = "The tiles of the evidence log are not those of its size."


class Growth(msgspec.Struct, frozen=True):
    """A log after some entries were added.

    Attributes:
        size: entries now.
        root: over all of them.
        tiles: to be written, each whole: those that became complete, and those on the right edge that got longer.
    """

    size: int
    root: bytes
    tiles: dict[TileId, bytes]


def edge(size: int) -> list[TileId]:
    """The tiles on the right edge of a log that are not complete yet: what `grow` and `frontier_at` need."""
    return [TileId(level, number) for level, number, hashes in _edge(size) if hashes]


def grow(size: int, tiles: Mapping[TileId, bytes], leaves: Iterable[bytes]) -> Growth:
    """Add entries to a log.

    Args:
        size: entries so far.
        tiles: those of `edge(size)`; others are left alone.
        leaves: the `leaf_hash` of each new entry, in order.

    Raises:
        TilesIncomplete: the tiles are not the right edge of a log of this size.
    """
    open_tiles = [bytearray(_exactly(tiles, place, hashes)) for *place, hashes in _edge(size)]
    numbers = [number for _, number, _ in _edge(size)]
    written: dict[TileId, bytes] = {}
    touched = -1
    for leaf in leaves:
        size += 1
        level, grown = 0, leaf
        while True:
            if level == len(open_tiles):
                open_tiles.append(bytearray())
                numbers.append(0)
            tile = open_tiles[level]
            tile += grown
            touched = max(touched, level)
            if len(tile) < TILE_BYTES:
                break
            complete = bytes(tile)
            written[TileId(level, numbers[level])] = complete
            grown = _root_of_complete(split_hashes(complete))
            open_tiles[level] = bytearray()
            numbers[level] += 1
            level += 1
    for level in range(touched + 1):
        if open_tiles[level]:
            written[TileId(level, numbers[level])] = bytes(open_tiles[level])
    return Growth(size, _frontier(size, open_tiles).root(), written)


def frontier_at(size: int, tiles: Mapping[TileId, bytes]) -> Frontier:
    """The frontier of a log, out of the tiles of `edge(size)`.

    Raises:
        TilesIncomplete: the tiles are not the right edge of a log of this size.
    """
    return _frontier(size, [_exactly(tiles, place, hashes) for *place, hashes in _edge(size)])


async def root_at(reader: HashReader, size: int) -> bytes:
    """The root over the first `size` entries.

    Raises:
        TilesIncomplete: a tile is missing or too short.
    """
    if size == 0:
        return EMPTY_ROOT
    return (await _hashes_of(reader, [Span(0, size)]))[0]


async def prove_inclusion(reader: HashReader, index: int, size: int) -> tuple[bytes, ...]:
    """The proof, for `verify_inclusion`, that entry `index` (from 0) is among the first `size`.

    Raises:
        InvalidInput: there is no such entry.
        TilesIncomplete: a tile is missing or too short.
    """
    return await _hashes_of(reader, inclusion_spans(index, size))


async def prove_consistency(reader: HashReader, old_size: int, new_size: int) -> tuple[bytes, ...]:
    """The proof, for `verify_consistency`, that the log of `new_size` begins with that of `old_size`.

    Raises:
        InvalidInput: the old size is larger than the new one.
        TilesIncomplete: a tile is missing or too short.
    """
    return await _hashes_of(reader, consistency_spans(old_size, new_size))


class MemoryTiles:
    """The tiles of a log in memory: for tests, and for whoever holds all entries and wants proofs."""

    def __init__(self) -> None:
        self._tiles: dict[TileId, bytes] = {}
        self._size = 0

    @property
    def size(self) -> int:
        return self._size

    async def tiles(self, wanted: Collection[TileId]) -> Mapping[TileId, bytes]:
        return {place: self._tiles[place] for place in wanted if place in self._tiles}

    def append(self, leaves: Iterable[bytes]) -> Growth:
        """Add the `leaf_hash` of each new entry."""
        growth = grow(self._size, self._tiles, leaves)
        self._tiles |= growth.tiles
        self._size = growth.size
        return growth


async def _hashes_of(reader: HashReader, spans: list[Span]) -> tuple[bytes, ...]:
    """The root of each span, after reading every tile that is needed once."""
    parts = [complete_subtrees(span) for span in spans]
    wanted = {_place(subtree)[0] for subtrees in parts for subtree in subtrees}
    tiles = await reader.tiles(sorted(wanted)) if wanted else {}
    return tuple(folded(_hash_of(subtree, tiles) for subtree in subtrees) for subtrees in parts)


def _place(subtree: Subtree) -> tuple[TileId, int, int]:
    """The tile that a subtree is in, and which of its hashes, from and without, it is over."""
    level, height = divmod(subtree.level, TILE_HEIGHT)
    number, begin = divmod(subtree.number << height, TILE_HASHES)
    return TileId(level, number), begin, begin + (1 << height)


def _hash_of(subtree: Subtree, tiles: Mapping[TileId, bytes]) -> bytes:
    place, begin, end = _place(subtree)
    tile = tiles.get(place, b"")
    if len(tile) < end * HASH_BYTES:
        raise TilesIncomplete(
            f"The tile {place.number} of level {place.level} lacks hashes.", level=place.level, number=place.number
        )
    return _root_of_complete(split_hashes(tile[begin * HASH_BYTES : end * HASH_BYTES]))


def _root_of_complete(hashes: list[bytes]) -> bytes:
    """The root over a power of two of neighbouring hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[place], hashes[place + 1]) for place in range(0, len(hashes), 2)]
    return hashes[0]


def _edge(size: int) -> list[tuple[int, int, int]]:
    """Level, number and hashes of the tile that grows next on each level that has begun."""
    if size < 0:
        raise InvalidInput("A log has no negative size.")
    found = []
    level, complete = 0, size
    while complete:
        found.append((level, complete // TILE_HASHES, complete % TILE_HASHES))
        level, complete = level + 1, complete // TILE_HASHES
    return found


def _exactly(tiles: Mapping[TileId, bytes], place: list[int], hashes: int) -> bytes:
    """The tile that grows next. A longer one is of a log that has grown meanwhile, and must not be written over."""
    where = TileId(*place)
    tile = tiles.get(where, b"") if hashes else b""
    if len(tile) != hashes * HASH_BYTES:
        raise TilesIncomplete(
            f"The tile {where.number} of level {where.level} should hold {hashes} hashes.",
            level=where.level,
            number=where.number,
        )
    return tile


def _frontier(size: int, open_tiles: list[bytearray] | list[bytes]) -> Frontier:
    """Each level's open tile is, as its length has bits that are set, a few complete subtrees."""
    peaks: list[bytes] = []
    for tile in reversed(open_tiles):
        hashes = split_hashes(bytes(tile))
        for span_level in range(TILE_HEIGHT - 1, -1, -1):
            width = 1 << span_level
            if len(hashes) & width:
                begin = len(hashes) & ~(2 * width - 1)
                peaks.append(_root_of_complete(hashes[begin : begin + width]))
    return Frontier(size, peaks)

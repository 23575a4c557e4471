"""A log in tiles: it grows by a few rows, and is proven from a few."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuette.evidence import (
    Frontier,
    MemoryTiles,
    TileId,
    TilesIncomplete,
    edge,
    frontier_at,
    grow,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    recompute,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from tests.unit.evidence.making import entries, tiles_of, unhurried

LARGE = 70_000
"""More than 256 x 256: tiles on three levels, one of them with a single hash."""


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    return [leaf_hash(entry) for entry in entries(LARGE)]


@pytest.fixture(scope="module")
def large(leaves: list[bytes]) -> MemoryTiles:
    tiles = MemoryTiles()
    tiles.append(leaves)
    return tiles


class Counting:
    """Tiles, and how many were read in how many questions."""

    def __init__(self, tiles: MemoryTiles) -> None:
        self._tiles = tiles
        self.questions = 0
        self.read = 0

    async def tiles(self, wanted: Collection[TileId]) -> Mapping[TileId, bytes]:
        self.questions += 1
        self.read += len(wanted)
        return await self._tiles.tiles(wanted)


@unhurried
@given(st.lists(st.integers(0, 700), max_size=6))
def test_a_log_that_grows_in_batches_is_the_log_that_grew_at_once(batches: list[int]) -> None:
    # Given a table of tiles
    some = [leaf_hash(entry) for entry in entries(sum(batches))]
    table: dict[TileId, bytes] = {}
    size = 0

    # When batches are added, each seeing only the right edge
    for batch in batches:
        before = {place: table[place] for place in edge(size)}
        growth = grow(size, before, some[size : size + batch])
        table |= growth.tiles
        size += batch

        # Then each root is that of the entries so far
        assert growth.size == size
        assert growth.root == recompute(entries(size))
        assert frontier_at(size, {place: table[place] for place in edge(size)}).root() == growth.root

    # And the table is what one batch would have made
    assert table == grow(0, {}, some).tiles


@unhurried
@given(st.integers(0, 1200), st.integers(0, 600))
def test_only_what_changed_is_written_and_no_hash_in_it_changes(size: int, more: int) -> None:
    some = [leaf_hash(entry) for entry in entries(size + more)]
    before = grow(0, {}, some[:size]).tiles

    growth = grow(size, {place: before[place] for place in edge(size)}, some[size:])

    for place, tile in growth.tiles.items():
        assert tile.startswith(before.get(place, b""))
        assert len(tile) > len(before.get(place, b""))
        assert len(tile) <= 256 * 32


def test_level_zero_is_the_leaf_hashes_and_each_level_above_the_roots_of_tiles_below(
    large: MemoryTiles, leaves: list[bytes]
) -> None:
    tiles = large._tiles

    assert b"".join(tiles[TileId(0, number)] for number in range(274)) == b"".join(leaves)
    assert tiles[TileId(1, 0)][32:64] == recompute(entries(512)[256:])
    assert tiles[TileId(1, 1)][-32:] == recompute(entries(LARGE)[272 * 256 : 273 * 256])
    assert tiles[TileId(2, 0)] == recompute(entries(65_536))
    assert sorted({place.level for place in tiles}) == [0, 1, 2]


def test_the_edge_names_the_tiles_that_are_begun() -> None:
    assert edge(0) == []
    assert edge(1) == [TileId(0, 0)]
    assert edge(256) == [TileId(1, 0)]
    assert edge(257) == [TileId(0, 1), TileId(1, 0)]
    assert edge(65_536) == [TileId(2, 0)]
    assert edge(LARGE) == [TileId(0, 273), TileId(1, 1), TileId(2, 0)]


async def test_a_proof_reads_a_handful_of_tiles_in_one_question(large: MemoryTiles) -> None:
    for prove, arguments in [
        (prove_inclusion, (0, LARGE)),
        (prove_inclusion, (LARGE - 1, LARGE)),
        (prove_inclusion, (40_000, 65_535)),
        (prove_consistency, (1, LARGE)),
        (prove_consistency, (65_535, LARGE)),
        (prove_consistency, (12_345, 54_321)),
    ]:
        counting = Counting(large)

        await prove(counting, *arguments)

        # Two a level: where the entry is, and the right edge.
        assert counting.questions == 1
        assert counting.read <= 6


@unhurried
@given(st.data())
async def test_every_earlier_size_is_proven_from_the_tiles_of_now(large: MemoryTiles, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGE) | st.sampled_from([255, 256, 257, 65_535, 65_536, 65_537, LARGE]))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root, old_root = await root_at(large, size), await root_at(large, old)

    inclusion = await prove_inclusion(large, index, size)
    consistency = await prove_consistency(large, old, size)

    assert verify_inclusion(leaf_hash(b"entry %d" % index), index, size, inclusion, root)
    assert verify_consistency(old, old_root, size, root, consistency)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_535, 65_536, 65_537, LARGE])
async def test_the_root_out_of_tiles_is_the_root_of_the_entries(large: MemoryTiles, size: int) -> None:
    assert await root_at(large, size) == recompute(entries(size))


@pytest.mark.parametrize("missing", [TileId(0, 0), TileId(0, 273), TileId(1, 0), TileId(2, 0)])
async def test_a_missing_or_short_tile_is_named(large: MemoryTiles, missing: TileId) -> None:
    # Given a table that lost a tile, or the last hash of one
    broken = MemoryTiles()
    broken._tiles = dict(large._tiles)
    for rest in (None, large._tiles[missing][:-32]):
        if rest is None:
            del broken._tiles[missing]
        else:
            broken._tiles[missing] = rest

        # When something that is over it is asked for
        with pytest.raises(TilesIncomplete) as raised:
            await prove_consistency(broken, 255 if missing == TileId(0, 0) else LARGE - 1, LARGE)
            await root_at(broken, LARGE)
            await prove_inclusion(broken, 70, LARGE)

        # Then it is told which
        assert raised.value.attributes == {"level": missing.level, "number": missing.number}


@pytest.mark.parametrize("tile", [b"", b"x" * 31, b"x" * 64])
def test_a_log_does_not_grow_over_an_edge_that_is_not_its_own(tile: bytes) -> None:
    # Given a log of one entry, and a tile that is not that entry's
    with pytest.raises(TilesIncomplete):
        grow(1, {TileId(0, 0): tile}, [leaf_hash(b"next")])

    with pytest.raises(TilesIncomplete):
        frontier_at(1, {TileId(0, 0): tile})


def test_growing_by_nothing_writes_nothing() -> None:
    tiles = tiles_of(entries(300))

    growth = tiles.append([])

    assert growth.tiles == {}
    assert growth.root == recompute(entries(300))


def test_a_log_goes_on_over_a_very_long_one() -> None:
    # Given a log of four billion entries, of which only the edge is kept
    size = 2**32 - 1
    tiles = {place: b"".join(sha256(b"%d %d" % (place.level, n)).digest() for n in range(255)) for place in edge(size)}
    frontier = frontier_at(size, tiles)

    # When one more entry completes every tile there is
    growth = grow(size, tiles, [leaf_hash(b"last")])
    frontier.append(leaf_hash(b"last"))

    # Then there is one hash left, which both agree on
    assert frontier.peaks == (growth.root,)
    assert sorted(growth.tiles) == [TileId(level, 256 ** (3 - level) - 1) for level in range(4)] + [TileId(4, 0)]


def test_a_frontier_out_of_tiles_has_the_same_peaks_as_one_that_grew() -> None:
    for size in (0, 1, 2, 3, 255, 256, 511, 1000):
        tiles = tiles_of(entries(size))
        grown = Frontier()
        for entry in entries(size):
            grown.append(leaf_hash(entry))

        assert frontier_at(size, tiles._tiles).to_bytes() == grown.to_bytes()


async def test_three_entries_by_hand() -> None:
    a, b, c = (leaf_hash(name) for name in (b"a", b"b", b"c"))
    tiles = MemoryTiles()
    tiles.append([a, b, c])

    assert await root_at(tiles, 3) == node_hash(node_hash(a, b), c)
    assert await prove_inclusion(tiles, 0, 3) == (b, c)
    assert await prove_inclusion(tiles, 2, 3) == (node_hash(a, b),)
    assert await prove_consistency(tiles, 2, 3) == (c,)
    assert await prove_consistency(tiles, 3, 3) == ()

"""Roots and proofs are held against an implementation of RFC 6962 that somebody else wrote (`tamperlog`)."""

from __future__ import annotations

import random

import pytest
import tamperlog
from hypothesis import given
from hypothesis import strategies as st

from statuette.evidence import (
    MemoryTiles,
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
from tests.unit.evidence.test_merkle import changes_of

EVERY_SIZE_UP_TO = 72
LARGE = 70_000


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    return [tamperlog.hash_leaf(entry) for entry in entries(LARGE)]


@pytest.fixture(scope="module")
def large(leaves: list[bytes]) -> MemoryTiles:
    tiles = MemoryTiles()
    tiles.append(leaves)
    return tiles


@unhurried
@given(st.binary(max_size=100), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_hashes_agree(entry: bytes, left: bytes, right: bytes) -> None:
    assert leaf_hash(entry) == tamperlog.hash_leaf(entry)
    assert node_hash(left, right) == tamperlog.hash_children(left, right)


@pytest.mark.parametrize("size", range(EVERY_SIZE_UP_TO + 1))
async def test_every_root_and_proof_of_a_small_log_agrees(size: int) -> None:
    some = entries(size)
    leaves = [tamperlog.hash_leaf(entry) for entry in some]
    tiles, root = tiles_of(some), tamperlog.merkle_root(leaves)

    assert recompute(some) == root
    assert await root_at(tiles, size) == root

    for index in range(size):
        proof = await prove_inclusion(tiles, index, size)
        assert list(proof) == tamperlog.inclusion_proof(index, leaves)
        assert verify_inclusion(leaves[index], index, size, proof, root)
        tamperlog.verify_inclusion(index, size, leaves[index], list(proof), root)

    for old in range(size + 1):
        proof, old_root = await prove_consistency(tiles, old, size), tamperlog.merkle_root(leaves[:old])
        assert list(proof) == tamperlog.consistency_proof(old, leaves)
        assert verify_consistency(old, old_root, size, root, proof)
        tamperlog.verify_consistency(old, old_root, size, root, list(proof))


@pytest.mark.parametrize("seed", range(20))
async def test_roots_and_proofs_of_larger_logs_agree(seed: int, large: MemoryTiles, leaves: list[bytes]) -> None:
    # Given a size anywhere on three levels of tiles, or at the border of two
    chance = random.Random(seed)
    size = chance.choice([255, 256, 257, 511, 512, 65_535, 65_536, 65_537, LARGE, chance.randint(73, LARGE)])
    index, old = chance.randrange(size), chance.randint(1, size)
    root = tamperlog.merkle_root(leaves[:size])

    assert await root_at(large, size) == root
    assert list(await prove_inclusion(large, index, size)) == tamperlog.inclusion_proof(index, leaves[:size])
    assert list(await prove_consistency(large, old, size)) == tamperlog.consistency_proof(old, leaves[:size])


async def test_a_proof_holds_for_the_places_and_sizes_that_both_accept_and_no_others() -> None:
    # Given every proof in a small log, whole and cut short, with every place and size that could be claimed for it
    leaves = [leaf_hash(entry) for entry in entries(12)]
    tiles, roots = tiles_of(entries(12)), [recompute(entries(size)) for size in range(13)]
    for size in range(1, 13):
        for index in range(size):
            whole = list(await prove_inclusion(tiles, index, size))
            for path in (whole, whole[:-1], whole[1:]):
                for claimed in range(18):
                    for other in range(claimed + 1):
                        assert verify_inclusion(leaves[index], other, claimed, path, roots[size]) == accepted(
                            tamperlog.verify_inclusion, other, claimed, leaves[index], path, roots[size]
                        )


async def test_a_proof_of_growth_holds_for_the_sizes_that_both_accept_and_no_others() -> None:
    tiles, roots = tiles_of(entries(12)), [recompute(entries(size)) for size in range(13)]
    for size in range(1, 13):
        for old in range(1, size + 1):
            whole = list(await prove_consistency(tiles, old, size))
            for path in (whole, whole[:-1], whole[1:]):
                for claimed in range(18):
                    for other in range(1, claimed + 1):
                        assert verify_consistency(other, roots[old], claimed, roots[size], path) == accepted(
                            tamperlog.verify_consistency, other, roots[old], claimed, roots[size], path
                        )


@unhurried
@given(st.integers(1, 100), st.data())
async def test_both_accept_and_refuse_the_same_proofs(size: int, data: st.DataObject) -> None:
    # Given a proof that was changed, for a place and sizes that may be others
    some = entries(size)
    leaves = [leaf_hash(entry) for entry in some]
    index = data.draw(st.integers(0, size - 1))
    tiles, root = tiles_of(some), recompute(some)
    proof = await prove_inclusion(tiles, index, size)
    for path in (list(proof), data.draw(changes_of(proof))):
        if any(len(part) != 32 for part in path):
            continue
        other = data.draw(st.integers(0, size + 2))
        claimed = data.draw(st.integers(0, size + 2))

        # Then two algorithms that share nothing come to one verdict
        assert verify_inclusion(leaves[index], other, claimed, path, root) == accepted(
            tamperlog.verify_inclusion, other, claimed, leaves[index], path, root
        )


@unhurried
@given(st.integers(1, 100), st.data())
async def test_both_accept_and_refuse_the_same_proofs_of_growth(size: int, data: st.DataObject) -> None:
    some = entries(size)
    old = data.draw(st.integers(1, size))
    old_root, root = recompute(some[:old]), recompute(some)
    proof = await prove_consistency(tiles_of(some), old, size)
    for path in (list(proof), data.draw(changes_of(proof))):
        if any(len(part) != 32 for part in path):
            continue
        other = data.draw(st.integers(1, size + 2))
        claimed = data.draw(st.integers(1, size + 2))

        assert verify_consistency(other, old_root, claimed, root, path) == accepted(
            tamperlog.verify_consistency, other, old_root, claimed, root, path
        )


def accepted(check: object, *arguments: object) -> bool:
    try:
        check(*arguments)  # type: ignore[operator]
    except tamperlog.ProofError:
        return False
    return True

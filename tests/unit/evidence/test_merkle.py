"""The tree: the roots and proofs of RFC 6962, from the list of entries and from the little a log keeps."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuette.errors import InvalidInput
from statuette.evidence import (
    EMPTY_ROOT,
    Frontier,
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

# The tree that implementations of Certificate Transparency are tested with.
CT_ENTRIES = [
    bytes.fromhex(entry)
    for entry in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
}
CT_CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


@pytest.mark.parametrize("size", range(9))
async def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    some = CT_ENTRIES[:size]

    assert recompute(some).hex() == CT_ROOTS[size]
    assert (await root_at(tiles_of(CT_ENTRIES), size)).hex() == CT_ROOTS[size]


@pytest.mark.parametrize(("place", "proof"), CT_INCLUSION.items())
async def test_the_inclusion_proofs_are_those_of_certificate_transparency(
    place: tuple[int, int], proof: list[str]
) -> None:
    made = await prove_inclusion(tiles_of(CT_ENTRIES), *place)

    assert [part.hex() for part in made] == proof


@pytest.mark.parametrize(("sizes", "proof"), CT_CONSISTENCY.items())
async def test_the_consistency_proofs_are_those_of_certificate_transparency(
    sizes: tuple[int, int], proof: list[str]
) -> None:
    made = await prove_consistency(tiles_of(CT_ENTRIES), *sizes)

    assert [part.hex() for part in made] == proof


def test_an_entry_does_not_pass_as_two_hashes() -> None:
    left, right = leaf_hash(b"left"), leaf_hash(b"right")

    assert leaf_hash(left + right) != node_hash(left, right)
    assert recompute([left + right]) != recompute([b"left", b"right"])


@unhurried
@given(st.lists(st.binary(max_size=40), max_size=300), st.data())
def test_a_frontier_is_carried_on_from_its_bytes_at_any_size(some: list[bytes], data: st.DataObject) -> None:
    # Given a log that stopped anywhere
    stop = data.draw(st.integers(0, len(some)))
    first = Frontier()
    for entry in some[:stop]:
        first.append(leaf_hash(entry))

    # When it is carried on from what was stored
    second = Frontier.from_bytes(first.to_bytes())
    for entry in some[stop:]:
        second.append(leaf_hash(entry))

    # Then it is the log of all entries, out of one hash for each bit of its size
    assert second.root() == recompute(some)
    assert second.size == len(some)
    assert len(second.to_bytes()) == 8 + 32 * len(some).bit_count()


@pytest.mark.parametrize(
    "state",
    [b"", b"\0" * 7, b"\0" * 7 + b"\1", b"\0" * 8 + b"x" * 32, b"\0" * 7 + b"\3" + b"x" * 63, b"\0" * 8 + b"x"],
)
def test_bytes_that_are_no_frontier_are_refused(state: bytes) -> None:
    with pytest.raises(InvalidInput):
        Frontier.from_bytes(state)


@unhurried
@given(st.integers(1, 600), st.data())
async def test_an_inclusion_proof_holds_at_its_own_place_and_nowhere_else(size: int, data: st.DataObject) -> None:
    some = entries(size)
    index, other = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    tiles, root = tiles_of(some), recompute(some)

    proof = await prove_inclusion(tiles, index, size)

    assert verify_inclusion(leaf_hash(some[index]), index, size, proof, root)
    assert verify_inclusion(leaf_hash(some[other]), index, size, proof, root) == (index == other)
    assert verify_inclusion(leaf_hash(some[index]), other, size, proof, root) == (index == other)


@unhurried
@given(st.integers(1, 200), st.data())
async def test_an_inclusion_proof_with_anything_changed_does_not_hold(size: int, data: st.DataObject) -> None:
    some = entries(size)
    index = data.draw(st.integers(0, size - 1))
    leaf, root = leaf_hash(some[index]), recompute(some)
    proof = await prove_inclusion(tiles_of(some), index, size)

    changed = data.draw(changes_of(proof))

    assert not verify_inclusion(leaf, index, size, changed, root)
    assert not verify_inclusion(leaf, index, size, proof, flipped(root, data.draw(st.integers(0, 255))))
    assert not verify_inclusion(flipped(leaf, data.draw(st.integers(0, 255))), index, size, proof, root)


@unhurried
@given(st.integers(0, 600), st.data())
async def test_a_consistency_proof_holds_between_a_log_and_its_beginning(size: int, data: st.DataObject) -> None:
    some = entries(size)
    old = data.draw(st.integers(0, size))

    proof = await prove_consistency(tiles_of(some), old, size)

    assert verify_consistency(old, recompute(some[:old]), size, recompute(some), proof)


@unhurried
@given(st.integers(2, 200), st.data())
async def test_a_consistency_proof_with_anything_changed_does_not_hold(size: int, data: st.DataObject) -> None:
    some = entries(size)
    old = data.draw(st.integers(1, size - 1))
    old_root, new_root = recompute(some[:old]), recompute(some)
    proof = await prove_consistency(tiles_of(some), old, size)

    changed = data.draw(changes_of(proof))

    assert not verify_consistency(old, old_root, size, new_root, changed)
    assert not verify_consistency(old, flipped(old_root, data.draw(st.integers(0, 255))), size, new_root, proof)
    assert not verify_consistency(old, old_root, size, flipped(new_root, data.draw(st.integers(0, 255))), proof)


@unhurried
@given(st.integers(1, 120), st.data())
async def test_no_proof_of_a_rewritten_log_holds(size: int, data: st.DataObject) -> None:
    # Given a log whose beginning was signed, and one in which an entry of the beginning was altered
    signed = data.draw(st.integers(1, size))
    altered = entries(size)
    altered[data.draw(st.integers(0, signed - 1))] = b"something else"

    # When the altered log is proven to have grown out of the beginning
    proof = await prove_consistency(tiles_of(altered), signed, size)

    # Then the proof does not lead to what was signed
    assert not verify_consistency(signed, recompute(entries(signed)), size, recompute(altered), proof)


def test_sizes_and_places_that_cannot_be_hold_nothing() -> None:
    leaf = leaf_hash(b"only")

    assert verify_inclusion(leaf, 0, 1, [], leaf)
    assert not verify_inclusion(leaf, 1, 1, [], leaf)
    assert not verify_inclusion(leaf, -1, 1, [], leaf)
    assert not verify_inclusion(leaf, 0, 0, [], EMPTY_ROOT)
    assert not verify_inclusion(leaf[:31], 0, 1, [], leaf[:31])
    assert not verify_consistency(2, leaf, 1, leaf, [])
    assert not verify_consistency(-1, leaf, 1, leaf, [])
    assert not verify_consistency(0, leaf, 1, leaf, [])
    assert not verify_consistency(0, leaf, 0, leaf, [])
    assert not verify_consistency(0, EMPTY_ROOT, 1, leaf, [leaf])
    assert verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    assert verify_consistency(0, EMPTY_ROOT, 1, leaf, [])
    assert not verify_consistency(1, leaf, 2, node_hash(leaf, leaf), [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (5, 3)])
async def test_what_is_not_in_the_log_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(InvalidInput):
        await prove_inclusion(tiles_of(entries(3)), index, size)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 3)])
async def test_a_log_does_not_shrink(old: int, new: int) -> None:
    with pytest.raises(InvalidInput):
        await prove_consistency(tiles_of(entries(3)), old, new)


def test_a_million_entries_take_ten_seconds_at_most() -> None:
    # Given a tenth of a million, each as long as a receipt, and the processor's time, which neighbours do not change
    some = [b"%0800d" % number for number in range(100_000)]
    began = time.process_time()

    recompute(some)

    assert time.process_time() - began < 1.0


def test_a_log_of_any_length_is_verified_in_the_same_little_memory() -> None:
    def peak_bytes(count: int) -> int:
        tracemalloc.start()
        recompute(b"entry %d" % number for number in range(count))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    assert peak_bytes(30_000) < 20_000


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@st.composite
def changes_of(draw: st.DrawFn, proof: tuple[bytes, ...]) -> list[bytes]:
    """The proof with a bit turned, a hash left out, added, cut or doubled, or two exchanged."""
    changed = list(proof)
    ways = ["add"] + (["turn", "drop", "cut", "double"] if changed else [])
    ways += ["exchange"] if len(changed) > 1 else []
    way = draw(st.sampled_from(ways))
    place = draw(st.integers(0, max(0, len(changed) - 1)))
    if way == "add":
        changed.insert(draw(st.integers(0, len(changed))), draw(st.binary(min_size=32, max_size=32)))
    elif way == "turn":
        changed[place] = flipped(changed[place], draw(st.integers(0, 255)))
    elif way == "drop":
        del changed[place]
    elif way == "cut":
        changed[place] = changed[place][:-1]
    elif way == "double":
        changed.insert(place, changed[place])
    else:
        changed[place - 1], changed[place] = changed[place], changed[place - 1]
    return changed

"""Proofs over a tree: which subtrees make one, and whether one holds.

Two kinds (RFC 6962 §2.1.1 and §2.1.2): that an entry is in the tree, and that a tree is the beginning of a larger one.
Each is a short list of hashes, lowest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from statuette.errors import InvalidInput
from statuette.evidence.merkle import EMPTY_ROOT, HASH_BYTES, node_hash


class Span(NamedTuple):
    """The entries from `begin` up to and without `end`, which stand under one node of the tree."""

    begin: int
    end: int


class Subtree(NamedTuple):
    """A complete subtree: the `number`th, from 0, of those with 2^`level` entries."""

    level: int
    number: int


def inclusion_spans(index: int, size: int) -> list[Span]:
    """What the proof that entry `index` is in a tree of `size` consists of.

    Raises:
        InvalidInput: there is no such entry.
    """
    if not 0 <= index < size:
        raise InvalidInput(f"There is no entry {index} in a tree of {size}.")
    spans, here = [], Span(0, size)
    while here.end - here.begin > 1:
        left, right = _halves(here)
        here, beside = (left, right) if index < left.end else (right, left)
        spans.append(beside)
    return spans[::-1]


def consistency_spans(old_size: int, new_size: int) -> list[Span]:
    """What the proof that the first `old_size` of `new_size` entries are what they were consists of.

    Raises:
        InvalidInput: the old tree is larger than the new one.
    """
    if not 0 <= old_size <= new_size:
        raise InvalidInput(f"A tree of {old_size} entries is not the beginning of one of {new_size}.")
    if old_size == 0:
        return []
    spans, here = [], Span(0, new_size)
    while here.end != old_size:
        left, right = _halves(here)
        here, beside = (left, right) if old_size <= left.end else (right, left)
        spans.append(beside)
    if here.begin:
        # Else it is the whole old tree, whose root the verifier has.
        spans.append(here)
    return spans[::-1]


def complete_subtrees(span: Span) -> list[Subtree]:
    """The complete subtrees that a span consists of, largest first."""
    subtrees, begin = [], span.begin
    while begin < span.end:
        level = (span.end - begin).bit_length() - 1
        subtrees.append(Subtree(level, begin >> level))
        begin += 1 << level
    return subtrees


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the entry with the `leaf_hash` `leaf` stands at `index` under this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    place, last, found = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(beside, found)
            # On the right edge there are levels without a neighbour.
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree with `old_root` is the beginning of the one with `new_root` (RFC 9162 §2.1.4.2).

    Every tree begins with the empty one; between equal sizes the roots are equal. Both proofs are empty.
    """
    if not 0 <= old_size <= new_size or not _are_hashes(old_root, new_root, *proof):
        return False
    if old_size in (0, new_size):
        right_root = EMPTY_ROOT if old_size == 0 else new_root
        return not proof and old_root == right_root and (new_size > 0 or new_root == EMPTY_ROOT)
    # A complete old tree is a subtree of the new one, and left out of the proof.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for beside in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(beside, old), node_hash(beside, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _halves(span: Span) -> tuple[Span, Span]:
    # The left one is as large as a complete subtree can be while something is left for the right one.
    middle = span.begin + (1 << ((span.end - span.begin - 1).bit_length() - 1))
    return Span(span.begin, middle), Span(middle, span.end)


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)

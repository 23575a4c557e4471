"""The tree of a log: SHA-256 as RFC 6962 §2.1 uses it, and the little that a growing log has to remember."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from statuette.errors import InvalidInput

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
_SIZE_BYTES = 8


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry. What it begins with keeps an entry from passing as two hashes put together."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours, 32 bytes each."""
    return sha256(b"\x01" + left + right).digest()


def recompute(entries: Iterable[bytes]) -> bytes:
    """The root over all entries of a log, in their order, in constant memory."""
    frontier = Frontier()
    for entry in entries:
        frontier.append(leaf_hash(entry))
    return frontier.root()


class Frontier:
    """The right edge of a tree that only grows: the hash of each complete subtree, largest first.

    There are as many as `size` has bits that are set, so a log of any length is carried on from a few hundred bytes.

    Args:
        size: entries so far.
        peaks: the hashes, 32 bytes each.

    Raises:
        InvalidInput: the hashes are not those of a tree of this size.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self._size = size
        self._peaks = list(peaks)
        if size < 0 or len(self._peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in self._peaks):
            raise InvalidInput(f"These are not the hashes of a tree of {size} entries.")

    @property
    def size(self) -> int:
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add the `leaf_hash` of the next entry."""
        peaks, grown, complete = self._peaks, leaf, self._size
        while complete & 1:
            grown = sha256(b"\x01" + peaks.pop() + grown).digest()
            complete >>= 1
        peaks.append(grown)
        self._size += 1

    def root(self) -> bytes:
        """The root over what was appended so far."""
        return folded(self._peaks)

    def to_bytes(self) -> bytes:
        """The size in eight bytes, big end first, then the hashes."""
        return self._size.to_bytes(_SIZE_BYTES, "big") + b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, state: bytes) -> Frontier:
        """What `to_bytes` wrote.

        Raises:
            InvalidInput: it was not written by `to_bytes`.
        """
        hashes = state[_SIZE_BYTES:]
        if len(state) < _SIZE_BYTES:
            raise InvalidInput("The state of a log is shorter than its size.")
        return cls(int.from_bytes(state[:_SIZE_BYTES], "big"), split_hashes(hashes))


def folded(peaks: Iterable[bytes]) -> bytes:
    """The one hash over neighbouring subtrees, largest first; over none, that of the empty tree."""
    hashes = list(peaks)
    if not hashes:
        return EMPTY_ROOT
    root = hashes.pop()
    while hashes:
        root = node_hash(hashes.pop(), root)
    return root


def split_hashes(packed: bytes) -> list[bytes]:
    """Hashes that stand one after another. A last one that is too short stays short."""
    return [packed[place : place + HASH_BYTES] for place in range(0, len(packed), HASH_BYTES)]

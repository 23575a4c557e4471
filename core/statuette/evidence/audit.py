"""The whole log, offline: every entry against every signed head, in one pass and constant memory.

An entry that was altered, dropped or put elsewhere changes the root at the next head. Which entry it was shows where the log's
leaf hashes (its tiles of level 0) are at hand too: they lead to the signed root, so they tell what each entry was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from statuette.errors import InvalidInput
from statuette.evidence.heads import PublicKeys, SignedHead, Trust, verify_head
from statuette.evidence.merkle import Frontier, leaf_hash, split_hashes
from statuette.evidence.receipt import read_entry


class Fault(StrEnum):
    """The first thing that is wrong with a log. Stable: programs may match on it."""

    no_head = "no_head"
    head_of_other_log = "head_of_other_log"
    head_key_unknown = "head_key_unknown"
    head_key_not_then = "head_key_not_then"
    head_not_signed = "head_not_signed"
    heads_out_of_order = "heads_out_of_order"
    log_forked = "log_forked"
    entries_differ = "entries_differ"
    entries_missing = "entries_missing"
    entries_not_covered = "entries_not_covered"
    entry_altered = "entry_altered"
    entry_dropped = "entry_dropped"
    entry_inserted = "entry_inserted"
    entry_moved = "entry_moved"
    entry_not_a_receipt = "entry_not_a_receipt"


_MEANING = {
    Fault.no_head: "There is no signed head, so nothing says what the log should be.",
    Fault.head_of_other_log: "The head is of another log.",
    Fault.head_key_unknown: "The head is signed with a key that is not one of the log's.",
    Fault.head_key_not_then: "The head is signed with a key that was not valid at its moment.",
    Fault.head_not_signed: "The head is not signed as it says.",
    Fault.heads_out_of_order: "The head has fewer entries than the one before it.",
    Fault.log_forked: "The head has the size of the one before it and another root: there are two logs.",
    Fault.entries_differ: "One of these entries was altered, dropped, added or moved after the head was signed.",
    Fault.entries_missing: "These entries are missing at the end.",
    Fault.entries_not_covered: "No head covers the entries from here on.",
    Fault.entry_altered: "This entry was altered.",
    Fault.entry_dropped: "This entry was dropped.",
    Fault.entry_inserted: "This entry was added between others.",
    Fault.entry_moved: "The entry that belongs here stands further on.",
    Fault.entry_not_a_receipt: "This entry is no receipt in its one encoding, and was signed so.",
}


class Failure(msgspec.Struct, frozen=True):
    """What is wrong first, and where.

    Attributes:
        fault: what.
        sentence: the same in words.
        head: which head it shows at, from 0; None if at none.
        first, last: which entries, from 0 and with `last`; None if none in particular.
    """

    fault: Fault
    sentence: str
    head: int | None = None
    first: int | None = None
    last: int | None = None


class Audit(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        entries: how many the last head that holds covers.
        heads: how many hold.
        failure: the first thing that is wrong, or None.
    """

    entries: int
    heads: int
    failure: Failure | None

    @property
    def holds(self) -> bool:
        return self.failure is None


def verify_log(
    entries: Iterable[bytes],
    heads: Iterable[SignedHead],
    keys: PublicKeys,
    *,
    leaf_hashes: Iterable[bytes] | None = None,
    read_receipts: bool = False,
) -> Audit:
    """Verify a log up to the first thing that is wrong.

    The entries must be those that the last head covers, no more and no less: what comes after it is proven by nothing.

    Args:
        entries: all of them, in order.
        heads: in order; those of equal size may repeat.
        keys: that the heads may be signed with.
        leaf_hashes: those the log was built from, if at hand, in order: then a fault names its entry.
        read_receipts: whether each entry has to be a receipt in its one encoding.
    """
    walk = _Walk(entries, leaf_hashes, read_receipts)
    before: SignedHead | None = None
    number = 0
    for number, head in enumerate(heads):
        covered = before.size if before else 0
        fault = _fault_of_head(head, before, keys)
        failure = _failure(fault, head=number) if fault else walk.up_to(head, number, covered)
        if failure is not None:
            return Audit(covered, number, failure)
        before = head
    if before is None:
        return Audit(0, 0, _failure(Fault.no_head))
    after = walk.next_entry()
    failure = None if after is None else _failure(Fault.entries_not_covered, first=before.size)
    return Audit(before.size, number + 1, failure)


def leaf_hashes_of(tiles: Iterable[bytes]) -> Iterator[bytes]:
    """The leaf hashes in the tiles of level 0, in order."""
    for tile in tiles:
        yield from split_hashes(tile)


def _fault_of_head(head: SignedHead, before: SignedHead | None, keys: PublicKeys) -> Fault | None:
    trust = keys.trust(head)
    if trust is Trust.other_log or (before is not None and before.log != head.log):
        return Fault.head_of_other_log
    if trust is Trust.unknown:
        return Fault.head_key_unknown
    if trust is Trust.not_then:
        return Fault.head_key_not_then
    public_key = keys.public_key_of(head)
    if public_key is None or not verify_head(head, public_key):
        return Fault.head_not_signed
    if before is not None and head.size < before.size:
        return Fault.heads_out_of_order
    if before is not None and head.size == before.size and head.root != before.root:
        return Fault.log_forked
    return None


class _Walk:
    """One pass over the entries, from head to head."""

    def __init__(self, entries: Iterable[bytes], leaf_hashes: Iterable[bytes] | None, read_receipts: bool) -> None:
        self._entries = iter(entries)
        self._known = None if leaf_hashes is None else _KnownLeaves(leaf_hashes)
        self._read_receipts = read_receipts
        self._frontier = Frontier()
        self._no_receipt: int | None = None

    def next_entry(self) -> bytes | None:
        return next(self._entries, None)

    def up_to(self, head: SignedHead, number: int, covered: int) -> Failure | None:
        """Go on to the head's size, and compare. `covered` entries were under the head before."""
        frontier, known = self._frontier, self._known
        while frontier.size < head.size:
            entry = next(self._entries, None)
            if entry is None:
                return self._told(head, number, Fault.entries_missing, frontier.size)
            leaf = leaf_hash(entry)
            if known is not None:
                known.compare(leaf)
            if self._read_receipts and self._no_receipt is None and not _is_receipt(entry):
                self._no_receipt = frontier.size
            frontier.append(leaf)
        if frontier.root() != head.root:
            return self._told(head, number, Fault.entries_differ, covered)
        if self._no_receipt is not None:
            return _failure(Fault.entry_not_a_receipt, head=number, first=self._no_receipt, last=self._no_receipt)
        return None

    def _told(self, head: SignedHead, number: int, fault: Fault, first: int) -> Failure:
        """The entry at fault if the leaf hashes tell, else the entries among which it is."""
        if self._known is not None:
            named = self._known.named(head, (leaf_hash(entry) for entry in self._entries))
            if named is not None:
                return _failure(named[0], head=number, first=named[1], last=named[1])
        return _failure(fault, head=number, first=first, last=head.size - 1)


class _KnownLeaves:
    """The leaf hashes that a log was built from, beside those of the entries, and where they first part."""

    def __init__(self, hashes: Iterable[bytes]) -> None:
        self._hashes = iter(hashes)
        self._frontier = Frontier()
        self._place = 0
        self._parted_at: int | None = None
        self._stands_here = self._belongs_here = b""
        self._misplaced_is_known = self._missing_is_found = False

    def compare(self, leaf: bytes | None) -> None:
        """Take the next of both. None: there are no more entries."""
        known = next(self._hashes, None)
        if known is not None:
            self._frontier.append(known)
        if self._parted_at is None and known is not None and leaf is not None and known != leaf:
            self._parted_at, self._stands_here, self._belongs_here = self._place, leaf, known
        elif self._parted_at is not None:
            self._misplaced_is_known |= known == self._stands_here
            self._missing_is_found |= leaf == self._belongs_here
        self._place += 1

    def named(self, head: SignedHead, rest: Iterator[bytes]) -> tuple[Fault, int] | None:
        """What happened, and to which entry; None if these hashes do not tell.

        Args:
            rest: leaf hashes of the entries from here on.
        """
        while self._place < head.size:
            self.compare(None)
        if self._frontier.size != head.size or self._frontier.root() != head.root:
            # They are not what was signed either.
            return None
        if self._parted_at is None:
            return None
        for leaf in rest:
            self.compare(leaf)
        while not self._misplaced_is_known and (known := next(self._hashes, None)) is not None:
            self._misplaced_is_known = known == self._stands_here
        fault = {
            (False, False): Fault.entry_altered,
            (True, False): Fault.entry_dropped,
            (False, True): Fault.entry_inserted,
            (True, True): Fault.entry_moved,
        }[self._misplaced_is_known, self._missing_is_found]
        return fault, self._parted_at


def _is_receipt(entry: bytes) -> bool:
    try:
        read_entry(entry)
    except InvalidInput:
        return False
    return True


def _failure(fault: Fault, *, head: int | None = None, first: int | None = None, last: int | None = None) -> Failure:
    return Failure(fault, _MEANING[fault], head, first, last)

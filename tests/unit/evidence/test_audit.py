"""The whole log: whatever was altered, dropped, added or moved after a head was signed is found, and named (I9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuette.evidence import (
    Audit,
    Fault,
    MemoryTiles,
    PublicKey,
    PublicKeys,
    SignedHead,
    entry_of,
    key_id,
    leaf_hash,
    leaf_hashes_of,
    recompute,
    sign_head,
    verify_log,
)
from tests.unit.evidence.making import (
    KEY,
    LOG,
    NEXT_KEY,
    NEXT_PUBLIC_KEY,
    NOON,
    PUBLIC_KEY,
    Log,
    entries,
    receipt,
    tiles_of,
    unhurried,
)

KEYS = PublicKeys(keys=(PublicKey(public_key=PUBLIC_KEY),), log=LOG)
SIZES = [3, 3, 8, 20]


def heads_of(some: list[bytes], sizes: list[int]) -> list[SignedHead]:
    return [sign_head(KEY, log=LOG, size=size, root=recompute(some[:size]), at=NOON) for size in sizes]


def place_of(found: Audit) -> tuple[Fault, int | None, int | None, int | None] | None:
    failure = found.failure
    return None if failure is None else (failure.fault, failure.head, failure.first, failure.last)


def altered(some: list[bytes], place: int) -> list[bytes]:
    return [*some[:place], b"something else", *some[place + 1 :]]


def dropped(some: list[bytes], place: int) -> list[bytes]:
    return [*some[:place], *some[place + 1 :]]


def inserted(some: list[bytes], place: int) -> list[bytes]:
    return [*some[:place], b"something more", *some[place:]]


def moved(some: list[bytes], place: int) -> list[bytes]:
    """An entry, and the one three further on, in each other's place."""
    return [*some[:place], some[place + 3], *some[place + 1 : place + 3], some[place], *some[place + 4 :]]


WAYS = {
    Fault.entry_altered: altered,
    Fault.entry_dropped: dropped,
    Fault.entry_inserted: inserted,
    Fault.entry_moved: moved,
}


def test_a_log_that_is_as_it_was_signed_holds() -> None:
    some = entries(20)

    found = verify_log(some, heads_of(some, SIZES), KEYS)

    assert found.holds
    assert (found.entries, found.heads) == (20, 4)


async def test_a_log_of_receipts_holds_and_each_is_read() -> None:
    log = Log(30)
    heads = [await log.head(size) for size in (1, 10, 30)]

    assert verify_log(log.entries, heads, KEYS, read_receipts=True).holds


@pytest.mark.parametrize("fault", WAYS)
@pytest.mark.parametrize(("place", "head", "first", "last"), [(0, 0, 0, 2), (5, 2, 3, 7), (15, 3, 8, 19)])
def test_a_change_shows_at_the_next_head(fault: Fault, place: int, head: int, first: int, last: int) -> None:
    some = entries(20)
    heads = heads_of(some, SIZES)

    found = verify_log([*WAYS[fault](some, place), b"and more"], heads, KEYS)

    assert place_of(found) == (Fault.entries_differ, head, first, last)
    assert (found.entries, found.heads) == (heads[head - 1].size if head else 0, head)


@unhurried
@given(st.sampled_from(list(WAYS)), st.integers(4, 60), st.data())
def test_with_the_leaf_hashes_the_entry_is_named(fault: Fault, size: int, data: st.DataObject) -> None:
    # Given a log with a few heads, the last over all of it, and one change
    some = entries(size)
    sizes = sorted([*data.draw(st.lists(st.integers(0, size), max_size=3)), size])
    # Whether the last entry is missing at the end or was dropped is the same thing, and told as the first.
    place = data.draw(st.integers(0, size - (4 if fault is Fault.entry_moved else 2)))
    changed = WAYS[fault](some, place)

    # When it is verified beside the leaf hashes that it was built from
    found = verify_log(changed, heads_of(some, sizes), KEYS, leaf_hashes=[leaf_hash(entry) for entry in some])

    # Then the change is named as what it is
    number = next(number for number, covered in enumerate(sizes) if covered > place)
    assert place_of(found) == (fault, number, place, place)


@unhurried
@given(st.integers(1, 60), st.integers(1, 5))
def test_entries_that_are_missing_at_the_end_are_named(size: int, missing: int) -> None:
    some = entries(size)
    left = max(0, size - missing)

    for hashes in (None, [leaf_hash(entry) for entry in some]):
        found = verify_log(some[:left], heads_of(some, [size]), KEYS, leaf_hashes=hashes)

        assert place_of(found) == (Fault.entries_missing, 0, left, size - 1)


@pytest.mark.parametrize("left", [1, 2, 3, 5])
def test_when_only_the_end_is_left_the_first_entry_is_told_to_be_dropped(left: int) -> None:
    # Given the last few entries of a log whose first head covers three
    some = entries(20)

    found = verify_log(some[-left:], heads_of(some, SIZES), KEYS, leaf_hashes=[leaf_hash(entry) for entry in some])

    assert place_of(found) == (Fault.entry_dropped, 0, 0, 0)


def test_entries_that_no_head_covers_are_not_taken_for_evidence() -> None:
    some = entries(20)

    found = verify_log([*some, b"one more"], heads_of(some, SIZES), KEYS)

    assert place_of(found) == (Fault.entries_not_covered, None, 20, None)
    assert (found.entries, found.heads) == (20, 4)


def test_without_a_head_nothing_holds() -> None:
    assert place_of(verify_log(entries(3), [], KEYS)) == (Fault.no_head, None, None, None)
    assert place_of(verify_log([], [], KEYS)) == (Fault.no_head, None, None, None)


def test_an_empty_log_holds_under_its_head() -> None:
    assert verify_log([], heads_of([], [0]), KEYS).holds
    assert not verify_log([b"an entry"], heads_of([], [0]), KEYS).holds


def test_leaf_hashes_that_are_not_those_that_were_signed_name_no_entry() -> None:
    # Given leaf hashes that fit the altered entries, some that fit nothing, and too few
    some = entries(20)
    changed = altered(some, 5)
    heads = heads_of(some, SIZES)

    for hashes in (
        [leaf_hash(entry) for entry in changed],
        [leaf_hash(entry) for entry in entries(40)[20:]],
        [leaf_hash(entry) for entry in some[:4]],
        [],
    ):
        found = verify_log(changed, heads, KEYS, leaf_hashes=hashes)

        assert place_of(found) == (Fault.entries_differ, 2, 3, 7)


def test_the_tiles_of_level_zero_are_the_leaf_hashes() -> None:
    some = entries(600)
    tiles: MemoryTiles = tiles_of(some)
    level_zero = [tile for (level, _), tile in sorted(tiles._tiles.items()) if level == 0]

    found = verify_log(altered(some, 555), heads_of(some, [600]), KEYS, leaf_hashes=leaf_hashes_of(level_zero))

    assert place_of(found) == (Fault.entry_altered, 0, 555, 555)


def _changed(heads: list[SignedHead], **changes: object) -> list[SignedHead]:
    return [*heads[:2], msgspec.structs.replace(heads[2], **changes), *heads[3:]]


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        (Fault.head_not_signed, lambda heads: _changed(heads, at=NOON + timedelta(seconds=1))),
        (Fault.head_not_signed, lambda heads: _changed(heads, size=9)),
        (Fault.head_not_signed, lambda heads: _changed(heads, root=heads[1].root)),
        (Fault.head_key_unknown, lambda heads: _changed(heads, key=key_id(NEXT_PUBLIC_KEY))),
        (Fault.head_of_other_log, lambda heads: _changed(heads, log=key_id(NEXT_PUBLIC_KEY))),
        (Fault.heads_out_of_order, lambda heads: [heads[0], heads[2], heads[1]]),
        (Fault.heads_out_of_order, lambda heads: [heads[1], heads[3], heads[2]]),
    ],
)
def test_a_head_that_is_wrong_is_named(fault: Fault, change: object) -> None:
    some = entries(20)

    found = verify_log(some, change(heads_of(some, SIZES)), KEYS)  # type: ignore[operator]

    assert place_of(found) == (fault, 2, None, None)


def test_heads_of_two_logs_do_not_mix_even_when_any_log_is_taken() -> None:
    some = entries(5)
    keys = PublicKeys(keys=KEYS.keys)
    other = sign_head(KEY, log=key_id(NEXT_PUBLIC_KEY), size=5, root=recompute(some), at=NOON)

    found = verify_log(some, [*heads_of(some, [3]), other], keys)

    assert place_of(found) == (Fault.head_of_other_log, 1, None, None)


def test_two_signed_states_of_one_size_are_a_fork() -> None:
    some = entries(5)
    forked = heads_of(altered(some, 2), [5])

    found = verify_log(some, [*heads_of(some, [5]), *forked], KEYS)

    assert place_of(found) == (Fault.log_forked, 1, None, None)


def test_a_log_whose_key_changed_holds_with_both_keys_in_their_times() -> None:
    some = entries(5)
    change = NOON + timedelta(hours=1)
    keys = PublicKeys(
        keys=(
            PublicKey(public_key=PUBLIC_KEY, until=change),
            PublicKey(public_key=NEXT_PUBLIC_KEY, since=change),
        ),
        log=LOG,
    )
    first = sign_head(KEY, log=LOG, size=3, root=recompute(some[:3]), at=NOON)
    second = sign_head(NEXT_KEY, log=LOG, size=5, root=recompute(some), at=change)
    late = sign_head(KEY, log=LOG, size=5, root=recompute(some), at=change)

    assert verify_log(some, [first, second], keys).holds
    assert place_of(verify_log(some, [first, late], keys)) == (Fault.head_key_not_then, 1, None, None)


async def test_an_entry_that_is_no_receipt_is_named_though_it_was_signed() -> None:
    # Given an operator who logs something in words
    log = Log(5)
    log.add(b'{"remark":"Ada Lovelace, by mail"}', entry_of(receipt(5)))
    heads = [await log.head(3), await log.head()]

    # Then the log holds as a log, and not as one of receipts
    assert verify_log(log.entries, heads, KEYS).holds
    found = verify_log(log.entries, heads, KEYS, read_receipts=True)
    assert place_of(found) == (Fault.entry_not_a_receipt, 1, 5, 5)


async def test_an_altered_receipt_is_told_as_altered_rather_than_as_unreadable() -> None:
    log = Log(5)
    heads = [await log.head()]
    hashes = [leaf_hash(entry) for entry in log.entries]

    found = verify_log(altered(log.entries, 2), heads, KEYS, read_receipts=True, leaf_hashes=hashes)

    assert place_of(found) == (Fault.entry_altered, 0, 2, 2)


def test_entries_and_heads_are_taken_one_at_a_time() -> None:
    # Given a source that would be noticed to be read ahead
    some = entries(100)
    taken = 0

    def source() -> Iterator[bytes]:
        nonlocal taken
        for entry in some:
            taken += 1
            yield entry

    def heads() -> Iterator[SignedHead]:
        for size in (10, 50, 100):
            yield from heads_of(some, [size])
            assert taken == size

    assert verify_log(source(), heads(), KEYS).holds

"""A receipt: one encoding, closed words, and nothing in it that leads to a person."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuette.errors import InvalidInput
from statuette.evidence import (
    Check,
    Committed,
    Receipt,
    ReceiptKind,
    Residual,
    StoreKind,
    StoreOutcome,
    StoreResult,
    commit,
    entry_of,
    new_salt,
    read_entry,
)
from statuette.policy import Action, Trigger
from tests.unit.evidence.making import ABUSE_LOG, ACCOUNT, NOON, OBJECTS, RECORD, ROWS, SALT, receipt

names = st.from_regex(r"[a-z][a-z0-9_.]{0,63}", fullmatch=True)
moments = st.datetimes(timezones=st.just(UTC))
digests = st.binary(min_size=32, max_size=32).map(lambda value: f"sha256:{value.hex()}")
stores = st.builds(
    StoreOutcome,
    store=names,
    kind=st.just(StoreKind.objects),
    outcome=st.sampled_from([StoreResult.deleted, StoreResult.already_absent]),
    count=st.integers(0, 2**53 - 1),
    check=st.sampled_from([Check.listed_by_prefix_and_key, Check.versions_listed]),
)
residuals = st.builds(
    Residual,
    processor=names,
    categories=st.lists(names, min_size=1, max_size=3).map(tuple),
    until=st.none() | moments,
)


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    kept = tuple(draw(st.lists(residuals, max_size=2)))
    return receipt(
        draw(st.integers(0, 10**20)),
        kind=ReceiptKind.residual if kept else ReceiptKind.enforced,
        rule=draw(names),
        policy_digest=draw(digests),
        dataset=draw(names),
        action=draw(st.sampled_from(Action)),
        trigger=draw(st.none() | st.sampled_from(Trigger)),
        due_at=draw(moments),
        intent_at=draw(moments),
        executed_at=draw(moments),
        verified_at=draw(moments),
        stores=tuple(draw(st.lists(stores, min_size=1, max_size=3))),
        residuals=kept,
        subject=draw(digests),
        account=draw(st.none() | digests),
    )


@given(receipts())
def test_a_receipt_comes_back_as_it_was_and_has_one_encoding(made: Receipt) -> None:
    entry = entry_of(made)

    assert read_entry(entry) == made
    assert entry_of(read_entry(entry)) == entry


def test_the_encoding_is_sorted_json_without_blanks_in_ascii() -> None:
    entry = entry_of(receipt(kind=ReceiptKind.residual, residuals=(ABUSE_LOG,)))

    assert entry.isascii()
    assert entry == json.dumps(json.loads(entry), sort_keys=True, separators=(",", ":")).encode()
    assert b'"executed_at":"2026-01-15T12:00:02.250000Z"' in entry
    assert sorted(json.loads(entry)) == sorted(Receipt.__struct_fields__)


def test_the_encoding_is_the_same_in_every_release() -> None:
    # Given a receipt in which every field holds something. When this test fails, entries that are in logs have changed:
    # what is needed is another version of receipts, not another text here.
    made = receipt(7, kind=ReceiptKind.residual, residuals=(ABUSE_LOG,))

    assert entry_of(made) == (
        b'{"account":"sha256:%b","action":"delete","dataset":"uploads","due_at":"2026-01-15T12:00:00Z",'
        b'"executed_at":"2026-01-15T12:00:02.250000Z","id":"rcp_00000000000000000000000007",'
        b'"intent_at":"2026-01-15T12:00:01Z","kind":"residual","policy_digest":"sha256:%b",'
        b'"residuals":[{"categories":["photo","prompt"],"processor":"gemini","until":"2026-03-11T12:00:00Z"}],'
        b'"rule":"upload.used","stores":[{"check":"listed_by_prefix_and_key","count":4,"kind":"objects",'
        b'"outcome":"deleted","store":"local"},{"check":"row_absent","count":1,"kind":"database",'
        b'"outcome":"deleted","store":"sqlite"}],"subject":"sha256:%b","trigger":"used",'
        b'"verified_at":"2026-01-15T12:00:03Z","version":1}'
        % (
            b"709ed4cbdf4e12f1a07458f9cd9ad884e622bf9ca097d62220fb8118db8122b8",
            b"ab" * 32,
            b"6d6110d5fda11a73b83fc9da3075b63d68e4d1ba6cdd57c64607480ea46dcaf8",
        )
    )


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Photo of Ada",
        "ada@example.org",
        "+49 170 1234567",
        "491701234567",
        "Ünter",
        "a" * 65,
        "a\n",
        "a-b",
        "a/b",
        7,
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        lambda words: receipt(rule=words),
        lambda words: receipt(dataset=words),
        lambda words: msgspec.structs.replace(OBJECTS, store=words),
        lambda words: msgspec.structs.replace(ABUSE_LOG, processor=words),
        lambda words: msgspec.structs.replace(ABUSE_LOG, categories=("photo", words)),
        lambda words: receipt(id=words),
        lambda words: receipt(subject=words),
        lambda words: receipt(account=words),
        lambda words: receipt(policy_digest=words),
    ],
)
def test_words_and_addresses_find_no_place_and_are_not_repeated_in_the_error(place: object, words: object) -> None:
    with pytest.raises(InvalidInput) as raised:
        place(words)  # type: ignore[operator]

    assert len(str(words)) < 2 or f"{words}" not in str(raised.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"due_at": datetime(2026, 1, 15, 12, 0)},  # noqa: DTZ001
        {"intent_at": datetime(2026, 1, 15, 12, 0, tzinfo=timezone(timedelta(hours=1)))},
        {"executed_at": None},
        {"verified_at": "2026-01-15T12:00:00Z"},
        {"id": "upl_00000000000000000000000001"},
        {"subject": f"sha256:{'AB' * 32}"},
        {"stores": ()},
        {"kind": ReceiptKind.residual},
        {"residuals": (ABUSE_LOG,)},
    ],
)
def test_what_contradicts_itself_is_no_receipt(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        receipt(**changes)


@pytest.mark.parametrize(
    ("kind", "outcome", "check"),
    [
        (StoreKind.objects, StoreResult.key_destroyed, Check.versions_listed),
        (StoreKind.objects, StoreResult.awaiting_checkpoint, Check.versions_listed),
        (StoreKind.objects, StoreResult.deleted, Check.row_absent),
        (StoreKind.keys, StoreResult.deleted, Check.key_absent),
        (StoreKind.keys, StoreResult.key_destroyed, Check.row_absent),
        (StoreKind.database, StoreResult.deleted, Check.listed_by_prefix_and_key),
        (StoreKind.database, StoreResult.key_destroyed, Check.row_absent),
    ],
)
def test_a_store_cannot_say_what_does_not_fit_its_kind(kind: StoreKind, outcome: StoreResult, check: Check) -> None:
    with pytest.raises(InvalidInput):
        StoreOutcome(store="some", kind=kind, outcome=outcome, count=1, check=check)


@pytest.mark.parametrize("count", [-1, 2**53, True, 1.5, "1", None])
def test_a_count_is_a_whole_number(count: object) -> None:
    with pytest.raises(InvalidInput):
        msgspec.structs.replace(OBJECTS, count=count)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "free text"},
        {"action": "burn"},
        {"trigger": "Ada asked"},
        {"version": 2},
        {"stores": ("free text",)},
        {"stores": [OBJECTS]},
    ],
)
def test_what_a_constructor_overlooks_does_not_become_an_entry(changes: dict[str, object]) -> None:
    # Given a receipt with a value of another type, which Python's constructors let pass
    made = receipt(**changes)

    with pytest.raises(InvalidInput):
        entry_of(made)


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry + b"\n",
        lambda entry: b" " + entry,
        lambda entry: entry.replace(b":1}", b": 1}"),
        lambda entry: entry.replace(b'"rule":', b'"remark":"Ada","rule":'),
        lambda entry: entry.replace(b'"rule":', b'"rule":"upload.cap","rule":'),
        lambda entry: entry.replace(b'"uploads"', b'"\\u0075ploads"'),
        lambda entry: entry.replace(b"12:00:03Z", b"12:00:03+00:00"),
        lambda entry: entry.replace(b"12:00:03Z", b"12:00:03.000Z"),
        lambda entry: entry.replace(b"12:00:03Z", b"12:00:03z"),
        lambda entry: entry.replace(b"12:00:03Z", b"12:00:03.0000001Z"),
        lambda entry: entry.replace(b"12:00:03Z", b"12:00:03"),
        lambda entry: entry.replace(b'"count":4', b'"count":4.0'),
        lambda entry: entry.replace(b'"count":4', b'"count":"4"'),
        lambda entry: entry.replace(b'"version":1', b'"version":2'),
        lambda entry: entry.replace(b',"version":1', b""),
        lambda entry: entry.replace(b'"trigger":"used",', b""),
        lambda entry: entry.replace(b"used", b"us\xffd"),
        lambda entry: json.dumps(json.loads(entry)).encode(),
        lambda entry: entry[:-1],
        lambda entry: b"[" * 100_000,
        lambda entry: b"null",
        lambda entry: b"",
    ],
)
def test_another_encoding_is_no_entry(change: object) -> None:
    entry = entry_of(receipt())
    changed = change(entry)  # type: ignore[operator]
    assert changed != entry

    with pytest.raises(InvalidInput):
        read_entry(changed)


def test_a_commitment_opens_with_its_salt_kind_and_id_only() -> None:
    made = commit(Committed.subject, SALT, RECORD)

    others = [
        commit(Committed.account, SALT, RECORD),
        commit(Committed.subject, SALT, ACCOUNT),
        commit(Committed.subject, SALT, RECORD[:-1]),
        commit(Committed.subject, new_salt(), RECORD),
        commit(Committed.subject, SALT[::-1], RECORD),
    ]

    assert made == commit(Committed.subject, SALT, RECORD)
    assert made not in others
    assert len(set(others)) == len(others)


def test_salts_do_not_repeat() -> None:
    assert len({new_salt() for _ in range(100)}) == 100


@pytest.mark.parametrize("salt", [b"", b"x" * 31, b"x" * 33])
def test_a_salt_has_one_length(salt: bytes) -> None:
    with pytest.raises(InvalidInput):
        commit(Committed.subject, salt, RECORD)


@pytest.mark.parametrize("identifier", ["", "ada lovelace", "ada@example.org", "a" * 129, "a\n", "\x1b[2J"])
def test_a_commitment_is_to_an_id_and_does_not_repeat_another_in_its_error(identifier: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        commit(Committed.subject, SALT, identifier)

    assert not identifier or identifier not in str(raised.value)


def test_nothing_in_an_entry_is_the_record_or_the_account() -> None:
    entry = entry_of(receipt())

    assert RECORD.encode() not in entry
    assert ACCOUNT.encode() not in entry
    assert NOON.strftime("%Y-%m-%d").encode() in entry
    assert ROWS.store.encode() in entry

"""The file that a holder keeps: it verifies as it was issued, and in no other form."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuette.errors import InvalidInput
from statuette.evidence import (
    Bundle,
    Code,
    Committed,
    Opening,
    Outcome,
    PublicKey,
    PublicKeys,
    Step,
    Verification,
    canonical,
    commit,
    entry_of,
    key_id,
    make_bundle,
    prove_inclusion,
    read_later_head,
    sign_head,
    verify,
)
from statuette.evidence.bundle import LONGEST_BUNDLE_BYTES
from tests.unit.evidence.making import (
    ACCOUNT,
    KEY,
    LOG,
    NEXT_KEY,
    NEXT_PUBLIC_KEY,
    NOON,
    PUBLIC_KEY,
    RECORD,
    SALT,
    Log,
    receipt,
    unhurried,
)
from tests.unit.evidence.test_merkle import flipped

KEYS = PublicKeys(keys=(PublicKey(public_key=PUBLIC_KEY),), log=LOG)
SIZE, INDEX = 11, 4


@pytest.fixture
def log() -> Log:
    return Log(SIZE)


@pytest.fixture
async def file(log: Log) -> bytes:
    return await log.bundle(INDEX)


def changed(file: bytes, **changes: object) -> bytes:
    """The file with fields changed, in the form it would have been issued in."""
    return canonical(msgspec.structs.replace(msgspec.json.decode(file, type=Bundle), **changes))


def opened(file: bytes) -> Bundle:
    return msgspec.json.decode(file, type=Bundle)


def codes(found: Verification) -> set[Code]:
    return {line.code for line in found.steps}


async def test_a_file_verifies_as_it_was_issued(file: bytes) -> None:
    found = verify(file, KEYS)

    assert found.verified
    assert [line.step for line in found.steps] == list(Step)
    assert [line.outcome for line in found.steps] == [Outcome.passed] * 8 + [Outcome.skipped] * 2
    assert found.receipt == receipt(INDEX)
    assert (found.index, found.record, found.account) == (INDEX, RECORD, ACCOUNT)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64, 65])
async def test_every_receipt_of_a_log_verifies_at_every_size(size: int) -> None:
    log = Log(size)

    found = [verify(await log.bundle(index), KEYS).verified for index in range(size)]

    assert all(found)


async def test_a_file_that_opens_nothing_verifies_and_says_so(log: Log) -> None:
    found = verify(await log.bundle(INDEX, opened=False), KEYS)

    assert found.verified
    assert found.code_of(Step.subject) is Code.subject_not_named
    assert (found.record, found.account) == (None, None)
    assert "whose_record" in {statement.code for statement in found.does_not_prove}


async def test_the_account_may_stay_unnamed(log: Log, file: bytes) -> None:
    found = verify(changed(file, opening=Opening(salt=SALT, record=RECORD, account=None)))

    assert found.verified
    assert found.code_of(Step.account) is Code.account_not_named


async def test_no_bit_of_a_file_can_be_turned(file: bytes) -> None:
    steps: set[Step] = set()
    for bit in range(8 * len(file)):
        found = verify(flipped(file, bit))

        assert not found.verified, f"bit {bit % 8} of byte {bit // 8}, in {file[bit // 8 - 20 : bit // 8 + 20]!r}"
        assert found.failed()
        assert found.proves == ()
        steps.update(found.failed())

    # Each step that a file alone can fail is failed by some bit.
    assert steps == set(Step) - {Step.key, Step.later_head, Step.consistency}


@unhurried
@given(st.integers(1, 40), st.booleans(), st.data())
async def test_no_bit_of_any_file_can_be_turned(size: int, with_ids: bool, data: st.DataObject) -> None:
    file = await Log(size).bundle(data.draw(st.integers(0, size - 1)), opened=with_ids)
    bit = data.draw(st.integers(0, 8 * len(file) - 1))

    found = verify(flipped(file, bit))

    assert not found.verified
    assert found.failed()


@unhurried
@given(st.integers(0, 8 * 32 - 1))
async def test_a_bit_turned_in_a_field_fails_at_the_step_of_that_field(bit: int) -> None:
    # Given a file, and each of its fields with one bit turned, in the form it would have been issued in
    file = await Log(SIZE).bundle(INDEX)
    bundle = opened(file)
    opening, head = bundle.opening, bundle.head
    assert opening is not None

    def of_head(**changes: object) -> bytes:
        return changed(file, head=msgspec.structs.replace(head, **changes))

    def of_opening(**changes: object) -> bytes:
        return changed(file, opening=msgspec.structs.replace(opening, **changes))

    turned = f"sha256:{flipped(bytes.fromhex(LOG[7:]), bit).hex()}"
    cases = [
        (of_opening(salt=flipped(SALT, bit)), {Step.subject, Step.account}),
        (of_opening(record=RECORD[:-1] + "9"), {Step.subject}),
        (of_opening(account=ACCOUNT[:-1] + "9"), {Step.account}),
        (changed(file, index=INDEX ^ 1 << bit % 40), {Step.inclusion}),
        (of_head(root=flipped(head.root, bit)), {Step.inclusion, Step.signature}),
        (of_head(at=NOON + timedelta(microseconds=1 << bit % 40)), {Step.signature}),
        (of_head(log=turned), {Step.signature}),
        (of_head(key=turned), {Step.signature}),
        (of_head(signature=flipped(head.signature, bit)), {Step.signature}),
        (of_head(signature=flipped(head.signature, 256 + bit)), {Step.signature}),
        (changed(file, public_key=flipped(PUBLIC_KEY, bit)), {Step.signature}),
    ]
    for place, part in enumerate(bundle.proof):
        proof = (*bundle.proof[:place], flipped(part, bit), *bundle.proof[place + 1 :])
        cases.append((changed(file, proof=proof), {Step.inclusion}))

    # Then each fails at its own step, and everything else passes
    for data, steps in cases:
        assert set(verify(data).failed()) == steps

    assert verify(cases[7][0]).code_of(Step.signature) is Code.other_key_named
    assert verify(cases[8][0]).code_of(Step.signature) is Code.not_signed

    # Some sizes have the same way up to the root, so a wrong size may fail at the signature alone
    assert Step.signature in verify(of_head(size=SIZE ^ 1 << bit % 40)).failed()


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "upload.unused"},
        {"count": 5},
        {"executed_at": NOON},
        {"trigger": None},
        {"subject": commit(Committed.subject, SALT, "upl_another")},
    ],
)
async def test_a_receipt_that_says_something_else_is_not_in_the_log(file: bytes, changes: dict[str, object]) -> None:
    made = receipt(INDEX)
    if "count" in changes:
        changes = {"stores": (msgspec.structs.replace(made.stores[0], **changes), made.stores[1])}
    other = entry_of(msgspec.structs.replace(made, **changes))

    found = verify(changed(file, receipt=msgspec.Raw(other)))

    assert Step.inclusion in found.failed()
    assert found.code_of(Step.inclusion) is Code.not_included


async def test_the_file_of_one_receipt_does_not_carry_another(log: Log, file: bytes) -> None:
    other = opened(await log.bundle(INDEX + 1))

    found = verify(changed(file, receipt=other.receipt))

    assert found.failed() == [Step.inclusion]


def _pretty(file: bytes) -> bytes:
    return msgspec.json.format(file)


def _in_another_order(file: bytes) -> bytes:
    return json.dumps(dict(reversed(json.loads(file).items())), separators=(",", ":")).encode()


def _loose_base64(file: bytes) -> bytes:
    """The last digit before the padding carries bits that nobody reads."""
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    end = file.index(b'="', file.index(b'"public_key":"')) - 1
    return file[:end] + digits[digits.index(file[end]) + 1 : digits.index(file[end]) + 2] + file[end + 1 :]


def _url_safe_base64(file: bytes) -> bytes:
    bundle = json.loads(file)
    for place, part in enumerate(bundle["proof"]):
        bundle["proof"][place] = part.replace("+", "-").replace("/", "_")
    return json.dumps(bundle, sort_keys=True, separators=(",", ":")).encode()


def _replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda file: file.replace(old, new, 1)


@pytest.mark.parametrize(
    ("change", "step"),
    [
        (lambda file: file + b"\n", Step.encoding),
        (lambda file: b"\n" + file, Step.encoding),
        (lambda file: b"\xef\xbb\xbf" + file, Step.shape),
        (lambda file: file + b"{}", Step.shape),
        (lambda file: file + file, Step.shape),
        (lambda file: file[:-1], Step.shape),
        (lambda file: file.decode().encode("utf-16"), Step.shape),
        (_pretty, Step.encoding),
        (_in_another_order, Step.encoding),
        (_loose_base64, Step.encoding),
        (_url_safe_base64, Step.shape),
        (_replaced(b'="}', b'"}'), Step.shape),
        (lambda file: changed(file, proof=opened(file).proof[:-1]), Step.inclusion),
        (lambda file: file.replace(b'"proof":["', b'"proof":["AAAA","'), Step.shape),
        (
            lambda file: file.replace(b'"proof":["', b'"proof":["' + b'","'.join([b"A" * 43 + b"="] * 64) + b'","'),
            Step.shape,
        ),
        (_replaced(b'"index":4', b'"index": 4'), Step.encoding),
        (_replaced(b'"index":4', b'"index":4.0'), Step.shape),
        (_replaced(b'"index":4', b'"index":4e0'), Step.shape),
        (_replaced(b'"index":4', b'"index":04'), Step.shape),
        (_replaced(b'"index":4', b'"index":"4"'), Step.shape),
        (_replaced(b'"index":4', b'"index":-4'), Step.shape),
        (_replaced(b'"index":4', b'"index":true'), Step.shape),
        (_replaced(b'"index":4', b'"index":4,"index":4'), Step.encoding),
        (_replaced(b'"index":4', b'"index":5,"index":4'), Step.encoding),
        (_replaced(b'"index":4', b'"index":4,"remark":"checked"'), Step.shape),
        (_replaced(b'"index":4,', b""), Step.shape),
        (_replaced(b'"index":4', b'"index":' + b"9" * 5000), Step.shape),
        (_replaced(b'"index"', b'"\\u0069ndex"'), Step.encoding),
        (_replaced(b'"record":"upl', b'"record":"\\u0075pl'), Step.encoding),
        (_replaced(b'"record":"upl', b'"record":"\\u001b[2Jupl'), Step.shape),
        (_replaced(b'"opening":{', b'"opening":{"hint":1,'), Step.shape),
        (_replaced(b'"head":{', b'"head":{"size":11,'), Step.encoding),
        (_replaced(b'"at":"2026-01-15T12:00:00Z"', b'"at":"2026-01-15T12:00:00+00:00"'), Step.encoding),
        (_replaced(b'"at":"2026-01-15T12:00:00Z"', b'"at":"2026-01-15T13:00:00+01:00"'), Step.shape),
        (_replaced(b'"at":"2026-01-15T12:00:00Z"', b'"at":"2026-01-15t12:00:00z"'), Step.encoding),
        (_replaced(b'"at":"2026-01-15T12:00:00Z"', b'"at":"2026-01-15T12:00:00.0Z"'), Step.encoding),
        (_replaced(b'"at":"2026-01-15T12:00:00Z"', b'"at":"2026-01-15T12:00:00"'), Step.shape),
        (_replaced(b'"type":"statuette.receipt"', b'"type":"another.receipt"'), Step.shape),
        (_replaced(b'"receipt":{', b'"receipt":{ '), Step.receipt),
        (_replaced(b'"receipt":{', b'"receipt":{"kind":"enforced",'), Step.receipt),
        (_replaced(b'"receipt":{', b'"receipt":{"remark":"Ada",'), Step.receipt),
        (_replaced(b'"receipt":{', b'"receipt":[{'), Step.shape),
        (_replaced(b'"rule":"upload.used"', b'"rule":"\\u0075pload.used"'), Step.receipt),
        (_replaced(b'"rule":"upload.used"', b'"rule":"Ada\'s photo"'), Step.receipt),
        (lambda file: changed(file, receipt=msgspec.Raw(b"null")), Step.receipt),
        (lambda file: changed(file, receipt=msgspec.Raw(b'"deleted, we promise"')), Step.receipt),
    ],
)
async def test_another_form_of_the_same_file_fails_where_it_differs(
    file: bytes, change: Callable[[bytes], bytes], step: Step
) -> None:
    data = change(file)
    assert data != file

    found = verify(data)

    assert not found.verified
    assert step in found.failed()


async def test_what_was_only_formatted_is_told_to_hold_otherwise(file: bytes) -> None:
    found = verify(_in_another_order(file))

    assert found.failed() == [Step.encoding]
    assert Code.encoding_changed in codes(found)


async def test_a_file_of_a_later_version_is_told_as_such(file: bytes) -> None:
    later = file.replace(b'"version":1}', b'"version":2}')
    later_receipt = changed(file, receipt=msgspec.Raw(b'{"version":2,"wholly":"new"}'))

    assert verify(later[:-2] + b"2}").code_of(Step.shape) is Code.newer_version
    assert verify(later_receipt).code_of(Step.receipt) is Code.newer_receipt
    assert verify(later_receipt).code_of(Step.subject) is Code.not_reached


@unhurried
@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    found = verify(data)

    assert found.failed() == [Step.shape]
    assert found.receipt is None


@unhurried
@given(st.data())
async def test_no_damage_raises_or_passes(data: st.DataObject) -> None:
    file = await Log(SIZE).bundle(INDEX)
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(file))] * 2)))
    patch = data.draw(
        st.binary(max_size=20) | st.sampled_from([b"null", b"[" * 5000, b'{"a":' * 5000, b"1e400", b"-0"])
    )
    damaged = file[:begin] + patch + file[end:]

    found = verify(damaged)

    assert found.verified == (damaged == file)
    assert bool(found.failed()) == (damaged != file)


async def test_a_file_that_is_too_long_is_not_read(file: bytes) -> None:
    padded = file + b" " * LONGEST_BUNDLE_BYTES

    assert verify(padded).code_of(Step.shape) is Code.too_long


async def test_a_file_forged_with_a_key_of_its_own_verifies_only_without_the_operators(log: Log) -> None:
    # Given somebody who makes a log, a key and a receipt of their own
    forged = await log.bundle(INDEX, key=NEXT_KEY)

    # When it is verified without anything else, and with the operator's key
    alone, held_against = verify(forged), verify(forged, KEYS)

    # Then the first says that it fits its own key and no more, and the second that it is not the operator's
    assert alone.verified
    assert "whose_key" in {statement.code for statement in alone.does_not_prove}
    assert not held_against.verified
    assert held_against.failed() == [Step.key]
    assert held_against.code_of(Step.key) is Code.key_unknown


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (PublicKeys(keys=(PublicKey(public_key=PUBLIC_KEY, until=NOON),)), Code.key_not_then),
        (PublicKeys(keys=(PublicKey(public_key=PUBLIC_KEY),), log=key_id(NEXT_PUBLIC_KEY)), Code.key_of_other_log),
        (PublicKeys(keys=(PublicKey(public_key=NEXT_PUBLIC_KEY),)), Code.key_unknown),
    ],
)
async def test_a_key_has_to_be_the_logs_at_that_moment(file: bytes, keys: PublicKeys, code: Code) -> None:
    found = verify(file, keys)

    assert found.failed() == [Step.key]
    assert found.code_of(Step.key) is code


async def test_a_head_that_names_a_trusted_key_and_was_signed_by_another_does_not_pass(file: bytes) -> None:
    # Given a head that claims the operator's key, signed with another, which is in the file
    head = opened(file).head
    other = sign_head(NEXT_KEY, log=LOG, size=head.size, root=head.root, at=head.at)
    claimed = msgspec.structs.replace(other, key=key_id(PUBLIC_KEY))

    for public_key in (PUBLIC_KEY, NEXT_PUBLIC_KEY):
        found = verify(changed(file, head=claimed, public_key=public_key), KEYS)

        assert Step.signature in found.failed()


async def test_the_account_cannot_be_claimed_where_the_receipt_has_none(log: Log) -> None:
    log.add(entry_of(receipt(99, account=None)))
    file = changed(
        await log.bundle(INDEX),
        receipt=msgspec.Raw(log.entries[-1]),
        index=SIZE,
        proof=await prove_inclusion(log.tiles, SIZE, SIZE + 1),
    )

    found = verify(file)

    assert found.failed() == [Step.account]


# A later state of the log, obtained elsewhere.


async def test_a_log_that_only_grew_is_told_to_have_only_grown(log: Log, file: bytes) -> None:
    log.grow(500)

    found = verify(file, KEYS, await log.head(at=NOON + timedelta(days=1)), await log.growth_since(SIZE))

    assert found.verified
    assert found.code_of(Step.consistency) is Code.log_only_grew
    assert {"still_there"} <= {statement.code for statement in found.proves}
    assert "one_log" not in {statement.code for statement in found.does_not_prove}


async def test_the_same_state_needs_no_proof_of_growth(log: Log, file: bytes) -> None:
    again = await log.head(at=NOON + timedelta(days=1))

    assert verify(file, KEYS, again).verified
    assert verify(file, KEYS, again, ()).verified


async def test_a_log_from_which_the_receipt_was_removed_is_found_out(log: Log, file: bytes) -> None:
    # Given an operator who drops the receipt and builds the log anew, with as many entries and with more
    rewritten = Log()
    rewritten.add(*log.entries[:INDEX], *log.entries[INDEX + 1 :])
    shorter = await rewritten.head()
    rewritten.add(log.entries[0])
    as_long = await rewritten.head()
    rewritten.grow(100)
    longer = await rewritten.head()
    proof = await rewritten.growth_since(SIZE)

    assert verify(file, KEYS, shorter).code_of(Step.later_head) is Code.later_head_is_earlier
    assert verify(file, KEYS, as_long).code_of(Step.consistency) is Code.log_forked
    assert verify(file, KEYS, longer, proof).code_of(Step.consistency) is Code.log_changed
    assert verify(file, KEYS, longer, proof[1:]).code_of(Step.consistency) is Code.log_changed
    assert verify(file, KEYS, longer).code_of(Step.consistency) is Code.no_proof_of_growth
    assert not any(verify(file, KEYS, head, proof).verified for head in (shorter, as_long, longer))


async def test_a_later_head_has_to_be_signed_by_a_key_of_the_log(log: Log, file: bytes) -> None:
    log.grow(5)
    proof = await log.growth_since(SIZE)
    later = await log.head(at=NOON + timedelta(days=1))
    by_next = await log.head(at=NOON + timedelta(days=1), key=NEXT_KEY)
    rotated = PublicKeys(
        keys=(
            PublicKey(public_key=PUBLIC_KEY, until=NOON + timedelta(hours=1)),
            PublicKey(public_key=NEXT_PUBLIC_KEY, since=NOON + timedelta(hours=1)),
        ),
        log=LOG,
    )
    forged = msgspec.structs.replace(later, size=later.size + 1)

    assert verify(file, rotated, by_next, proof).verified
    assert verify(file, None, later, proof).verified
    assert verify(file, rotated, later, proof).code_of(Step.later_head) is Code.later_head_key_not_then
    assert verify(file, KEYS, by_next, proof).code_of(Step.later_head) is Code.later_head_key_unknown
    assert verify(file, None, by_next, proof).code_of(Step.later_head) is Code.later_head_key_unknown
    assert verify(file, KEYS, forged, proof).code_of(Step.later_head) is Code.later_head_not_signed
    assert verify(file, KEYS, forged, proof).code_of(Step.consistency) is Code.not_reached


async def test_a_head_of_another_log_is_no_later_head(log: Log, file: bytes) -> None:
    log.grow(5)
    elsewhere = await log.head(log=key_id(NEXT_PUBLIC_KEY))

    found = verify(file, None, elsewhere, await log.growth_since(SIZE))

    assert found.code_of(Step.later_head) is Code.later_head_of_other_log


async def test_a_later_head_is_read_with_its_proof_and_alone(log: Log) -> None:
    log.grow(5)
    head, proof = await log.head(), await log.growth_since(SIZE)

    alone = read_later_head(canonical(head))
    together = read_later_head(
        json.dumps(
            {"head": json.loads(canonical(head)), "consistency": json.loads(msgspec.json.encode(proof))}
        ).encode()
    )

    assert (alone.head, alone.consistency) == (head, None)
    assert (together.head, together.consistency) == (head, proof)
    with pytest.raises(InvalidInput):
        read_later_head(b"{}")


async def test_no_file_is_issued_that_would_not_verify(log: Log) -> None:
    head = await log.head()
    proof = await prove_inclusion(log.tiles, INDEX, SIZE)

    def issue(entry: bytes, index: int = INDEX, record: str = RECORD, public_key: bytes = PUBLIC_KEY) -> bytes:
        opening = Opening(salt=SALT, record=record, account=ACCOUNT)
        return make_bundle(entry, index=index, proof=proof, head=head, public_key=public_key, opening=opening)

    assert verify(issue(log.entries[INDEX])).verified
    for step, made in [
        ("inclusion", lambda: issue(log.entries[INDEX + 1])),
        ("inclusion", lambda: issue(log.entries[INDEX], index=INDEX + 1)),
        ("receipt", lambda: issue(b"{}")),
        ("subject", lambda: issue(log.entries[INDEX], record="upl_another")),
        ("signature", lambda: issue(log.entries[INDEX], public_key=NEXT_PUBLIC_KEY)),
    ]:
        with pytest.raises(InvalidInput, match=step):
            made()


async def test_what_is_proven_and_what_is_not_is_said_in_every_case(log: Log, file: bytes) -> None:
    found = verify(file)
    failed = verify(file + b"\n")

    assert [statement.code for statement in found.proves] == ["recorded", "unchanged", "subject"]
    assert [statement.code for statement in found.does_not_prove] == [
        "whose_key",
        "one_log",
        "the_deletion",
        "copies",
        "others",
        "the_clock",
    ]
    assert failed.proves == ()
    assert {"the_deletion", "copies", "others"} <= {statement.code for statement in failed.does_not_prove}
    assert KEY.public_key().public_bytes_raw() == PUBLIC_KEY

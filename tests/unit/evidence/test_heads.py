"""Signed heads: by whom, for which log, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from statuette.errors import InvalidInput
from statuette.evidence import (
    PublicKey,
    PublicKeys,
    SignedHead,
    canonical,
    key_id,
    leaf_hash,
    read_head,
    read_public_keys,
    sign_head,
    verify_head,
)
from statuette.evidence.heads import Head, Trust, signed_bytes
from tests.unit.evidence.making import KEY, LOG, NEXT_KEY, NEXT_PUBLIC_KEY, NOON, PUBLIC_KEY
from tests.unit.evidence.test_merkle import flipped

ROOT = leaf_hash(b"a root")


def head(**changes: object) -> SignedHead:
    signed = sign_head(KEY, log=LOG, size=5, root=ROOT, at=NOON)
    return msgspec.structs.replace(signed, **changes)


def test_a_head_is_verified_with_the_key_that_signed_it_only() -> None:
    assert verify_head(head(), PUBLIC_KEY)
    assert not verify_head(head(), NEXT_PUBLIC_KEY)
    assert not verify_head(head(key=key_id(NEXT_PUBLIC_KEY)), NEXT_PUBLIC_KEY)
    assert not verify_head(head(), b"short")
    assert not verify_head(head(key=key_id(b"short")), b"short")


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 6},
        {"root": flipped(ROOT, 100)},
        {"at": NOON + timedelta(microseconds=1)},
        {"log": key_id(NEXT_PUBLIC_KEY)},
        {"key": key_id(NEXT_PUBLIC_KEY)},
    ],
)
def test_a_signature_is_over_every_field(changes: dict[str, object]) -> None:
    assert not verify_head(head(**changes), PUBLIC_KEY)


def test_a_key_does_not_sign_in_the_name_of_another() -> None:
    # Given a head that names a key, and was signed, as such, with another
    named = Head(log=LOG, key=key_id(NEXT_PUBLIC_KEY), size=5, root=ROOT, at=NOON)
    signed = SignedHead(**msgspec.structs.asdict(named), signature=KEY.sign(signed_bytes(named)))

    assert not verify_head(signed, PUBLIC_KEY)
    assert not verify_head(signed, NEXT_PUBLIC_KEY)


@given(st.integers(0, 64 * 8 - 1))
def test_no_other_signature_will_do(bit: int) -> None:
    assert not verify_head(head(signature=flipped(head().signature, bit)), PUBLIC_KEY)


def test_what_is_signed_says_what_it_is_and_is_the_same_in_every_release() -> None:
    # When this fails, heads that were signed do not verify any more: what is needed is another version.
    assert signed_bytes(head()) == (
        b"statuette evidence head v1\n"
        b'{"at":"2026-01-15T12:00:00Z","key":"%b","log":"%b","root":"%b","size":5,"version":1}'
        % (LOG.encode(), LOG.encode(), msgspec.json.encode(ROOT).strip(b'"'))
    )


def test_a_head_comes_back_from_its_json() -> None:
    assert read_head(canonical(head())) == head()
    assert read_head(msgspec.json.format(canonical(head()))) == head()


@pytest.mark.parametrize(
    "changes",
    [
        {"size": -1},
        {"size": 2**53},
        {"size": True},
        {"root": b"x" * 31},
        {"root": "x" * 32},
        {"at": datetime(2026, 1, 15)},  # noqa: DTZ001
        {"log": "a log"},
        {"key": ""},
        {"signature": b"x" * 63},
    ],
)
def test_what_is_no_head_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        head(**changes)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"size": 99999999999999999999999}'])
def test_what_is_no_json_of_a_head_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_head(data)
    with pytest.raises(InvalidInput):
        read_public_keys(data)


@pytest.mark.parametrize(
    ("at", "key", "trust"),
    [
        (NOON - timedelta(seconds=1), KEY, Trust.trusted),
        (NOON, KEY, Trust.not_then),
        (NOON, NEXT_KEY, Trust.trusted),
        (NOON - timedelta(seconds=1), NEXT_KEY, Trust.not_then),
    ],
)
def test_a_key_signs_in_its_own_time_only(at: datetime, key: object, trust: Trust) -> None:
    # Given a log whose key changed at noon
    keys = PublicKeys(
        keys=(PublicKey(public_key=PUBLIC_KEY, until=NOON), PublicKey(public_key=NEXT_PUBLIC_KEY, since=NOON)), log=LOG
    )

    signed = sign_head(key, log=LOG, size=5, root=ROOT, at=at)  # type: ignore[arg-type]

    assert keys.trust(signed) is trust
    assert verify_head(signed, keys.public_key_of(signed) or b"")


def test_a_key_that_came_back_signs_in_both_of_its_times() -> None:
    hour = timedelta(hours=1)
    keys = PublicKeys(
        keys=(
            PublicKey(public_key=PUBLIC_KEY, until=NOON),
            PublicKey(public_key=PUBLIC_KEY, since=NOON + hour),
        )
    )

    found = [keys.trust(head(at=NOON + hours * hour)) for hours in (-1, 0, 1)]

    assert found == [Trust.trusted, Trust.not_then, Trust.trusted]


def test_keys_of_one_log_say_nothing_of_another() -> None:
    keys = PublicKeys(keys=(PublicKey(public_key=PUBLIC_KEY),), log=LOG)
    elsewhere = sign_head(KEY, log=key_id(NEXT_PUBLIC_KEY), size=5, root=ROOT, at=NOON)

    assert keys.trust(elsewhere) is Trust.other_log
    assert PublicKeys(keys=keys.keys).trust(elsewhere) is Trust.trusted
    assert keys.trust(sign_head(NEXT_KEY, log=LOG, size=5, root=ROOT, at=NOON)) is Trust.unknown


def test_keys_are_read_from_json_and_from_pem() -> None:
    keys = PublicKeys(keys=(PublicKey(public_key=PUBLIC_KEY, since=NOON),), log=LOG)
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    assert read_public_keys(canonical(keys)) == keys
    assert read_public_keys(pem) == PublicKeys(keys=(PublicKey(public_key=PUBLIC_KEY),))


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----",
        b'{"keys":[]}',
        b'{"keys":[{"public_key":"AAAA"}]}',
    ],
)
def test_what_is_no_key_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_public_keys(data)


def test_a_key_of_another_kind_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()

    with pytest.raises(InvalidInput, match="Ed25519"):
        read_public_keys(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

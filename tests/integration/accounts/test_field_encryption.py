"""Sealed fields and the keyed hashes that find them."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from statuette.kernel.access.masking import masked_address
from statuette.kernel.db.encryption import FieldCipher, FieldUnreadable, canonical_address
from statuette.kernel.domain.accounts.address import InvalidEmail, parse_address
from statuette.ports.keys import KeyDestroyed, KeyStoreUnavailable
from statuette.testing import FrozenClock
from statuette.testing.memory_key_store import MemoryKeyStore


@pytest.fixture
async def prepared(cipher: FieldCipher) -> FieldCipher:
    await cipher.prepare("acc_a")
    await cipher.prepare("acc_b")
    return cipher


@pytest.mark.parametrize("plaintext", ["", "ada@example.org", "Ada Λ 🎨", "x" * 10_000])
async def test_what_is_sealed_opens(prepared: FieldCipher, plaintext: str) -> None:
    blob = await prepared.seal("acc_a", "email", plaintext)

    assert await prepared.open("acc_a", "email", blob) == plaintext
    assert plaintext.encode() not in blob or not plaintext
    assert blob != await prepared.seal("acc_a", "email", plaintext)


async def test_a_sealed_field_opens_nowhere_else(prepared: FieldCipher) -> None:
    blob = await prepared.seal("acc_a", "email", "ada@example.org")

    for subject, field in (("acc_b", "email"), ("acc_a", "name")):
        with pytest.raises(FieldUnreadable):
            await prepared.open(subject, field, blob)


async def test_an_altered_field_does_not_open(prepared: FieldCipher) -> None:
    blob = await prepared.seal("acc_a", "email", "a@b.example")

    for place in range(len(blob)):
        altered = bytearray(blob)
        altered[place] ^= 1
        with pytest.raises(FieldUnreadable):
            await prepared.open("acc_a", "email", bytes(altered))
    for cut in (b"", blob[:1], blob[:28], blob[:-1], blob + b"\0"):
        with pytest.raises(FieldUnreadable):
            await prepared.open("acc_a", "email", cut)


async def test_a_key_is_remembered_for_five_seconds(
    prepared: FieldCipher, key_store: MemoryKeyStore, clock: FrozenClock
) -> None:
    blob = await prepared.seal("acc_a", "email", "a@b.example")

    clock.advance(timedelta(seconds=4.9))
    key_store.fail_next(KeyStoreUnavailable())
    assert await prepared.open("acc_a", "email", blob) == "a@b.example"
    clock.advance(timedelta(seconds=0.1))

    with pytest.raises(KeyStoreUnavailable):
        await prepared.open("acc_a", "email", blob)


async def test_a_destroyed_key_is_forgotten_at_once(prepared: FieldCipher) -> None:
    blob = await prepared.seal("acc_a", "email", "a@b.example")

    await prepared.destroy("acc_a")

    with pytest.raises(KeyDestroyed):
        await prepared.open("acc_a", "email", blob)


class _SlowKeyStore(MemoryKeyStore):
    """Hands a key out only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def use(self, subject: str) -> bytes:
        key = await super().use(subject)
        self.asked.set()
        await self.go_on.wait()
        return key


async def test_a_key_destroyed_while_it_is_on_its_way_is_not_remembered(clock: FrozenClock) -> None:
    key_store = _SlowKeyStore()
    await key_store.create("acc_a")
    cipher = FieldCipher(key_store, bytes(32), clock)

    late = asyncio.create_task(cipher.seal("acc_a", "email", "a@b.example"))
    await key_store.asked.wait()
    await cipher.destroy("acc_a")
    key_store.go_on.set()
    blob = await late

    with pytest.raises(KeyDestroyed):
        await cipher.open("acc_a", "email", blob)


async def test_sealing_and_opening_take_microseconds(prepared: FieldCipher) -> None:
    async def microseconds_each(rounds: int) -> float:
        began = time.perf_counter()
        for _ in range(rounds):
            blob = await prepared.seal("acc_a", "email", "somebody@example.org")
            await prepared.open("acc_a", "email", blob)
        return (time.perf_counter() - began) / rounds / 2 * 1e6

    # The goal is 30; the bound leaves room for a busy machine and still fails on a key fetched or expanded each time.
    assert min([await microseconds_each(200) for _ in range(5)]) < 60


def test_an_index_depends_on_brand_and_address_alone(cipher: FieldCipher) -> None:
    index = cipher.blind_index("brd_a", "Ada@Example.org ")

    assert index == cipher.blind_index("brd_a", "ada@example.org")
    assert index != cipher.blind_index("brd_b", "ada@example.org")
    assert len(index) == 64


def test_an_index_needs_its_key(cipher: FieldCipher, key_store: MemoryKeyStore, clock: FrozenClock) -> None:
    other = FieldCipher(key_store, bytes(32), clock)

    assert other.blind_index("brd_a", "ada@example.org") != cipher.blind_index("brd_a", "ada@example.org")
    with pytest.raises(ValueError, match="32 bytes"):
        FieldCipher(key_store, b"", clock)


def test_hashes_of_different_parts_differ(cipher: FieldCipher) -> None:
    assert cipher.keyed_hash("use", "ab", "c") != cipher.keyed_hash("use", "a", "bc")
    assert cipher.keyed_hash("use", "a") != cipher.keyed_hash("other use", "a")


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (" Ada@Example.ORG\n", "ada@example.org"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@bu\u0308cher.example", "a@xn--bcher-kva.example"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
    ],
)
def test_an_address_has_one_spelling(written: str, canonical: str) -> None:
    assert canonical_address(written) == canonical


@pytest.mark.parametrize(
    "look_alike",
    [
        "mi\u212ae@example.org",  # the Kelvin sign folds to k
        "stra\u00dfe@example.org",  # folds to strasse
        "m\u0131ke@example.org",
        "mike\u200b@example.org",
    ],
)
def test_a_look_alike_never_reaches_the_account_it_looks_like(look_alike: str) -> None:
    with pytest.raises(InvalidEmail):
        parse_address(look_alike)


@pytest.mark.parametrize(
    "refused",
    [
        "",
        "a",
        "a@b",
        "a@@b.example",
        ".a@b.example",
        "a..b@c.example",
        '"a b"@c.example',
        "a@-b.example",
        "a@b..example",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@b.example, c@d.example",
        "a@b.example\r\nBcc: c@d.example",
        "<a@b.example>",
        f"{'a' * 65}@b.example",
        f"a@{'b' * 64}.example",
        f"a@{'.'.join(['b' * 60] * 5)}",
    ],
)
def test_what_mail_servers_would_misread_is_no_address(refused: str) -> None:
    with pytest.raises(InvalidEmail):
        parse_address(refused)


def test_a_masked_address_keeps_first_letters_and_the_last_label() -> None:
    assert masked_address("alice@example.org") == "a***@e***.org"

"""Lots that end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from statuette.kernel.domain.credits.errors import InsufficientCredits
from statuette.kernel.domain.credits.views import Balance, Expiring
from statuette.testing import FrozenClock

from .ledger import BOB, Ledger

DAY = timedelta(days=1)


async def test_expired_credits_are_not_available_before_any_sweep(ledger: Ledger, clock: FrozenClock) -> None:
    await ledger.grant(10, "short", expires_at=clock.now() + DAY)
    await ledger.grant(3, "lasting")

    clock.advance(DAY)

    assert await ledger.balance() == Balance(available=3, held=0)
    with pytest.raises(InsufficientCredits) as refusal:
        await ledger.hold("gen_1", 4)
    assert refusal.value.attributes == {"needed": 4, "available": 3}


async def test_the_balance_says_what_ends_when(ledger: Ledger, clock: FrozenClock) -> None:
    later, sooner = clock.now() + 2 * DAY, clock.now() + DAY
    await ledger.grant(10, "later", expires_at=later)
    await ledger.grant(5, "sooner", expires_at=sooner)
    await ledger.grant(2, "sooner too", expires_at=sooner)
    await ledger.grant(3, "lasting")

    assert (await ledger.balance()).expiring == (Expiring(7, sooner), Expiring(10, later))


async def test_what_ends_first_is_spent_first(ledger: Ledger, clock: FrozenClock) -> None:
    await ledger.grant(5, "lasting")
    await ledger.grant(5, "later", expires_at=clock.now() + 2 * DAY)
    await ledger.grant(5, "sooner", expires_at=clock.now() + DAY)

    await ledger.hold("gen_1", 7)

    assert (await ledger.balance()).expiring == (Expiring(3, clock.now() + 2 * DAY),)


async def test_a_partial_capture_charges_what_ends_first(ledger: Ledger, clock: FrozenClock) -> None:
    await ledger.grant(5, "lasting")
    await ledger.grant(5, "sooner", expires_at=clock.now() + DAY)
    await ledger.hold("gen_1", 8)

    await ledger.capture("gen_1", 4)

    assert await ledger.balance() == Balance(6, 0, (Expiring(1, clock.now() + DAY),))


async def test_a_lot_that_ends_while_held_stays_usable_by_its_hold(ledger: Ledger, clock: FrozenClock) -> None:
    await ledger.grant(10, "short", expires_at=clock.now() + DAY)
    await ledger.hold("gen_1", 6)
    clock.advance(DAY)
    await ledger.expire_due()

    await ledger.capture("gen_1", 6)

    assert [transfer.amount for transfer in await ledger.history() if transfer.kind == "captured"] == [6]
    assert await ledger.balance() == Balance(available=0, held=0)


async def test_what_is_released_into_an_expired_lot_ends_at_the_next_touch(ledger: Ledger, clock: FrozenClock) -> None:
    await ledger.grant(10, "short", expires_at=clock.now() + DAY)
    await ledger.hold("gen_1", 4)
    await ledger.hold("gen_2", 3)
    clock.advance(DAY)
    assert await ledger.expire_due() == 1

    await ledger.release("gen_1")
    assert await ledger.balance() == Balance(available=0, held=3)
    await ledger.hold("gen_3", 0)
    await ledger.release("gen_2")
    assert await ledger.expire_due() == 1

    ended = sorted(transfer.amount for transfer in await ledger.history() if transfer.kind == "expired")
    assert ended == [3, 3, 4]
    assert await ledger.expire_due() == 0


async def test_the_sweep_ends_each_due_lot_once(ledger: Ledger, clock: FrozenClock) -> None:
    for number in range(3):
        await ledger.grant(10, f"alice-{number}", expires_at=clock.now() + DAY)
    await ledger.grant(10, "bob", account_id=BOB, expires_at=clock.now() + 2 * DAY)
    clock.advance(DAY)
    before = await ledger.balance()

    first, again = await ledger.expire_due(), await ledger.expire_due()

    assert (first, again) == (3, 0)
    assert before == await ledger.balance() == Balance(available=0, held=0)
    assert (await ledger.balance(BOB)).available == 10


async def test_the_sweep_takes_as_many_wallets_as_it_is_told(ledger: Ledger, clock: FrozenClock) -> None:
    await ledger.grant(10, "alice", expires_at=clock.now() + DAY)
    await ledger.grant(10, "bob", account_id=BOB, expires_at=clock.now() + 2 * DAY)
    clock.advance(3 * DAY)

    assert [await ledger.expire_due(limit=1) for _ in range(3)] == [1, 1, 0]


async def test_an_adjustment_does_not_take_from_what_has_expired(ledger: Ledger, clock: FrozenClock) -> None:
    await ledger.grant(10, "short", expires_at=clock.now() + DAY)
    await ledger.grant(2, "lasting")
    clock.advance(DAY)

    with pytest.raises(InsufficientCredits):
        await ledger.adjust(-3, "too much")
    await ledger.adjust(-2, "just enough")

    assert await ledger.balance() == Balance(available=0, held=0)

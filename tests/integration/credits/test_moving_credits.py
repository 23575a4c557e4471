"""Grants, holds, captures, releases and adjustments."""

from __future__ import annotations

from datetime import timedelta

import pytest

from statuette.errors import InvalidInput, NotFound
from statuette.kernel.db.database import Database
from statuette.kernel.domain.credits import service
from statuette.kernel.domain.credits.errors import DebtOutstanding, HoldClosed, InsufficientCredits, TransferKeyReused
from statuette.kernel.domain.credits.views import Balance
from statuette.testing import FrozenClock

from .ledger import ALICE, BOB, BRAND, Ledger


async def test_a_grant_can_be_spent(ledger: Ledger) -> None:
    await ledger.grant(10, "welcome")

    assert await ledger.balance() == Balance(available=10, held=0)


async def test_a_grant_happens_once_whoever_repeats_it(ledger: Ledger) -> None:
    first = await ledger.grant(10, "order-1", kind="purchased", actor="webhook")

    again = await ledger.grant(10, "order-1", kind="purchased", actor="reconciler")

    assert again == first
    assert again.actor == "webhook"
    assert (await ledger.balance()).available == 10


@pytest.mark.parametrize("change", [{"amount": 11}, {"account_id": BOB}, {"kind": "purchased"}, {"expires": True}])
async def test_a_key_with_other_content_is_refused(
    ledger: Ledger, clock: FrozenClock, change: dict[str, object]
) -> None:
    await ledger.grant(10, "welcome")

    with pytest.raises(TransferKeyReused) as refusal:
        await ledger.grant(
            change.get("amount", 10),  # type: ignore[arg-type]
            "welcome",
            account_id=change.get("account_id", ALICE),  # type: ignore[arg-type]
            kind=change.get("kind", "granted"),
            expires_at=clock.now() + timedelta(days=1) if "expires" in change else None,
        )

    assert refusal.value.code == "transfer_key_reused"
    assert (await ledger.balance()).available == 10
    assert (await ledger.balance(BOB)).available == 0


async def test_a_grant_that_has_expired_since_is_still_replayed(ledger: Ledger, clock: FrozenClock) -> None:
    soon = clock.now() + timedelta(hours=1)
    first = await ledger.grant(10, "welcome", expires_at=soon)
    clock.advance(timedelta(hours=2))

    assert await ledger.grant(10, "welcome", expires_at=soon) == first
    assert (await ledger.balance()).available == 0


async def test_credits_cannot_expire_before_they_are_given(ledger: Ledger, clock: FrozenClock) -> None:
    with pytest.raises(InvalidInput):
        await ledger.grant(10, "welcome", expires_at=clock.now())


async def test_keys_of_any_length_are_told_apart(ledger: Ledger) -> None:
    await ledger.grant(1, "k" * 255)
    await ledger.grant(2, "k" * 254)

    await ledger.grant(1, "k" * 255)

    assert (await ledger.balance()).available == 3


async def test_a_chosen_key_never_meets_the_keys_of_holds(ledger: Ledger) -> None:
    await ledger.grant(10, "hold:gen_1")
    await ledger.adjust(5, "hold:gen_1")

    await ledger.hold("gen_1", 15)

    assert await ledger.balance() == Balance(available=0, held=15)


async def test_a_capture_charges_what_was_delivered_and_gives_back_the_rest(ledger: Ledger) -> None:
    await ledger.grant(10, "welcome")
    await ledger.hold("gen_1", 8)
    assert await ledger.balance() == Balance(available=2, held=8)

    closed = await ledger.capture("gen_1", 3)

    assert (closed.state, closed.captured) == ("captured", 3)
    assert await ledger.balance() == Balance(available=7, held=0)


async def test_a_release_gives_everything_back(ledger: Ledger) -> None:
    await ledger.grant(10, "welcome")
    await ledger.hold("gen_1", 8)

    closed = await ledger.release("gen_1")

    assert (closed.state, closed.captured) == ("released", 0)
    assert await ledger.balance() == Balance(available=10, held=0)


async def test_holding_capturing_and_releasing_repeat_without_effect(ledger: Ledger) -> None:
    await ledger.grant(20, "welcome")
    held = await ledger.hold("gen_1", 8)
    await ledger.hold("gen_2", 5)

    assert await ledger.hold("gen_1", 8) == held
    captured = await ledger.capture("gen_1", 8)
    assert await ledger.capture("gen_1", 8) == captured
    assert await ledger.hold("gen_1", 8) == captured
    released = await ledger.release("gen_2")
    assert await ledger.release("gen_2") == released
    assert await ledger.balance() == Balance(available=12, held=0)


async def test_a_hold_is_settled_one_way_only(ledger: Ledger) -> None:
    await ledger.grant(20, "welcome")
    await ledger.hold("gen_1", 8)
    await ledger.hold("gen_2", 5)
    await ledger.capture("gen_1", 8)
    await ledger.release("gen_2")

    with pytest.raises(HoldClosed):
        await ledger.release("gen_1")
    with pytest.raises(HoldClosed):
        await ledger.capture("gen_1", 7)
    with pytest.raises(HoldClosed):
        await ledger.capture("gen_2", 5)

    assert await ledger.balance() == Balance(available=12, held=0)


async def test_a_reference_holds_one_amount_for_one_account(ledger: Ledger) -> None:
    await ledger.grant(20, "alice")
    await ledger.grant(20, "bob", account_id=BOB)
    await ledger.hold("gen_1", 8)

    with pytest.raises(TransferKeyReused):
        await ledger.hold("gen_1", 9)
    with pytest.raises(TransferKeyReused):
        await ledger.hold("gen_1", 8, account_id=BOB)


async def test_more_than_is_there_is_refused_with_both_figures(ledger: Ledger) -> None:
    await ledger.grant(10, "welcome")

    with pytest.raises(InsufficientCredits) as refusal:
        await ledger.hold("gen_1", 11)

    assert refusal.value.attributes == {"needed": 11, "available": 10}
    assert await ledger.balance() == Balance(available=10, held=0)
    assert await ledger.hold("gen_1", 10)


async def test_a_free_job_moves_nothing(ledger: Ledger) -> None:
    await ledger.hold("gen_1", 0)

    closed = await ledger.capture("gen_1", 0)

    assert closed.state == "captured"
    assert await ledger.history() == []


@pytest.mark.parametrize("amount", [-1, 9])
async def test_no_more_than_is_held_is_captured(ledger: Ledger, amount: int) -> None:
    await ledger.grant(20, "welcome")
    await ledger.hold("gen_1", 8)

    with pytest.raises(InvalidInput):
        await ledger.capture("gen_1", amount)

    assert await ledger.balance() == Balance(available=12, held=8)


@pytest.mark.parametrize("amount", [0, -5])
async def test_a_grant_of_nothing_or_less_is_refused(ledger: Ledger, amount: int) -> None:
    with pytest.raises(InvalidInput):
        await ledger.grant(amount, "welcome")


async def test_a_negative_hold_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InvalidInput):
        await ledger.hold("gen_1", -5)


async def test_an_adjustment_goes_either_way_but_never_below_zero(ledger: Ledger) -> None:
    await ledger.adjust(10, "a")
    await ledger.hold("gen_1", 4)

    taken = await ledger.adjust(-5, "b")
    with pytest.raises(InsufficientCredits) as refusal:
        await ledger.adjust(-2, "c")

    assert taken.amount == -5
    assert refusal.value.attributes == {"needed": 2, "available": 1}
    assert await ledger.adjust(-5, "b") == taken
    with pytest.raises(TransferKeyReused):
        await ledger.adjust(-4, "b")
    assert await ledger.balance() == Balance(available=1, held=4)


async def test_opening_a_wallet_twice_keeps_its_balance(ledger: Ledger, database: Database) -> None:
    await ledger.grant(10, "welcome")

    await ledger.open_wallets()

    assert (await ledger.balance()).available == 10
    with pytest.raises(NotFound):
        async with database.transaction() as tx:
            await service.open_wallet(tx, "brd_other", ALICE)


async def test_another_brand_reaches_neither_wallet_nor_hold(ledger: Ledger, database: Database) -> None:
    await ledger.grant(10, "welcome")
    await ledger.hold("gen_1", 4)

    for attempt in (
        lambda: ledger.balance(brand_id="brd_other"),
        lambda: ledger.hold("gen_2", 1, brand_id="brd_other"),
        lambda: ledger.capture("gen_1", 4, brand_id="brd_other"),
        lambda: ledger.release("gen_1", brand_id="brd_other"),
    ):
        with pytest.raises(NotFound):
            await attempt()
    async with database.read() as reader:
        assert await service.history(reader, "brd_other", ALICE, limit=10) == []
    assert await ledger.balance() == Balance(available=6, held=4)


async def test_history_is_paged_newest_first(ledger: Ledger, clock: FrozenClock) -> None:
    for number in range(5):
        await ledger.grant(number + 1, f"grant-{number}")
        clock.advance(timedelta(seconds=1))
    await ledger.grant(99, "bob", account_id=BOB)

    first = await ledger.history(limit=3)
    rest = await ledger.history(before=first[-1].id, limit=3)

    assert [transfer.amount for transfer in first + rest] == [5, 4, 3, 2, 1]


async def test_a_rolled_back_hold_leaves_no_trace(ledger: Ledger, database: Database) -> None:
    await ledger.grant(10, "welcome")

    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            await service.hold(tx, brand_id=BRAND, account_id=ALICE, reference="gen_1", amount=10)
            raise ZeroDivisionError

    assert await ledger.balance() == Balance(available=10, held=0)
    assert len(await ledger.history()) == 1


async def test_what_is_taken_back_comes_from_the_credits_of_that_payment_first(
    ledger: Ledger, clock: FrozenClock
) -> None:
    await ledger.grant(10, "short", expires_at=clock.now() + timedelta(days=1))
    await ledger.grant(20, "bought", kind="purchased")

    taken = await ledger.take_back(15, "refund", of="bought")

    assert (taken.kind, taken.amount, taken.cause) == ("refunded", 15, "rfd_1")
    balance = await ledger.balance()
    assert (balance.available, balance.debt) == (15, 0)
    assert [item.amount for item in balance.expiring] == [10]
    assert await ledger.take_back(15, "refund", of="bought") == taken
    with pytest.raises(TransferKeyReused):
        await ledger.take_back(14, "refund", of="bought")


async def test_what_was_spent_becomes_a_debt_that_blocks_new_jobs_until_credits_pay_it(ledger: Ledger) -> None:
    await ledger.grant(10, "bought", kind="purchased")
    await ledger.hold("gen_1", 7)
    await ledger.capture("gen_1", 7)

    await ledger.take_back(10, "refund", of="bought")

    assert await ledger.balance() == Balance(available=0, held=0, debt=7)
    with pytest.raises(DebtOutstanding) as refusal:
        await ledger.hold("gen_2", 0)
    assert refusal.value.attributes == {"debt": 7}
    await ledger.grant(5, "kindness")
    assert await ledger.balance() == Balance(available=0, held=0, debt=2)
    await ledger.grant(5, "more")
    assert await ledger.balance() == Balance(available=3, held=0)
    await ledger.hold("gen_2", 3)


async def test_a_job_that_runs_goes_on_and_what_it_gives_back_pays_the_debt(ledger: Ledger) -> None:
    await ledger.grant(10, "bought", kind="purchased")
    await ledger.hold("gen_1", 10)
    await ledger.take_back(10, "refund", of="bought")
    assert await ledger.hold("gen_1", 10)

    await ledger.capture("gen_1", 4)

    assert await ledger.balance() == Balance(available=0, held=0, debt=4)


async def test_what_returns_after_a_dispute_was_won_pays_the_debt_it_made(ledger: Ledger) -> None:
    await ledger.grant(10, "bought", kind="purchased")
    await ledger.hold("gen_1", 10)
    await ledger.capture("gen_1", 10)
    await ledger.take_back(10, "dispute", of="bought")

    await ledger.grant(10, "returned:dispute", kind="returned")

    assert await ledger.balance() == Balance(available=0, held=0, debt=0)

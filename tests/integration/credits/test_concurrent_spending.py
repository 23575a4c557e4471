"""Many at one wallet, in transactions that really run at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.kernel.domain.credits.errors import InsufficientCredits
from statuette.kernel.domain.credits.views import Balance
from statuette.testing import FrozenClock

from .ledger import ALICE, BOB, Ledger


@pytest.fixture
async def processes(database: Database, database_url: str, clock: FrozenClock) -> AsyncIterator[list[Ledger]]:
    """The same database opened four times, as four processes would: SQLite's writers too are in each other's way."""
    async with AsyncExitStack() as stack:
        yield [Ledger(await stack.enter_async_context(_opened(database_url, clock))) for _ in range(4)]


@asynccontextmanager
async def _opened(database_url: str, clock: FrozenClock) -> AsyncIterator[Database]:
    database = Database(engine_for(database_url), clock)
    try:
        await database.open()
        yield database
    finally:
        await database.close()


async def test_of_fifty_at_once_only_those_that_can_be_paid_hold(ledger: Ledger, processes: list[Ledger]) -> None:
    await ledger.grant(10, "welcome")

    outcomes = await asyncio.gather(
        *(processes[number % 4].hold(f"gen_{number}", 1) for number in range(50)), return_exceptions=True
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(refused) == 40
    assert {type(outcome) for outcome in refused} == {InsufficientCredits}
    assert await ledger.balance() == Balance(available=0, held=10)


async def test_one_key_used_by_many_at_once_grants_once(ledger: Ledger, processes: list[Ledger]) -> None:
    made = await asyncio.gather(*(processes[number % 4].grant(10, "welcome") for number in range(12)))

    assert len({transfer.id for transfer in made}) == 1
    assert (await ledger.balance()).available == 10


async def test_one_hold_captured_by_many_at_once_is_charged_once(ledger: Ledger, processes: list[Ledger]) -> None:
    await ledger.grant(10, "welcome")
    await ledger.hold("gen_1", 6)

    await asyncio.gather(*(processes[number % 4].capture("gen_1", 4) for number in range(12)))

    assert await ledger.balance() == Balance(available=6, held=0)


async def test_capture_and_release_of_one_hold_have_one_winner(ledger: Ledger, processes: list[Ledger]) -> None:
    await ledger.grant(10, "welcome")
    await ledger.hold("gen_1", 6)

    outcomes = await asyncio.gather(
        processes[0].capture("gen_1", 6), processes[1].release("gen_1"), return_exceptions=True
    )

    assert sum(isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert await ledger.balance() in (Balance(available=4, held=0), Balance(available=10, held=0))


async def test_one_reference_wanted_by_two_wallets_goes_to_one(ledger: Ledger, processes: list[Ledger]) -> None:
    await ledger.grant(10, "alice")
    await ledger.grant(10, "bob", account_id=BOB)

    outcomes = await asyncio.gather(
        *(processes[number].hold("gen_1", 5, account_id=(ALICE, BOB)[number % 2]) for number in range(4)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, BaseException) for outcome in outcomes) == 2
    assert (await ledger.balance(ALICE)).held + (await ledger.balance(BOB)).held == 5


async def test_sweeps_and_holds_at_once_never_use_a_credit_twice(
    ledger: Ledger, processes: list[Ledger], clock: FrozenClock
) -> None:
    for account_id in (ALICE, BOB):
        await ledger.grant(5, f"short {account_id}", account_id=account_id, expires_at=clock.now() + timedelta(days=1))
        await ledger.grant(5, f"lasting {account_id}", account_id=account_id)
    clock.advance(timedelta(days=1))

    outcomes = await asyncio.gather(
        *(processes[number % 4].expire_due() for number in range(4)),
        *(processes[n % 4].hold(f"gen_{n}", 1, account_id=(ALICE, BOB)[n % 2]) for n in range(20)),
        return_exceptions=True,
    )

    assert {type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} == {InsufficientCredits}
    for account_id in (ALICE, BOB):
        assert await ledger.balance(account_id) == Balance(available=0, held=5)
        assert sum(t.amount for t in await ledger.history(account_id) if t.kind == "expired") == 5

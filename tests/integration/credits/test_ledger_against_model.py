"""Any sequence of movements leaves the ledger as a plain model says, and sound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.kernel.domain.credits import service
from statuette.kernel.domain.credits.errors import DebtOutstanding, HoldClosed, InsufficientCredits
from statuette.testing import FrozenClock
from tests.soak import effort

from .ledger import ALICE, BOB, BRAND, STAFF, Ledger
from .model import NEVER, Hold, Lot, Model

TABLES = ("credit_hold_lot", "credit_hold", "credit_lot", "ledger_entry", "ledger_transfer", "wallet")
accounts = st.sampled_from([ALICE, BOB])
amounts = st.integers(min_value=1, max_value=12)
hours = st.integers(min_value=1, max_value=3)
T = TypeVar("T")


class Crash(Exception):
    """Ends a transaction before its commit."""


class LedgerMachine(RuleBasedStateMachine):
    loop: asyncio.AbstractEventLoop
    database: Database
    clock: FrozenClock

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        self.ledger = Ledger(self.database)
        self.model = Model({ALICE: [], BOB: []})
        self.count = 0
        for table in TABLES:
            self.run(self.ledger.tamper(f"DELETE FROM {table}"))
        self.run(self.ledger.open_wallets())
        # What is rarely drawn by chance: lots that end at different times in one wallet, and one that lasts.
        for amount, lasts in ((4, 3), (5, None), (3, 1)):
            self.grant(ALICE, amount, lasts, False)

    def next_key(self) -> str:
        self.count += 1
        return f"n{self.count}"

    @rule(account_id=accounts, amount=amounts, lasts=st.none() | hours, twice=st.booleans())
    def grant(self, account_id: str, amount: int, lasts: int | None, twice: bool) -> None:
        expires_at = None if lasts is None else self.clock.now() + timedelta(hours=lasts)
        key = self.next_key()
        for _ in range(1 + twice):
            self.run(self.ledger.grant(amount, key, account_id=account_id, expires_at=expires_at))
        self.model.bring(account_id, Lot(expires_at or NEVER, amount), self.clock.now())

    @rule(
        account_id=accounts,
        spared=st.integers(min_value=-2, max_value=8),
        twice=st.booleans(),
        charged=st.none() | amounts,
    )
    def job(self, account_id: str, spared: int, twice: bool, charged: int | None) -> None:
        """Asks for all but so many, hence takes from several lots, or asks for too much; half of them end at once."""
        reference = f"gen_{self.next_key()}"
        available = self.model.available(account_id, self.clock.now())
        amount = max(0, available - spared)
        if debt := self.model.debts.get(account_id, 0):
            with pytest.raises(DebtOutstanding) as refused:
                self.run(self.ledger.hold(reference, amount, account_id=account_id))
            assert refused.value.attributes == {"debt": debt}
            return
        if amount > available:
            with pytest.raises(InsufficientCredits) as refusal:
                self.run(self.ledger.hold(reference, amount, account_id=account_id))
            assert refusal.value.attributes == {"needed": amount, "available": available}
            return
        for _ in range(1 + twice):
            self.run(self.ledger.hold(reference, amount, account_id=account_id))
        parts = self.model.take(account_id, amount, self.clock.now())
        self.model.holds[reference] = Hold(account_id, amount, parts)
        if charged is not None:
            captured = min(charged, amount)
            self.run(self.ledger.capture(reference, captured))
            self.model.close(reference, captured, self.clock.now())

    @precondition(lambda self: any(hold.captured is None for hold in self.model.holds.values()))
    @rule(data=st.data())
    def capture(self, data: st.DataObject) -> None:
        reference = data.draw(st.sampled_from([key for key, hold in self.model.holds.items() if hold.captured is None]))
        captured = data.draw(st.integers(min_value=0, max_value=self.model.holds[reference].amount))
        self.run(self.ledger.capture(reference, captured))
        self.model.close(reference, captured, self.clock.now())

    @precondition(lambda self: any(hold.captured is None for hold in self.model.holds.values()))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        reference = data.draw(st.sampled_from([key for key, hold in self.model.holds.items() if hold.captured is None]))
        self.run(self.ledger.release(reference))
        self.model.close(reference, 0, self.clock.now())

    @precondition(lambda self: any(hold.captured is not None for hold in self.model.holds.values()))
    @rule(data=st.data(), otherwise=st.booleans())
    def settle_again(self, data: st.DataObject, otherwise: bool) -> None:
        closed = {key: hold.captured for key, hold in self.model.holds.items() if hold.captured is not None}
        reference = data.draw(st.sampled_from(sorted(closed)))
        if otherwise:
            with pytest.raises(HoldClosed):
                self.run(self.ledger.capture(reference, closed[reference] + 1))
        else:
            self.run(self.ledger.capture(reference, closed[reference]))

    @rule(account_id=accounts, amount=amounts, twice=st.booleans(), up=st.booleans())
    def adjust(self, account_id: str, amount: int, twice: bool, up: bool) -> None:
        key = self.next_key()
        if not up and amount > self.model.available(account_id, self.clock.now()):
            with pytest.raises(InsufficientCredits):
                self.run(self.ledger.adjust(-amount, key, account_id=account_id))
            return
        for _ in range(1 + twice):
            self.run(self.ledger.adjust(amount if up else -amount, key, account_id=account_id))
        if up:
            self.model.bring(account_id, Lot(NEVER, amount), self.clock.now())
        else:
            self.model.take(account_id, amount, self.clock.now())

    @rule(account_id=accounts, amount=amounts, twice=st.booleans())
    def take_back(self, account_id: str, amount: int, twice: bool) -> None:
        key = self.next_key()
        for _ in range(1 + twice):
            self.run(self.ledger.take_back(amount, key, account_id=account_id))
        self.model.take_back(account_id, amount, self.clock.now())

    @rule(passed=hours)
    def time_passes(self, passed: int) -> None:
        self.clock.advance(timedelta(hours=passed))

    @rule(limit=st.integers(min_value=1, max_value=3))
    def sweep(self, limit: int) -> None:
        self.run(self.ledger.expire_due(limit))

    @rule(account_id=accounts, amount=amounts)
    def crash_before_the_commit(self, account_id: str, amount: int) -> None:
        async def work() -> None:
            async with self.database.transaction() as tx:
                key = self.next_key()
                await service.grant(tx, brand_id=BRAND, account_id=account_id, amount=amount, key=key, actor=STAFF)
                if not self.model.debts.get(account_id):
                    await service.hold(tx, brand_id=BRAND, account_id=account_id, reference=f"gen_{key}", amount=amount)
                await service.take_back(tx, brand_id=BRAND, account_id=account_id, amount=amount, key=key, actor=STAFF)
                raise Crash

        with pytest.raises(Crash):
            self.run(work())

    @invariant()
    def balances_are_the_models(self) -> None:
        for account_id in (ALICE, BOB):
            now, balance = self.clock.now(), self.run(self.ledger.balance(account_id))
            assert balance.available == self.model.available(account_id, now)
            assert balance.held == self.model.held(account_id)
            assert balance.debt == self.model.debts.get(account_id, 0)
            assert not (balance.debt and balance.available)
            assert [(item.amount, item.expires_at) for item in balance.expiring] == self.model.expiring(account_id, now)

    @invariant()
    def the_ledger_is_sound(self) -> None:
        """The equation of every brand is one of the checks."""
        assert self.run(self.ledger.verify(page=1_000)) == []


def test_the_ledger_does_what_the_model_says(database_url: str, clock: FrozenClock) -> None:
    # A loop of its own: a pool belongs to one loop, and Hypothesis calls rules from outside of any.
    loop = asyncio.new_event_loop()
    database = Database(engine_for(database_url), clock)
    machine = type("Machine", (LedgerMachine,), {"loop": loop, "database": database, "clock": clock})
    try:
        loop.run_until_complete(database.open())
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=effort(12, soaking=300),
                stateful_step_count=30,
                deadline=None,
                database=None,
                print_blob=True,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    finally:
        loop.run_until_complete(database.close())
        loop.close()

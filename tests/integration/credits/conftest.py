"""A ledger with two empty wallets, on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from statuette.kernel.db.database import Database

from .ledger import Ledger


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """After each test the books must balance, whatever it did; tests of tampering use `tampered` instead."""
    opened = Ledger(database)
    await opened.open_wallets()
    yield opened
    assert await opened.verify() == []


@pytest.fixture
async def tampered(database: Database) -> Ledger:
    """As `ledger`, for those who break it."""
    opened = Ledger(database)
    await opened.open_wallets()
    return opened

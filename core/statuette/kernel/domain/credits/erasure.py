"""The ledger of one account, exported and erased. Takes any transaction, since enforcement brings its own."""

from __future__ import annotations

from typing import Any

from statuette.dataset import Transaction


async def has_wallet(tx: Transaction, account_id: str) -> bool:
    return bool(await tx.rows("SELECT account_id FROM wallet WHERE account_id = :account_id", account_id=account_id))


async def has_open_hold(tx: Transaction, account_id: str) -> bool:
    return bool(
        await tx.rows(
            "SELECT id FROM credit_hold WHERE account_id = :account_id AND state = 'open' LIMIT 1",
            account_id=account_id,
        )
    )


async def erase(tx: Transaction, account_id: str) -> None:
    """Delete everything, the wallet first: whoever waits for it then finds none."""
    await tx.execute("DELETE FROM wallet WHERE account_id = :account_id", account_id=account_id)
    for sql in (
        "DELETE FROM credit_hold_lot WHERE lot_id IN (SELECT id FROM credit_lot WHERE account_id = :account_id)",
        "DELETE FROM ledger_entry WHERE transfer_id IN (SELECT id FROM ledger_transfer WHERE account_id = :account_id)",
        "DELETE FROM credit_hold WHERE account_id = :account_id",
        "DELETE FROM credit_lot WHERE account_id = :account_id",
        "DELETE FROM ledger_transfer WHERE account_id = :account_id",
    ):
        await tx.execute(sql, account_id=account_id)


async def export(tx: Transaction, account_id: str) -> list[dict[str, Any]]:
    """The balance, then lots, holds and transfers, each with its `record` kind. Who acted for us is not the person's data."""
    tables = (
        ("balance", "SELECT available, held FROM wallet WHERE account_id = :account_id"),
        (
            "lot",
            "SELECT id, kind, amount, remaining, created_at, expires_at FROM credit_lot"
            " WHERE account_id = :account_id ORDER BY id",
        ),
        (
            "hold",
            "SELECT reference, amount, captured, state, created_at, closed_at FROM credit_hold"
            " WHERE account_id = :account_id ORDER BY id",
        ),
        (
            "transfer",
            "SELECT id, kind, amount, reference, created_at FROM ledger_transfer"
            " WHERE account_id = :account_id ORDER BY id",
        ),
    )
    return [{"record": kind, **row} for kind, sql in tables for row in await tx.rows(sql, account_id=account_id)]

"""The ledger of one account, exported, pseudonymised and erased. Takes any transaction, since enforcement brings its own."""

from __future__ import annotations

from typing import Any

from statuette.dataset import Transaction
from statuette.kernel.domain.credits.postings import DEBT, HELD, WALLET

_HOLD = "(SELECT h.id FROM credit_hold h WHERE h.reference = ledger_transfer.reference)"
_RENAMED = (
    "UPDATE ledger_transfer SET transfer_key = CASE kind WHEN 'held' THEN 'hold:' WHEN 'captured' THEN 'capture:'"
    f" ELSE 'release:' END || {_HOLD}, reference = {_HOLD}"
    " WHERE account_id = :account_id AND kind IN ('held', 'captured', 'released')",
    "UPDATE credit_hold SET reference = id WHERE account_id = :account_id",
    "UPDATE ledger_transfer SET transfer_key = 'erased:' || id, actor = 'erased'"
    " WHERE account_id = :account_id AND kind NOT IN ('held', 'captured', 'released')",
)


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


async def has_purchases(tx: Transaction, account_id: str) -> bool:
    """Whether money was paid, so that books about it have to be kept."""
    return bool(
        await tx.rows(
            "SELECT id FROM ledger_transfer WHERE account_id = :account_id AND kind = 'purchased' LIMIT 1",
            account_id=account_id,
        )
    )


async def brand_of(tx: Transaction, account_id: str) -> str | None:
    rows = await tx.rows("SELECT brand_id FROM wallet WHERE account_id = :account_id", account_id=account_id)
    return str(rows[0]["brand_id"]) if rows else None


async def pseudonymise(tx: Transaction, account_id: str, pseudonym: str) -> None:
    """Take the account, its jobs and what its callers named out of the ledger, all at once, so that it adds up at every moment.

    A hold is named by its own id from then on, a grant by its transfer's.
    """
    for sql in _RENAMED:
        await tx.execute(sql, account_id=account_id)
    for table in ("ledger_transfer", "credit_hold", "credit_lot", "wallet"):
        await tx.execute(
            f"UPDATE {table} SET account_id = :pseudonym WHERE account_id = :account_id",
            account_id=account_id,
            pseudonym=pseudonym,
        )
    for side in (WALLET, HELD, DEBT):
        await tx.execute(
            "UPDATE ledger_entry SET ledger_account = :renamed WHERE ledger_account = :side",
            side=f"{side}{account_id}",
            renamed=f"{side}{pseudonym}",
        )


async def export(tx: Transaction, account_id: str) -> list[dict[str, Any]]:
    """The balance, then lots, holds and transfers, each with its `record` kind. Who acted for us is not the person's data."""
    tables = (
        ("balance", "SELECT available, held, debt FROM wallet WHERE account_id = :account_id"),
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
            "SELECT id, kind, amount, reference, cause, created_at FROM ledger_transfer"
            " WHERE account_id = :account_id ORDER BY id",
        ),
    )
    return [{"record": kind, **row} for kind, sql in tables for row in await tx.rows(sql, account_id=account_id)]

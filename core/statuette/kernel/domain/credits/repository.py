"""SQL of the ledger. What moves lots or a balance holds the wallet's row first, by `lock_wallet`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.credits.postings import TransferKind, legs
from statuette.kernel.domain.credits.tables import CreditHold, CreditHoldLot, CreditLot, LedgerTransfer, Wallet


class WalletRow(msgspec.Struct, frozen=True):
    available: int
    held: int
    debt: int


class LotRow(msgspec.Struct, frozen=True):
    id: str
    remaining: int
    expires_at: datetime | None


class HoldRow(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    account_id: str
    reference: str
    amount: int
    captured: int
    state: str
    created_at: datetime
    closed_at: datetime | None


class TransferRow(msgspec.Struct, frozen=True):
    """A transfer, with the expiry of the lot it filled or emptied."""

    id: str
    account_id: str
    kind: str
    amount: int
    reference: str | None
    actor: str
    created_at: datetime
    expires_at: datetime | None
    cause: str | None


class Part(msgspec.Struct, frozen=True):
    """So many credits of one lot."""

    lot_id: str
    amount: int


class ExpiryRow(msgspec.Struct, frozen=True):
    """A wallet's balance beside what of it ends at one moment; once with nothing if nothing does."""

    available: int
    held: int
    debt: int
    expires_at: datetime | None
    remaining: int


class OwnerRow(msgspec.Struct, frozen=True, order=True):
    account_id: str
    brand_id: str


async def add_wallet(tx: Transaction, brand_id: str, account_id: str) -> bool:
    return await tx.insert_new(Wallet, account_id=account_id, brand_id=brand_id, available=0, held=0, debt=0)


async def wallet_is_of(reader: Reader, brand_id: str, account_id: str) -> bool:
    return bool(
        await reader.rows(
            "SELECT account_id FROM wallet WHERE account_id = :account_id AND brand_id = :brand_id",
            account_id=account_id,
            brand_id=brand_id,
        )
    )


async def lock_wallet(tx: Transaction, brand_id: str, account_id: str) -> WalletRow | None:
    """Keep every other transaction off this wallet and its lots until this one ends."""
    return await tx.one(
        WalletRow,
        f"SELECT available, held, debt FROM wallet WHERE account_id = :account_id AND brand_id = :brand_id{tx.for_update}",
        account_id=account_id,
        brand_id=brand_id,
    )


async def move_balance(
    tx: Transaction, brand_id: str, account_id: str, *, available: int = 0, held: int = 0, debt: int = 0
) -> WalletRow | None:
    """Add to the wallet what is given, either sign; None, and nothing changed, where that would go below zero."""
    return await tx.one(
        WalletRow,
        "UPDATE wallet SET available = available + :available, held = held + :held, debt = debt + :debt"
        " WHERE account_id = :account_id AND brand_id = :brand_id"
        " AND available + :available >= 0 AND held + :held >= 0 AND debt + :debt >= 0 RETURNING available, held, debt",
        account_id=account_id,
        brand_id=brand_id,
        available=available,
        held=held,
        debt=debt,
    )


async def expiring(reader: Reader, brand_id: str, account_id: str) -> list[ExpiryRow]:
    """Balance and expiries in one statement, so that they are of one moment."""
    return await reader.all(
        ExpiryRow,
        "SELECT w.available, w.held, w.debt, l.expires_at, CAST(COALESCE(SUM(l.remaining), 0) AS BIGINT) AS remaining"
        " FROM wallet w LEFT JOIN credit_lot l ON l.account_id = w.account_id AND l.brand_id = w.brand_id"
        " AND l.remaining > 0 AND l.expires_at IS NOT NULL"
        " WHERE w.account_id = :account_id AND w.brand_id = :brand_id"
        " GROUP BY w.available, w.held, w.debt, l.expires_at ORDER BY l.expires_at",
        account_id=account_id,
        brand_id=brand_id,
    )


async def add_lot(
    tx: Transaction,
    lot_id: str,
    *,
    brand_id: str,
    account_id: str,
    kind: TransferKind,
    amount: int,
    expires_at: datetime | None,
) -> None:
    await tx.insert(
        CreditLot,
        id=lot_id,
        brand_id=brand_id,
        account_id=account_id,
        kind=kind.value,
        amount=amount,
        remaining=amount,
        created_at=tx.now,
        expires_at=expires_at,
    )


async def filled_lots(tx: Transaction, brand_id: str, account_id: str) -> list[LotRow]:
    """What is left, earliest expiry first and what never expires last."""
    return await tx.all(
        LotRow,
        "SELECT id, remaining, expires_at FROM credit_lot WHERE account_id = :account_id AND brand_id = :brand_id"
        " AND remaining > 0 ORDER BY expires_at IS NULL, expires_at, id",
        account_id=account_id,
        brand_id=brand_id,
    )


async def owners_of_due_lots(reader: Reader, now: datetime, limit: int) -> list[OwnerRow]:
    """Owners of the `limit` lots that have been due for longest."""
    return await reader.all(
        OwnerRow,
        "SELECT DISTINCT account_id, brand_id FROM (SELECT account_id, brand_id FROM credit_lot"
        " WHERE remaining > 0 AND expires_at <= :now ORDER BY expires_at LIMIT :limit) due",
        now=now,
        limit=limit,
    )


async def move_lot(tx: Transaction, lot_id: str, amount: int) -> None:
    """Add `amount`, either sign, to what the lot has left."""
    await tx.execute(
        "UPDATE credit_lot SET remaining = remaining + :amount WHERE id = :lot_id", lot_id=lot_id, amount=amount
    )


async def add_parts(tx: Transaction, taker_id: str, parts: Iterable[Part]) -> None:
    """Note of which lots a hold, a repayment, or an adjustment that takes away, is made."""
    for part in parts:
        await tx.insert(CreditHoldLot, id=tx.new_id("prt"), hold_id=taker_id, lot_id=part.lot_id, amount=part.amount)


async def parts_of(tx: Transaction, taker_id: str) -> list[Part]:
    """Earliest expiry first."""
    return await tx.all(
        Part,
        "SELECT p.lot_id, p.amount FROM credit_hold_lot p JOIN credit_lot l ON l.id = p.lot_id"
        " WHERE p.hold_id = :taker_id ORDER BY l.expires_at IS NULL, l.expires_at, l.id",
        taker_id=taker_id,
    )


async def lessen_part(tx: Transaction, taker_id: str, part: Part) -> None:
    """Give back `part` of what was taken; what is left of nothing is no longer noted."""
    names = {"taker_id": taker_id, "lot_id": part.lot_id, "amount": part.amount}
    await tx.execute(
        "UPDATE credit_hold_lot SET amount = amount - :amount WHERE hold_id = :taker_id AND lot_id = :lot_id", **names
    )
    del names["amount"]
    await tx.execute(
        "DELETE FROM credit_hold_lot WHERE hold_id = :taker_id AND lot_id = :lot_id AND amount = 0", **names
    )


_HOLD = "SELECT id, brand_id, account_id, reference, amount, captured, state, created_at, closed_at FROM credit_hold"


async def hold_by_reference(reader: Reader, reference: str) -> HoldRow | None:
    """Of any brand: references are unique everywhere. The caller compares the brand."""
    return await reader.one(HoldRow, f"{_HOLD} WHERE reference = :reference", reference=reference)


async def add_hold(
    tx: Transaction, hold_id: str, *, brand_id: str, account_id: str, reference: str, amount: int
) -> bool:
    """False when the reference is taken; waits for a concurrent one to be settled."""
    return await tx.insert_new(
        CreditHold,
        id=hold_id,
        brand_id=brand_id,
        account_id=account_id,
        reference=reference,
        amount=amount,
        captured=0,
        state="open",
        created_at=tx.now,
        closed_at=None,
    )


async def close_hold(tx: Transaction, hold_id: str, *, state: str, captured: int) -> bool:
    return await tx.changed(
        "UPDATE credit_hold SET state = :state, captured = :captured, closed_at = :now"
        " WHERE id = :hold_id AND state = 'open' RETURNING id",
        hold_id=hold_id,
        state=state,
        captured=captured,
        now=tx.now,
    )


async def add_transfer(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    key: str,
    kind: TransferKind,
    amount: int,
    actor: str,
    reference: str | None,
    cause: str | None = None,
) -> str | None:
    """A transfer with both its legs; its id, or None when the key is taken. Waits for a concurrent one to be settled."""
    transfer_id = tx.new_id("trf")
    if not await tx.insert_new(
        LedgerTransfer,
        id=transfer_id,
        brand_id=brand_id,
        account_id=account_id,
        transfer_key=key,
        kind=kind.value,
        amount=amount,
        reference=reference,
        cause=cause,
        actor=actor,
        created_at=tx.now,
    ):
        return None
    source, target = legs(kind, account_id, amount)
    await tx.execute(
        "INSERT INTO ledger_entry (id, brand_id, transfer_id, ledger_account, amount) VALUES"
        " (:source_id, :brand_id, :transfer_id, :source, :source_amount),"
        " (:target_id, :brand_id, :transfer_id, :target, :target_amount)",
        brand_id=brand_id,
        transfer_id=transfer_id,
        source_id=tx.new_id("ent"),
        source=source.ledger_account,
        source_amount=source.amount,
        target_id=tx.new_id("ent"),
        target=target.ledger_account,
        target_amount=target.amount,
    )
    return transfer_id


_TRANSFER = (
    "SELECT t.id, t.account_id, t.kind, t.amount, t.reference, t.actor, t.created_at, l.expires_at, t.cause"
    " FROM ledger_transfer t LEFT JOIN credit_lot l ON l.id = t.reference"
)


async def transfer_by_key(reader: Reader, brand_id: str, key: str) -> TransferRow | None:
    return await reader.one(
        TransferRow, f"{_TRANSFER} WHERE t.brand_id = :brand_id AND t.transfer_key = :key", brand_id=brand_id, key=key
    )


async def transfers(
    reader: Reader, brand_id: str, account_id: str, *, before: str | None, limit: int
) -> list[TransferRow]:
    """Newest first; only those with a smaller id than `before`."""
    older = "" if before is None else " AND t.id < :before"
    cursor = {} if before is None else {"before": before}
    return await reader.all(
        TransferRow,
        f"{_TRANSFER} WHERE t.account_id = :account_id AND t.brand_id = :brand_id{older} ORDER BY t.id DESC LIMIT :limit",
        account_id=account_id,
        brand_id=brand_id,
        limit=limit,
        **cursor,
    )

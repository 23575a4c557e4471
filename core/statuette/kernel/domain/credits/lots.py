"""Lots of one wallet: using them up, earliest expiry first, and ending those whose time has come.

Everything here expects the wallet's row to be locked by this transaction.
"""

from __future__ import annotations

from datetime import datetime

from statuette.kernel.db.database import Transaction
from statuette.kernel.domain.credits import repository
from statuette.kernel.domain.credits.errors import InsufficientCredits
from statuette.kernel.domain.credits.postings import TransferKind
from statuette.kernel.domain.credits.repository import LotRow, Part

SYSTEM = "system"
"""The actor of what the platform does by itself."""


async def usable(tx: Transaction, brand_id: str, account_id: str, now: datetime) -> list[LotRow]:
    """What may be spent at `now`, earliest expiry first. Lots due by then are ended on the way."""
    found = []
    for lot in await repository.filled_lots(tx, brand_id, account_id):
        if lot.expires_at is not None and lot.expires_at <= now:
            await _expire(tx, brand_id, account_id, lot)
        else:
            found.append(lot)
    return found


async def expire_due(tx: Transaction, brand_id: str, account_id: str, now: datetime) -> int:
    """End what is due; returns how many lots."""
    due = [
        lot
        for lot in await repository.filled_lots(tx, brand_id, account_id)
        if lot.expires_at is not None and lot.expires_at <= now
    ]
    for lot in due:
        await _expire(tx, brand_id, account_id, lot)
    return len(due)


async def end_all(tx: Transaction, brand_id: str, account_id: str) -> None:
    """End every lot now, whatever its own end is."""
    for lot in await repository.filled_lots(tx, brand_id, account_id):
        await _expire(tx, brand_id, account_id, lot)


async def take(tx: Transaction, lots: list[LotRow], amount: int, taker_id: str) -> None:
    """Use up `amount` of `lots` in their order and note it under `taker_id`. The wallet's balance is the caller's part.

    Raises:
        InsufficientCredits: nothing was taken.
    """
    available = sum(lot.remaining for lot in lots)
    if available < amount:
        raise InsufficientCredits(needed=amount, available=available)
    parts = []
    for lot in lots:
        if amount == 0:
            break
        part = Part(lot.id, min(lot.remaining, amount))
        amount -= part.amount
        await repository.move_lot(tx, part.lot_id, -part.amount)
        parts.append(part)
    await repository.add_parts(tx, taker_id, parts)


async def give_back(tx: Transaction, amount: int, taker_id: str) -> None:
    """Return `amount` of what `taker_id` took, latest expiry first: what is charged is what would have ended soonest."""
    for part in reversed(await repository.parts_of(tx, taker_id)):
        if amount == 0:
            return
        returned = Part(part.lot_id, min(part.amount, amount))
        amount -= returned.amount
        await repository.move_lot(tx, returned.lot_id, returned.amount)
        await repository.lessen_part(tx, taker_id, returned)


async def _expire(tx: Transaction, brand_id: str, account_id: str, lot: LotRow) -> None:
    # A lot ends once more when a hold gives back into it later: the number keeps the keys apart.
    number = 1
    while not await repository.add_transfer(
        tx,
        brand_id=brand_id,
        account_id=account_id,
        key=f"expire:{lot.id}:{number}",
        kind=TransferKind.expired,
        amount=lot.remaining,
        actor=SYSTEM,
        reference=lot.id,
    ):
        number += 1
    await repository.move_lot(tx, lot.id, -lot.remaining)
    await repository.move_balance(tx, brand_id, account_id, available=-lot.remaining)

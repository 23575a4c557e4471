"""Which accounts are synthetic: so that one that a drill left behind, killed perhaps, is erased by the next."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from statuette.errors import NotFound
from statuette.kernel.db.database import Transaction
from statuette.kernel.evidence import holders
from statuette.kernel.platform import Platform
from statuette.values import new_id

_PREFIX = "drill:"
# One that is younger may be a drill's that is under way.
_LEFT_AFTER = timedelta(hours=2)


class _Left(msgspec.Struct, frozen=True):
    id: str


class _Owner(msgspec.Struct, frozen=True):
    brand_id: str


async def mark(platform: Platform, account_id: str) -> None:
    """Remember that this account is nobody's. The mark goes when its erasure has been asked for, which goes on by itself."""
    async with platform.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO upkeep (id, at, detail) VALUES (:id, :now, 'synthetic') ON CONFLICT (id) DO NOTHING",
            id=_PREFIX + account_id,
            now=tx.now,
        )


async def unmark(platform: Platform, account_id: str) -> None:
    async with platform.database.transaction() as tx:
        await tx.execute("DELETE FROM upkeep WHERE id = :id", id=_PREFIX + account_id)


async def erase(platform: Platform, account_id: str) -> None:
    """Have a synthetic account go now, whatever state it is in. Idempotent; the scheduler does the rest."""
    brand_id = await platform.database.run(lambda tx: _brand_of(tx, account_id))
    if brand_id is not None:
        brand = await platform.brands.by_id(brand_id)

        async def close(tx: Transaction) -> None:
            try:
                await platform.requests.close_account(
                    tx,
                    brand,
                    account_id,
                    request_id=new_id("prq", tx.now),
                    due_at=tx.now,
                    token=holders.new_token(account_id),
                )
            except NotFound:
                return  # it is going already

        await platform.database.run(close)
    await unmark(platform, account_id)


async def erase_left(platform: Platform) -> int:
    """Have the accounts go that earlier drills left behind; returns how many."""
    async with platform.database.read() as reader:
        left = await reader.all(
            _Left,
            "SELECT id FROM upkeep WHERE id LIKE :prefix AND at < :before ORDER BY id",
            prefix=f"{_PREFIX}%",
            before=reader.now - _LEFT_AFTER,
        )
    for each in left:
        await erase(platform, each.id.removeprefix(_PREFIX))
    return len(left)


async def _brand_of(tx: Transaction, account_id: str) -> str | None:
    owner = await tx.one(_Owner, "SELECT brand_id FROM account WHERE id = :id", id=account_id)
    return None if owner is None else owner.brand_id

"""A ledger of one brand, each call a transaction of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.kernel.db.database import Database
from statuette.kernel.domain.credits import service
from statuette.kernel.domain.credits.verify import Discrepancy, verify
from statuette.kernel.domain.credits.views import Balance, HoldView, TransferView

BRAND = "brd_one"
ALICE = "acc_alice"
BOB = "acc_bob"
CAROL = "acc_carol"
STAFF = "mem_staff"


class Ledger:
    def __init__(self, database: Database) -> None:
        self.database = database

    async def open_wallets(self) -> None:
        async with self.database.transaction() as tx:
            for account_id in (ALICE, BOB, CAROL):
                await service.open_wallet(tx, BRAND, account_id)

    async def grant(
        self,
        amount: int,
        key: str,
        *,
        account_id: str = ALICE,
        expires_at: datetime | None = None,
        kind: Any = "granted",
        actor: str = STAFF,
    ) -> TransferView:
        async with self.database.transaction() as tx:
            return await service.grant(
                tx,
                brand_id=BRAND,
                account_id=account_id,
                amount=amount,
                key=key,
                actor=actor,
                expires_at=expires_at,
                kind=kind,
            )

    async def adjust(self, amount: int, key: str, *, account_id: str = ALICE) -> TransferView:
        async with self.database.transaction() as tx:
            return await service.adjust(tx, brand_id=BRAND, account_id=account_id, amount=amount, key=key, actor=STAFF)

    async def take_back(self, amount: int, key: str, *, account_id: str = ALICE, of: str | None = None) -> TransferView:
        async with self.database.transaction() as tx:
            return await service.take_back(
                tx, brand_id=BRAND, account_id=account_id, amount=amount, key=key, actor=STAFF, cause="rfd_1", of=of
            )

    async def hold(self, reference: str, amount: int, *, account_id: str = ALICE, brand_id: str = BRAND) -> HoldView:
        async with self.database.transaction() as tx:
            return await service.hold(tx, brand_id=brand_id, account_id=account_id, reference=reference, amount=amount)

    async def capture(self, reference: str, amount: int, *, brand_id: str = BRAND) -> HoldView:
        async with self.database.transaction() as tx:
            return await service.capture(tx, brand_id=brand_id, reference=reference, amount=amount)

    async def release(self, reference: str, *, brand_id: str = BRAND) -> HoldView:
        async with self.database.transaction() as tx:
            return await service.release(tx, brand_id=brand_id, reference=reference)

    async def expire_due(self, limit: int = 100) -> int:
        async with self.database.transaction() as tx:
            return await service.expire_due(tx, tx.now, limit)

    async def balance(self, account_id: str = ALICE, *, brand_id: str = BRAND) -> Balance:
        async with self.database.read() as reader:
            return await service.balance(reader, brand_id, account_id)

    async def history(
        self, account_id: str = ALICE, *, before: str | None = None, limit: int = 50
    ) -> list[TransferView]:
        async with self.database.read() as reader:
            return await service.history(reader, BRAND, account_id, before=before, limit=limit)

    async def verify(self, *, page: int = 3) -> list[Discrepancy]:
        """In small pages, so that every test crosses their borders."""
        async with self.database.read() as reader:
            return await verify(reader, page=page)

    async def tamper(self, sql: str, **parameters: Any) -> None:
        async with self.database.transaction() as tx:
            await tx.execute(sql, **parameters)

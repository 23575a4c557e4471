"""What the ledger should do, in memory and in as few words as possible. It shares no code with the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Lot:
    expires_at: datetime
    remaining: int


@dataclass
class Hold:
    account_id: str
    amount: int
    parts: list[tuple[Lot, int]]
    captured: int | None = None


@dataclass
class Model:
    """Lots are never swept: what has expired simply does not count, unless a hold has it."""

    lots: dict[str, list[Lot]]
    holds: dict[str, Hold] = field(default_factory=dict)
    debts: dict[str, int] = field(default_factory=dict)

    def available(self, account_id: str, now: datetime) -> int:
        return sum(lot.remaining for lot in self.lots[account_id] if lot.expires_at > now)

    def held(self, account_id: str) -> int:
        return sum(
            hold.amount for hold in self.holds.values() if hold.account_id == account_id and hold.captured is None
        )

    def expiring(self, account_id: str, now: datetime) -> list[tuple[int, datetime]]:
        ends: dict[datetime, int] = {}
        for lot in self.lots[account_id]:
            if lot.remaining and now < lot.expires_at < NEVER:
                ends[lot.expires_at] = ends.get(lot.expires_at, 0) + lot.remaining
        return [(amount, at) for at, amount in sorted(ends.items())]

    def take(self, account_id: str, amount: int, now: datetime) -> list[tuple[Lot, int]]:
        parts = []
        for lot in sorted(self.lots[account_id], key=lambda lot: lot.expires_at):
            if lot.expires_at > now and amount and lot.remaining:
                part = min(lot.remaining, amount)
                lot.remaining -= part
                amount -= part
                parts.append((lot, part))
        assert amount == 0
        return parts

    def bring(self, account_id: str, lot: Lot, now: datetime) -> None:
        self.lots[account_id].append(lot)
        self.repay(account_id, now)

    def take_back(self, account_id: str, amount: int, now: datetime) -> None:
        self.debts[account_id] = self.debts.get(account_id, 0) + amount
        self.repay(account_id, now)

    def repay(self, account_id: str, now: datetime) -> None:
        paid = min(self.debts.get(account_id, 0), self.available(account_id, now))
        if paid:
            self.take(account_id, paid, now)
            self.debts[account_id] -= paid

    def close(self, reference: str, captured: int, now: datetime) -> None:
        hold = self.holds[reference]
        hold.captured = captured
        back = hold.amount - captured
        for lot, part in reversed(hold.parts):
            returned = min(part, back)
            lot.remaining += returned
            back -= returned
        self.repay(hold.account_id, now)

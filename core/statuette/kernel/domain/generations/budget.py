"""A brand's daily ceiling on what providers cost: reserved before a call leaves, so that it cannot be passed."""

from __future__ import annotations

import msgspec

from statuette.errors import StatuetteError
from statuette.kernel.db.database import Transaction
from statuette.kernel.domain.generations.tables import CostDay
from statuette.kernel.work import findings

_WARN_AT_PERCENT = (50, 80, 100)


class DailyCeilingReached(StatuetteError):
    """The operator's money for today is spent or reserved. Retryable after midnight UTC."""

    code = "daily_ceiling_reached"
    retryable = True
    summary = "The site has reached its limit for today."


class _Day(msgspec.Struct, frozen=True):
    id: str
    reserved_micros: int
    spent_micros: int
    warned_percent: int


async def reserve(tx: Transaction, *, brand_id: str, day: str, currency: str, ceiling_micros: int, micros: int) -> None:
    """Set `micros` of today's ceiling aside. Raises `DailyCeilingReached`; then nothing is set aside."""
    day_id = f"{brand_id}:{day}"
    await tx.insert_new(
        CostDay,
        id=day_id,
        brand_id=brand_id,
        day=day,
        currency=currency,
        reserved_micros=0,
        spent_micros=0,
        warned_percent=0,
    )
    row = await tx.one(
        _Day,
        "UPDATE cost_day SET reserved_micros = reserved_micros + :micros WHERE id = :id"
        " AND reserved_micros + spent_micros + :micros <= :ceiling"
        " RETURNING id, reserved_micros, spent_micros, warned_percent",
        id=day_id,
        micros=micros,
        ceiling=ceiling_micros,
    )
    if row is None:
        raise DailyCeilingReached()
    await _warn(tx, brand_id, row, ceiling_micros)


def settle(tx: Transaction, *, brand_id: str, day: str, reserved_micros: int, spent_micros: int) -> None:
    """Turn a reservation into what was really spent (0: give it back), at the end: all of a brand's jobs write this row."""
    if reserved_micros or spent_micros:
        tx.at_end(
            lambda: tx.execute(
                "UPDATE cost_day SET reserved_micros = reserved_micros - :reserved, spent_micros = spent_micros + :spent"
                " WHERE id = :id",
                id=f"{brand_id}:{day}",
                reserved=reserved_micros,
                spent=spent_micros,
            )
        )


async def _warn(tx: Transaction, brand_id: str, day: _Day, ceiling_micros: int) -> None:
    used_percent = 100 * (day.reserved_micros + day.spent_micros) // max(1, ceiling_micros)
    passed = max((mark for mark in _WARN_AT_PERCENT if used_percent >= mark), default=0)
    if passed <= day.warned_percent:
        return
    await tx.execute("UPDATE cost_day SET warned_percent = :passed WHERE id = :id", id=day.id, passed=passed)
    await findings.raise_finding(
        tx, code="daily_ceiling_near", subject=day.id, detail=f"{passed}_percent", brand_id=brand_id
    )

"""What must be true of the ledger, one statement a truth. Each returns a row for every exception.

A statement sees one moment of the database, so a check of a live ledger never mixes two; `:after` and `:upto` bound the ids
of the page it looks at. Every row has `code`, `brand_id`, `subject` (an id), `expected` and `found`.
"""

from __future__ import annotations

from statuette.kernel.domain.credits.postings import ROUTES


def _case(sides: dict[str, str]) -> str:
    """SQL for the ledger account that a transfer's kind names, `{}` standing for its account's id."""
    whens = (
        f"WHEN '{kind}' THEN " + (f"'{side[:-2]}' || t.account_id" if side.endswith("{}") else f"'{side}'")
        for kind, side in sides.items()
    )
    return f"CASE t.kind {' '.join(whens)} END"


_SOURCE = _case({kind.value: route.source for kind, route in ROUTES.items()})
_TARGET = _case({kind.value: route.target for kind, route in ROUTES.items()})

_LEGS = (
    "(SELECT t.brand_id, t.id AS subject, COUNT(e.id) AS legs, CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) AS total,"
    " SUM(CASE WHEN e.brand_id = t.brand_id AND ("
    f"(e.ledger_account = {_SOURCE} AND e.amount = -t.amount)"
    f" OR (e.ledger_account = {_TARGET} AND e.amount = t.amount)) THEN 1 ELSE 0 END) AS proper"
    " FROM ledger_transfer t LEFT JOIN ledger_entry e ON e.transfer_id = t.id"
    " WHERE t.id > :after AND t.id <= :upto GROUP BY t.brand_id, t.id) legs"
)

_TRANSFERS = (
    f"SELECT 'transfer_legs' AS code, brand_id, subject, 2 AS expected, legs AS found FROM {_LEGS} WHERE legs <> 2",
    f"SELECT 'transfer_unbalanced' AS code, brand_id, subject, 0 AS expected, total AS found FROM {_LEGS} WHERE total <> 0",
    f"SELECT 'transfer_misposted' AS code, brand_id, subject, 2 AS expected, proper AS found FROM {_LEGS} WHERE proper <> 2",
    "SELECT 'transfer_amount' AS code, brand_id, id AS subject, CASE amount WHEN 0 THEN 1 ELSE ABS(amount) END AS expected,"
    " amount AS found FROM ledger_transfer WHERE id > :after AND id <= :upto"
    " AND (amount = 0 OR (amount < 0 AND kind <> 'adjusted'))",
    "SELECT 'transfer_lot' AS code, t.brand_id, t.id AS subject, t.amount AS expected, COALESCE(l.amount, 0) AS found"
    " FROM ledger_transfer t LEFT JOIN credit_lot l"
    " ON l.id = t.reference AND l.account_id = t.account_id AND l.brand_id = t.brand_id"
    " WHERE t.id > :after AND t.id <= :upto AND ((t.kind = 'expired' AND l.id IS NULL)"
    " OR ((t.kind IN ('granted', 'purchased', 'returned') OR (t.kind = 'adjusted' AND t.amount > 0))"
    " AND (l.id IS NULL OR l.kind <> t.kind OR l.amount <> t.amount)))",
    "SELECT 'transfer_hold' AS code, t.brand_id, t.id AS subject, 1 AS expected, 0 AS found"
    " FROM ledger_transfer t LEFT JOIN credit_hold h"
    " ON h.reference = t.reference AND h.account_id = t.account_id AND h.brand_id = t.brand_id"
    " WHERE t.id > :after AND t.id <= :upto AND t.kind IN ('held', 'captured', 'released') AND h.id IS NULL",
    "SELECT 'transfer_parts' AS code, brand_id, id AS subject, taken AS expected, found FROM ("
    "SELECT t.brand_id, t.id, ABS(t.amount) AS taken, CAST(COALESCE((SELECT SUM(p.amount) FROM credit_hold_lot p"
    " WHERE p.hold_id = t.id), 0) AS BIGINT) AS found FROM ledger_transfer t"
    " WHERE t.id > :after AND t.id <= :upto AND (t.kind = 'repaid' OR (t.kind = 'adjusted' AND t.amount < 0))) parts"
    " WHERE found <> taken",
    "SELECT DISTINCT 'wallet_missing' AS code, t.brand_id, t.account_id AS subject, 1 AS expected, 0 AS found"
    " FROM ledger_transfer t LEFT JOIN wallet w ON w.account_id = t.account_id AND w.brand_id = t.brand_id"
    " WHERE t.id > :after AND t.id <= :upto AND w.account_id IS NULL",
)

_ENTRIES = (
    "SELECT 'entry_orphan' AS code, e.brand_id, e.id AS subject, 1 AS expected, 0 AS found"
    " FROM ledger_entry e LEFT JOIN ledger_transfer t ON t.id = e.transfer_id"
    " WHERE e.id > :after AND e.id <= :upto AND t.id IS NULL",
)


def _wallet_sum(code: str, column: str, total: str, *, wallet_is_right: bool) -> str:
    """A wallet's column against the sum that `total` selects, `w` being the wallet."""
    expected, found = (column, "total") if wallet_is_right else ("total", column)
    return (
        f"SELECT '{code}' AS code, brand_id, account_id AS subject, {expected} AS expected, {found} AS found FROM ("
        f"SELECT w.brand_id, w.account_id, w.{column}, CAST(COALESCE(({total}), 0) AS BIGINT) AS total FROM wallet w"
        f" WHERE w.account_id > :after AND w.account_id <= :upto) summed WHERE {column} <> total"
    )


_WALLETS = (
    _wallet_sum(
        "wallet_available",
        "available",
        "SELECT SUM(e.amount) FROM ledger_entry e"
        " WHERE e.ledger_account = 'wallet:' || w.account_id AND e.brand_id = w.brand_id",
        wallet_is_right=False,
    ),
    _wallet_sum(
        "wallet_held",
        "held",
        "SELECT SUM(e.amount) FROM ledger_entry e"
        " WHERE e.ledger_account = 'held:' || w.account_id AND e.brand_id = w.brand_id",
        wallet_is_right=False,
    ),
    _wallet_sum(
        "wallet_debt",
        "debt",
        "SELECT -SUM(e.amount) FROM ledger_entry e"
        " WHERE e.ledger_account = 'debt:' || w.account_id AND e.brand_id = w.brand_id",
        wallet_is_right=False,
    ),
    _wallet_sum(
        "wallet_lots",
        "available",
        "SELECT SUM(l.remaining) FROM credit_lot l WHERE l.account_id = w.account_id AND l.brand_id = w.brand_id",
        wallet_is_right=True,
    ),
    _wallet_sum(
        "wallet_holds",
        "held",
        "SELECT SUM(h.amount) FROM credit_hold h"
        " WHERE h.account_id = w.account_id AND h.brand_id = w.brand_id AND h.state = 'open'",
        wallet_is_right=True,
    ),
    "SELECT 'wallet_negative' AS code, brand_id, account_id AS subject, 0 AS expected,"
    " CASE WHEN available < 0 THEN available WHEN held < 0 THEN held ELSE debt END AS found FROM wallet"
    " WHERE account_id > :after AND account_id <= :upto AND (available < 0 OR held < 0 OR debt < 0)",
)

_LOTS = (
    "SELECT 'lot_negative' AS code, brand_id, id AS subject, 0 AS expected, remaining AS found FROM credit_lot"
    " WHERE id > :after AND id <= :upto AND remaining < 0",
    # What came in is there still, was taken by a hold, a repayment or an adjustment, or has expired.
    "SELECT 'lot_remaining' AS code, brand_id, id AS subject, amount - taken - expired AS expected, remaining AS found FROM ("
    "SELECT l.brand_id, l.id, l.amount, l.remaining,"
    " CAST(COALESCE((SELECT SUM(p.amount) FROM credit_hold_lot p WHERE p.lot_id = l.id), 0) AS BIGINT) AS taken,"
    " CAST(COALESCE((SELECT SUM(t.amount) FROM ledger_transfer t WHERE t.account_id = l.account_id"
    " AND t.reference = l.id AND t.kind = 'expired'), 0) AS BIGINT) AS expired"
    " FROM credit_lot l WHERE l.id > :after AND l.id <= :upto) used WHERE remaining <> amount - taken - expired",
    "SELECT 'lot_orphan' AS code, l.brand_id, l.id AS subject, 1 AS expected, 0 AS found"
    " FROM credit_lot l WHERE l.id > :after AND l.id <= :upto AND NOT EXISTS (SELECT 1 FROM ledger_transfer t"
    " WHERE t.account_id = l.account_id AND t.reference = l.id AND t.kind = l.kind)",
    "SELECT DISTINCT 'wallet_missing' AS code, l.brand_id, l.account_id AS subject, 1 AS expected, 0 AS found"
    " FROM credit_lot l LEFT JOIN wallet w ON w.account_id = l.account_id AND w.brand_id = l.brand_id"
    " WHERE l.id > :after AND l.id <= :upto AND w.account_id IS NULL",
)


def _hold_transfer(code: str, prefix: str, kind: str, should_be: str) -> str:
    """A hold's transfer of one kind, found by its key, against what the hold itself says."""
    return (
        f"SELECT '{code}' AS code, brand_id, id AS subject, expected, found FROM ("
        f"SELECT h.brand_id, h.id, {should_be} AS expected, CAST(COALESCE((SELECT SUM(t.amount) FROM ledger_transfer t"
        f" WHERE t.brand_id = h.brand_id AND t.transfer_key = '{prefix}:' || h.reference AND t.kind = '{kind}'"
        " AND t.account_id = h.account_id), 0) AS BIGINT) AS found"
        " FROM credit_hold h WHERE h.id > :after AND h.id <= :upto) moved WHERE expected <> found"
    )


_HOLDS = (
    _hold_transfer("hold_held", "hold", "held", "h.amount"),
    _hold_transfer("hold_captured", "capture", "captured", "h.captured"),
    _hold_transfer(
        "hold_released", "release", "released", "CASE h.state WHEN 'open' THEN 0 ELSE h.amount - h.captured END"
    ),
    "SELECT 'hold_parts' AS code, brand_id, id AS subject, expected, found FROM ("
    "SELECT h.brand_id, h.id, CASE h.state WHEN 'open' THEN h.amount ELSE h.captured END AS expected,"
    " CAST(COALESCE((SELECT SUM(p.amount) FROM credit_hold_lot p WHERE p.hold_id = h.id), 0) AS BIGINT) AS found"
    " FROM credit_hold h WHERE h.id > :after AND h.id <= :upto) taken WHERE expected <> found",
    "SELECT 'hold_state' AS code, brand_id, id AS subject, 1 AS expected, 0 AS found FROM credit_hold"
    " WHERE id > :after AND id <= :upto AND NOT ("
    "(state = 'open' AND captured = 0 AND closed_at IS NULL AND amount >= 0)"
    " OR (state = 'captured' AND captured >= 0 AND captured <= amount AND closed_at IS NOT NULL)"
    " OR (state = 'released' AND captured = 0 AND amount >= 0 AND closed_at IS NOT NULL))",
    "SELECT DISTINCT 'wallet_missing' AS code, h.brand_id, h.account_id AS subject, 1 AS expected, 0 AS found"
    " FROM credit_hold h LEFT JOIN wallet w ON w.account_id = h.account_id AND w.brand_id = h.brand_id"
    " WHERE h.id > :after AND h.id <= :upto AND w.account_id IS NULL",
)

_PARTS = (
    "SELECT 'part_amount' AS code, COALESCE(l.brand_id, '') AS brand_id, p.id AS subject, 1 AS expected, p.amount AS found"
    " FROM credit_hold_lot p LEFT JOIN credit_lot l ON l.id = p.lot_id"
    " WHERE p.id > :after AND p.id <= :upto AND p.amount <= 0",
    "SELECT 'part_orphan' AS code, COALESCE(l.brand_id, '') AS brand_id, p.id AS subject, 1 AS expected, 0 AS found"
    " FROM credit_hold_lot p LEFT JOIN credit_lot l ON l.id = p.lot_id"
    " LEFT JOIN credit_hold h ON h.id = p.hold_id"
    " LEFT JOIN ledger_transfer t ON t.id = p.hold_id AND t.kind IN ('adjusted', 'repaid')"
    " WHERE p.id > :after AND p.id <= :upto AND (l.id IS NULL"
    " OR COALESCE(h.account_id, t.account_id, '') <> l.account_id OR COALESCE(h.brand_id, t.brand_id, '') <> l.brand_id)",
)

PAGED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ledger_transfer", "id", _TRANSFERS),
    ("ledger_entry", "id", _ENTRIES),
    ("wallet", "account_id", _WALLETS),
    ("credit_lot", "id", _LOTS),
    ("credit_hold", "id", _HOLDS),
    ("credit_hold_lot", "id", _PARTS),
)
"""Each table, its key, and the checks that walk it."""

EQUATION = (
    "SELECT 'brand_equation' AS code, brand_id, brand_id AS subject, expected, found FROM ("
    "SELECT brand_id, CAST(SUM(came) AS BIGINT) AS expected, CAST(SUM(there) AS BIGINT) AS found FROM ("
    "SELECT brand_id, SUM(CASE WHEN kind IN ('purchased', 'granted', 'adjusted', 'returned') THEN amount"
    " WHEN kind IN ('expired', 'captured', 'refunded') THEN -amount ELSE 0 END) AS came, 0 AS there"
    " FROM ledger_transfer GROUP BY brand_id"
    " UNION ALL SELECT brand_id, 0 AS came, SUM(available + held - debt) AS there FROM wallet GROUP BY brand_id"
    ") sides GROUP BY brand_id) sums WHERE expected <> found"
)
"""purchased + granted - refunded - expired - captured ± adjusted = wallets + held - debts, for each brand.

What was refunded is counted without what returned of it.
"""

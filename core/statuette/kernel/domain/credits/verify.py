"""Checking the whole ledger, page by page, without stopping it."""

from __future__ import annotations

import msgspec

from statuette.kernel.db.database import Reader
from statuette.kernel.domain.credits.checks import EQUATION, PAGED

_PAGE = 2_000


class Discrepancy(msgspec.Struct, frozen=True, order=True):
    """Something in the ledger that cannot be.

    Attributes:
        code: which truth is broken, such as `wallet_lots`.
        subject: the id of the transfer, entry, lot, hold or part, of the account for a wallet, or of the brand.
        expected: credits, or a count of rows.
    """

    code: str
    brand_id: str
    subject: str
    expected: int
    found: int


async def verify(reader: Reader, *, page: int = _PAGE) -> list[Discrepancy]:
    """Everything that is wrong with the ledger of every brand; empty when it is sound.

    Args:
        page: rows looked at by one statement; bounds its time, not the result.
    """
    found = set(await reader.all(Discrepancy, EQUATION))
    for table, key, checks in PAGED:
        after = ""
        while (upto := await _page_end(reader, table, key, after, page)) is not None:
            for check in checks:
                found.update(await reader.all(Discrepancy, check, after=after, upto=upto))
            after = upto
    return sorted(found)


async def _page_end(reader: Reader, table: str, key: str, after: str, page: int) -> str | None:
    end: str | None = await reader.value(
        f"SELECT MAX(id) AS id FROM (SELECT {key} AS id FROM {table} WHERE {key} > :after ORDER BY {key} LIMIT :page) p",
        after=after,
        page=page,
    )
    return end

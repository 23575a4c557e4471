"""The dataset of news: a brand's own words, which concern nobody in particular. Whom they went to is not kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, TableColumns, Transaction


class NewsHandler:
    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        return None

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return []


_COLUMNS = ("id", "brand_id", "texts", "created_by", "created_at", "upto", "prepared", "prepared_at")

DATASET = Dataset(
    name="news_letters",
    title="News by mail, as brands wrote it",
    tables=(TableColumns("news_letter", dict.fromkeys(_COLUMNS, "operational")),),
    handler=NewsHandler(),
)

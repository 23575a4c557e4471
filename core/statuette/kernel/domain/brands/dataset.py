"""The dataset of brands: the operator's own settings and keys, nothing of a visitor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, TableColumns, Transaction


class _OperatorsOwn:
    """Brands end when their operator says so, not by a rule."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None: ...

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return []


DATASET = Dataset(
    name="brands",
    title="Brands and their keys",
    tables=(
        TableColumns(
            "brand",
            dict.fromkeys(("id", "slug", "mode", "config", "config_digest", "created_at", "updated_at"), "operational"),
        ),
        TableColumns("brand_host", {"host": "operational", "brand_id": "operational"}),
        TableColumns(
            "api_key",
            dict.fromkeys(
                ("id", "brand_id", "kind", "label", "ending", "scopes", "created_at", "revoked_at", "role"),
                "operational",
            )
            | {"token_hash": "credential"},
        ),
    ),
    handler=_OperatorsOwn(),
)

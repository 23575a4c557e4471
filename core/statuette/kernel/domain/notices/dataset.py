"""The datasets of published policies and of the letters about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, OfAccount, TableColumns, Transaction
from statuette.kernel.domain.notices import repository


class NoticeHandler:
    """Letters end with their account."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return Closure() if await repository.notice_exists(tx, record_id) else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await repository.delete_notice(tx, record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return await repository.of_account(tx, account_id)


class VersionHandler:
    """Published versions concern nobody in particular, and stay."""

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


async def _erase(tx: Transaction, account_id: str, pseudonym: str, limit: int) -> int:
    return await repository.delete_of_account(tx, account_id)


_VERSION_COLUMNS = (
    *("id", "brand_id", "number", "digest", "body", "notices", "change", "changes", "asks", "receivers"),
    *("approved_by", "published_at", "effective_at", "announced_upto", "announced_at"),
)

NOTICES = Dataset(
    name="policy_notices",
    title="Letters about changes of the privacy policy",
    tables=(
        TableColumns(
            "policy_notice",
            {
                "id": "consent_record",
                "brand_id": "operational",
                "account_id": "consent_record",
                "version_id": "operational",
                "state": "consent_record",
                "created_at": "consent_record",
                "ended_at": "consent_record",
            },
        ),
    ),
    handler=NoticeHandler(),
    ended_by=("account.erase",),
    of_account=OfAccount("policy_notice", erase=_erase),
)

VERSIONS = Dataset(
    name="policy_versions",
    title="Published versions of the privacy policy",
    tables=(TableColumns("policy_version", dict.fromkeys(_VERSION_COLUMNS, "operational")),),
    handler=VersionHandler(),
)

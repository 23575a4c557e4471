"""The dataset of questions: what one is made of, and how it ends with everything attached."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from statuette.dataset import Closure, Dataset, File, OfAccount, TableColumns, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.support import copies, repository, service
from statuette.kernel.domain.support.places import file_name, object_key, object_prefix
from statuette.policy import Trigger


class SupportHandler:
    """Questions end by deadline. What somebody without an account wrote is sealed with a key of its own, which goes with it."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        place = await repository.place(tx, record_id)
        if place is None:
            return None
        return Closure(
            (object_prefix(place["brand_id"], record_id),),
            keys=(record_id,) if place["account_id"] is None else (),
            being_written=place["state"] == "receiving",
        )

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await repository.delete(tx, record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        questions = [
            {"record": "question", **row, "subject": await self._opened(account_id, "subject", row["subject"])}
            for row in await copies.exported(tx, account_id)
        ]
        entries = [
            {"record": "entry", **row, "text": await self._opened(account_id, "text", row["text"])}
            for row in await copies.exported_entries(tx, account_id)
        ]
        attachments = [{"record": "attachment", **row} for row in await copies.exported_attachments(tx, account_id)]
        return [*questions, *entries, *attachments]

    async def _opened(self, account_id: str, field: str, sealed: object) -> str | None:
        return await self._cipher.open(account_id, field, cast(bytes, sealed)) if sealed is not None else None


async def _files(tx: Transaction, account_id: str, after: str, limit: int) -> list[File]:
    return [
        File(
            row["id"],
            object_key(row["brand_id"], row["question_id"], row["id"], row["media_type"]),
            f"support/{file_name(row['id'], row['media_type'])}",
        )
        for row in await copies.attachments_of_account(tx, account_id, after, limit)
    ]


def dataset(cipher: FieldCipher) -> Dataset:
    return Dataset(
        name=service.DATASET,
        title="Questions you asked us",
        tables=(
            TableColumns(
                "support_question",
                {
                    "id": "correspondence",
                    "brand_id": "operational",
                    "account_id": "correspondence",
                    "state": "correspondence",
                    "category": "correspondence",
                    "contact": "email",
                    "subject": "correspondence",
                    "locale": "correspondence",
                    "token_hash": "credential",
                    "attachments": "correspondence",
                    "closes_at": "correspondence",
                    "closed_at": "correspondence",
                    "created_at": "correspondence",
                },
            ),
            TableColumns(
                "support_entry",
                {
                    "id": "correspondence",
                    "brand_id": "operational",
                    "question_id": "correspondence",
                    "number": "operational",
                    "action": "correspondence",
                    "actor": "operational",
                    "text": "correspondence",
                    "created_at": "correspondence",
                },
            ),
            TableColumns(
                "support_attachment",
                {
                    "id": "correspondence",
                    "brand_id": "operational",
                    "question_id": "correspondence",
                    "media_type": "correspondence",
                    "size_bytes": "correspondence",
                    "sha256": "correspondence",
                    "created_at": "correspondence",
                },
            ),
        ),
        object_prefixes=("support/{brand_id}/{id}/",),
        ended_by=(*service.RULES, "account.erase"),
        arms=(Trigger.created, Trigger.closed),
        handler=SupportHandler(cipher),
        stored=copies.stored,
        files=_files,
        of_account=OfAccount("support_question", rule="support.asked"),
    )

"""SQL of what is walked: an account's questions for its copy, and a brand's for the comparison with the object store."""

from __future__ import annotations

from typing import Any

from statuette.dataset import Transaction


async def stored(tx: Transaction, brand_id: str, after: str, limit: int) -> list[str]:
    """Ids of questions with objects, in order."""
    rows = await tx.rows(
        "SELECT id FROM support_question WHERE brand_id = :brand_id AND id > :after AND attachments > 0"
        " ORDER BY id LIMIT :limit",
        brand_id=brand_id,
        after=after,
        limit=limit,
    )
    return [row["id"] for row in rows]


async def attachments_of_account(tx: Transaction, account_id: str, after: str, limit: int) -> list[dict[str, Any]]:
    """In order of their ids."""
    return await tx.rows(
        "SELECT a.id, a.brand_id, a.question_id, a.media_type FROM support_question q JOIN support_attachment a"
        " ON a.question_id = q.id WHERE q.account_id = :account_id AND a.id > :after ORDER BY a.id LIMIT :limit",
        account_id=account_id,
        after=after,
        limit=limit,
    )


async def exported(tx: Transaction, account_id: str) -> list[dict[str, Any]]:
    return await tx.rows(
        "SELECT id, state, category, subject, locale, attachments, closes_at, closed_at, created_at FROM support_question"
        " WHERE account_id = :account_id AND state <> 'receiving' ORDER BY id",
        account_id=account_id,
    )


async def exported_entries(tx: Transaction, account_id: str) -> list[dict[str, Any]]:
    return await tx.rows(
        "SELECT e.id, e.question_id, e.action, e.text, e.created_at FROM support_question q JOIN support_entry e"
        " ON e.question_id = q.id WHERE q.account_id = :account_id ORDER BY e.question_id, e.number",
        account_id=account_id,
    )


async def exported_attachments(tx: Transaction, account_id: str) -> list[dict[str, Any]]:
    return await tx.rows(
        "SELECT a.id, a.question_id, a.media_type, a.size_bytes, a.sha256, a.created_at FROM support_question q"
        " JOIN support_attachment a ON a.question_id = q.id WHERE q.account_id = :account_id ORDER BY a.id",
        account_id=account_id,
    )

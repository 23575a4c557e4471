"""What jobs, their inputs, attempts, costs, events and stream tickets are made of, and how they end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from statuette.dataset import Closure, Dataset, OfAccount, TableColumns, Transaction


class _Jobs:
    """Jobs live as long as their account."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return Closure() if await tx.rows("SELECT id FROM generation WHERE id = :id", id=record_id) else None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return not await tx.rows("SELECT id FROM generation WHERE id = :id AND finished_at IS NULL", id=record_id)

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await tx.execute("DELETE FROM generation_event WHERE generation_id = :id", id=record_id)
        await tx.execute("DELETE FROM generation_input WHERE generation_id = :id", id=record_id)
        await tx.execute("DELETE FROM attempt WHERE generation_id = :id", id=record_id)
        await tx.execute("DELETE FROM generation WHERE id = :id", id=record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return 0

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return [{"record": kind, **row} for kind, sql in _EXPORTED for row in await tx.rows(sql, account_id=account_id)]


_EXPORTED = (
    (
        "job",
        "SELECT id, state, reason, style, style_version, variables, aspect_ratio, picture_count, subject_count, parent_id,"
        " notify, credits_each, credits_captured, created_at, started_at, finished_at FROM generation"
        " WHERE account_id = :account_id ORDER BY id",
    ),
    (
        "input",
        "SELECT i.id, i.generation_id, i.role, i.upload_id, i.figurine_id FROM generation g"
        " JOIN generation_input i ON i.generation_id = g.id WHERE g.account_id = :account_id ORDER BY i.id",
    ),
    (
        "attempt",
        "SELECT a.id, a.generation_id, a.provider, a.model, a.handle, a.outcome, a.reason, a.started_at, a.finished_at"
        " FROM generation g JOIN attempt a ON a.generation_id = g.id WHERE g.account_id = :account_id ORDER BY a.id",
    ),
    (
        "event",
        "SELECT e.id, e.generation_id, e.type, e.data, e.created_at FROM generation g"
        " JOIN generation_event e ON e.generation_id = g.id WHERE g.account_id = :account_id ORDER BY e.id",
    ),
)


async def _erase_jobs(tx: Transaction, account_id: str, pseudonym: str, limit: int) -> int:
    """Jobs that are over. One whose call may still be under way is waited for: its cost has to be booked first."""
    rows = await tx.rows(
        "SELECT id FROM generation WHERE account_id = :account_id ORDER BY id LIMIT :limit",
        account_id=account_id,
        limit=limit,
    )
    for row in rows:
        if not await tx.rows(_UNDER_WAY, id=row["id"]):
            await JOBS.handler.erase(tx, row["id"])
    return len(rows)


async def _erase_tickets(tx: Transaction, account_id: str, pseudonym: str, limit: int) -> int:
    return len(
        await tx.rows(
            "DELETE FROM stream_ticket WHERE account_id = :account_id RETURNING token_hash", account_id=account_id
        )
    )


class _Tickets:
    """A stream, swept by age."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        return None

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        return True

    async def erase(self, tx: Transaction, record_id: str) -> None:
        await tx.execute("DELETE FROM stream_ticket WHERE token_hash = :id", id=record_id)

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        return len(
            await tx.rows(
                "DELETE FROM stream_ticket WHERE token_hash IN (SELECT token_hash FROM stream_ticket"
                " WHERE created_at <= :older_than ORDER BY created_at LIMIT :limit) RETURNING token_hash",
                older_than=older_than,
                limit=limit,
            )
        )

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        return []  # tickets are credentials, gone within the hour


_UNDER_WAY = (
    "SELECT id FROM generation WHERE id = :id AND finished_at IS NULL"
    " UNION ALL SELECT id FROM attempt WHERE generation_id = :id AND finished_at IS NULL"
)
_RECORD = "job_record"
_OPERATIONAL = "operational"

JOBS = Dataset(
    name="generations",
    title="Jobs",
    tables=(
        TableColumns(
            "generation",
            {
                "id": _RECORD,
                "brand_id": _OPERATIONAL,
                "account_id": _RECORD,
                "state": _RECORD,
                "reason": _RECORD,
                "style": "style_choices",
                "style_version": "style_choices",
                "variables": "prompt_variables",
                "aspect_ratio": "style_choices",
                "picture_count": _RECORD,
                "subject_count": "style_choices",
                "parent_id": _RECORD,
                "notify": _RECORD,
                "models": _OPERATIONAL,
                "model_index": _OPERATIONAL,
                "credits_each": "ledger_record",
                "credits_captured": "ledger_record",
                "retries": _OPERATIONAL,
                "reserved_micros": _OPERATIONAL,
                "reserved_day": _OPERATIONAL,
                "currency": _OPERATIONAL,
                "policy_digest": _OPERATIONAL,
                "created_at": _RECORD,
                "started_at": _RECORD,
                "finished_at": _RECORD,
                "expires_at": _OPERATIONAL,
            },
        ),
        TableColumns(
            "generation_input",
            {
                "id": _RECORD,
                "brand_id": _OPERATIONAL,
                "generation_id": _RECORD,
                "position": _OPERATIONAL,
                "role": _RECORD,
                "upload_id": _RECORD,
                "figurine_id": _RECORD,
            },
        ),
        TableColumns(
            "attempt",
            {
                "id": _RECORD,
                "brand_id": _OPERATIONAL,
                "generation_id": _RECORD,
                "number": _OPERATIONAL,
                "provider": _OPERATIONAL,
                "model": _OPERATIONAL,
                "state": _OPERATIONAL,
                "handle": _RECORD,
                "outcome": _RECORD,
                "reason": _RECORD,
                "input_tokens": _OPERATIONAL,
                "output_tokens": _OPERATIONAL,
                "reserved_micros": _OPERATIONAL,
                "cost_micros": _OPERATIONAL,
                "currency": _OPERATIONAL,
                "started_at": _RECORD,
                "finished_at": _RECORD,
            },
        ),
        TableColumns(
            "generation_event",
            {
                "id": _RECORD,
                "brand_id": _OPERATIONAL,
                "generation_id": _RECORD,
                "seq": _OPERATIONAL,
                "type": _RECORD,
                "data": _RECORD,
                "created_at": _RECORD,
            },
        ),
    ),
    ended_by=("account.erase",),
    handler=_Jobs(),
    of_account=OfAccount("generation", erase=_erase_jobs),
)

TICKETS = Dataset(
    name="stream_tickets",
    title="Tickets for following a job live",
    tables=(
        TableColumns(
            "stream_ticket",
            {
                "token_hash": "credential",
                "brand_id": _OPERATIONAL,
                "account_id": _RECORD,
                "generation_id": _RECORD,
                "created_at": _OPERATIONAL,
                "expires_at": _OPERATIONAL,
            },
        ),
    ),
    ended_by=("stream_ticket.keep", "account.erase"),
    handler=_Tickets(),
    of_account=OfAccount("stream_ticket", erase=_erase_tickets),
)

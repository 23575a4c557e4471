"""SQL of jobs, their inputs and attempts."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of

VARIABLES = msgspec.json.Decoder(dict[str, str])
_MODELS = msgspec.json.Decoder(list[str])
_UNFINISHED = "state IN ('queued', 'running', 'waiting')"


class GenerationRow(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    account_id: str
    state: str
    reason: str | None
    style: str
    style_version: int
    variables: str
    aspect_ratio: str
    picture_count: int
    subject_count: int
    parent_id: str | None
    notify: bool
    models: str
    model_index: int
    credits_each: int
    credits_captured: int
    retries: int
    reserved_micros: int
    reserved_day: str
    currency: str
    policy_digest: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime

    def model_list(self) -> list[str]:
        return _MODELS.decode(self.models)

    def variable_map(self) -> dict[str, str]:
        return VARIABLES.decode(self.variables)


_COLUMNS = columns_of(GenerationRow)


class InputRow(msgspec.Struct, frozen=True):
    generation_id: str
    position: int
    role: str
    upload_id: str | None
    figurine_id: str | None


class AttemptRow(msgspec.Struct, frozen=True):
    id: str
    number: int
    provider: str
    model: str
    state: str
    handle: str | None
    outcome: str | None
    reason: str | None
    reserved_micros: int
    cost_micros: int | None
    currency: str
    started_at: datetime
    finished_at: datetime | None


async def get(reader: Reader, brand_id: str, account_id: str | None, generation_id: str) -> GenerationRow | None:
    """With `account_id` None: for operators of the brand and for workers."""
    owner = "" if account_id is None else " AND account_id = :account_id"
    parameters = {} if account_id is None else {"account_id": account_id}
    return await reader.one(
        GenerationRow,
        f"SELECT {_COLUMNS} FROM generation WHERE id = :id AND brand_id = :brand_id{owner}",
        id=generation_id,
        brand_id=brand_id,
        **parameters,
    )


async def by_id(reader: Reader, generation_id: str) -> GenerationRow | None:
    """For workers, which are handed an id and nothing else."""
    return await reader.one(GenerationRow, f"SELECT {_COLUMNS} FROM generation WHERE id = :id", id=generation_id)


async def inputs(reader: Reader, generation_id: str) -> list[InputRow]:
    return await reader.all(
        InputRow,
        "SELECT generation_id, position, role, upload_id, figurine_id FROM generation_input"
        " WHERE generation_id = :generation_id ORDER BY position",
        generation_id=generation_id,
    )


async def inputs_to_send(reader: Reader, generation_id: str) -> list[InputRow]:
    """None, once a provider has queued the job: it has them."""
    return await reader.all(
        InputRow,
        "SELECT generation_id, position, role, upload_id, figurine_id FROM generation_input i"
        " WHERE generation_id = :generation_id AND NOT EXISTS"
        " (SELECT 1 FROM attempt a WHERE a.generation_id = i.generation_id AND a.state = 'accepted') ORDER BY position",
        generation_id=generation_id,
    )


async def attempts(reader: Reader, generation_id: str) -> list[AttemptRow]:
    return await reader.all(
        AttemptRow,
        "SELECT id, number, provider, model, state, handle, outcome, reason, reserved_micros, cost_micros, currency,"
        " started_at, finished_at FROM attempt WHERE generation_id = :generation_id ORDER BY number",
        generation_id=generation_id,
    )


async def lock(tx: Transaction, generation_id: str) -> GenerationRow:
    """The job, ended or not, locked until the transaction ends."""
    job = await tx.one(
        GenerationRow, f"SELECT {_COLUMNS} FROM generation WHERE id = :id{tx.for_update}", id=generation_id
    )
    assert job is not None, "jobs are not deleted while work is done on them"
    return job


async def lock_by_attempt(tx: Transaction, attempt_id: str) -> GenerationRow | None:
    """The job of an attempt, ended or not, locked until the transaction ends."""
    return await tx.one(
        GenerationRow,
        f"SELECT {_COLUMNS} FROM generation WHERE id = (SELECT generation_id FROM attempt WHERE id = :id){tx.for_update}",
        id=attempt_id,
    )


async def lock_unfinished(tx: Transaction, generation_id: str) -> GenerationRow | None:
    """The job, locked until the transaction ends; None when it has ended."""
    return await tx.one(
        GenerationRow,
        f"SELECT {_COLUMNS} FROM generation WHERE id = :id AND {_UNFINISHED}{tx.for_update}",
        id=generation_id,
    )


async def is_unfinished(reader: Reader, generation_id: str) -> bool:
    return bool(await reader.rows(f"SELECT id FROM generation WHERE id = :id AND {_UNFINISHED}", id=generation_id))


async def lock_unfinished_using(tx: Transaction, upload_id: str) -> list[GenerationRow]:
    """Jobs that use the upload and have not ended, locked, in an order that is the same for everybody."""
    return await tx.all(
        GenerationRow,
        f"SELECT {_COLUMNS} FROM generation WHERE id IN (SELECT generation_id FROM generation_input WHERE upload_id = :upload_id)"
        f" AND {_UNFINISHED} ORDER BY id{tx.for_update}",
        upload_id=upload_id,
    )


async def lock_all_unfinished(tx: Transaction, brand_id: str, account_id: str) -> list[GenerationRow]:
    """The account's jobs that have not ended, locked, in an order that is the same for everybody."""
    return await tx.all(
        GenerationRow,
        f"SELECT {_COLUMNS} FROM generation WHERE account_id = :account_id AND brand_id = :brand_id AND finished_at IS NULL"
        f" ORDER BY id{tx.for_update}",
        account_id=account_id,
        brand_id=brand_id,
    )


async def begin(tx: Transaction, generation_id: str) -> None:
    await tx.execute(
        "UPDATE generation SET state = 'running', started_at = COALESCE(started_at, :now) WHERE id = :id",
        id=generation_id,
        now=tx.now,
    )


async def wait(tx: Transaction, generation_id: str, *, retries: int, model_index: int) -> None:
    await tx.execute(
        "UPDATE generation SET state = 'waiting', retries = :retries, model_index = :model_index WHERE id = :id",
        id=generation_id,
        retries=retries,
        model_index=model_index,
    )


async def end(tx: Transaction, generation_id: str, *, state: str, reason: str | None, credits_captured: int) -> bool:
    """Whether this call was the one that ended it."""
    return await tx.changed(
        "UPDATE generation SET state = :state, reason = :reason, credits_captured = :captured, finished_at = :now,"
        f" reserved_micros = 0 WHERE id = :id AND {_UNFINISHED} RETURNING id",
        id=generation_id,
        state=state,
        reason=reason,
        captured=credits_captured,
        now=tx.now,
    )


async def change_reserve(tx: Transaction, generation_id: str, micros: int) -> None:
    await tx.execute(
        "UPDATE generation SET reserved_micros = reserved_micros + :micros WHERE id = :id",
        id=generation_id,
        micros=micros,
    )


async def in_flight(reader: Reader, brand_id: str, account_id: str) -> int:
    return int(
        await reader.value(
            "SELECT COUNT(*) AS n FROM generation WHERE account_id = :account_id AND brand_id = :brand_id"
            " AND finished_at IS NULL",
            account_id=account_id,
            brand_id=brand_id,
        )
    )


async def unfinished_using(reader: Reader, upload_id: str) -> list[str]:
    """Ids of unfinished jobs that use the upload."""
    rows = await reader.rows(
        "SELECT g.id FROM generation_input i JOIN generation g ON g.id = i.generation_id"
        f" WHERE i.upload_id = :upload_id AND g.{_UNFINISHED}",
        upload_id=upload_id,
    )
    return [row["id"] for row in rows]


async def overdue(reader: Reader, limit: int) -> list[str]:
    """Ids of jobs that took longer than any job may."""
    rows = await reader.rows(
        "SELECT id FROM generation WHERE finished_at IS NULL AND expires_at <= :now ORDER BY expires_at LIMIT :limit",
        now=reader.now,
        limit=limit,
    )
    return [row["id"] for row in rows]


async def close_attempt(
    tx: Transaction,
    attempt_id: str,
    *,
    state: str,
    outcome: str | None,
    reason: str | None,
    input_tokens: int | None,
    output_tokens: int | None,
    cost_micros: int,
) -> bool:
    """Record how a call ended; False when that is on record already."""
    return await tx.changed(
        "UPDATE attempt SET state = :state, outcome = :outcome, reason = :reason, input_tokens = :input_tokens,"
        " output_tokens = :output_tokens, cost_micros = :cost_micros, finished_at = :now"
        " WHERE id = :id AND finished_at IS NULL RETURNING id",
        id=attempt_id,
        state=state,
        outcome=outcome,
        reason=reason,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_micros=cost_micros,
        now=tx.now,
    )


async def accept_attempt(tx: Transaction, attempt_id: str, handle: str) -> None:
    await tx.execute(
        "UPDATE attempt SET state = 'accepted', handle = :handle WHERE id = :id AND finished_at IS NULL",
        id=attempt_id,
        handle=handle,
    )

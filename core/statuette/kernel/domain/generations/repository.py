"""SQL of jobs, their inputs and attempts."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.enforcement.deadlines import visible

# A job with its inputs and visible pictures, in one statement: reading it is the most frequent thing there is.
_WHOLE = (
    "SELECT g.*, i.position AS input_position, i.role AS input_role, i.upload_id AS input_upload_id,"
    " i.figurine_id AS input_figurine_id, f.id AS picture_id, f.media_type AS picture_media_type,"
    " f.width AS picture_width, f.height AS picture_height, f.created_at AS picture_created_at,"
    " (SELECT MIN(d.due_at) FROM deadline d WHERE d.record_id = f.id) AS picture_due_at"
    " FROM generation g LEFT JOIN generation_input i ON i.generation_id = g.id"
    f" LEFT JOIN figurine f ON f.generation_id = g.id AND f.state = 'ready' AND {visible('f')}"
    " WHERE g.brand_id = :brand_id AND g.account_id = :account_id"
)
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
        return msgspec.json.decode(self.models, type=list[str])

    def variable_map(self) -> dict[str, str]:
        return msgspec.json.decode(self.variables, type=dict[str, str])


class InputRow(msgspec.Struct, frozen=True):
    generation_id: str
    position: int
    role: str
    upload_id: str | None
    figurine_id: str | None


class PictureRow(msgspec.Struct, frozen=True):
    """A picture of a job. `due_at` is when it will be deleted, if that is set."""

    id: str
    media_type: str
    width: int
    height: int
    created_at: datetime
    due_at: datetime | None


class Whole(msgspec.Struct, frozen=True):
    """A job with everything the API shows of it."""

    job: GenerationRow
    inputs: list[InputRow]
    pictures: list[PictureRow]


class _Joined(GenerationRow, frozen=True):
    input_position: int | None
    input_role: str | None
    input_upload_id: str | None
    input_figurine_id: str | None
    picture_id: str | None
    picture_media_type: str | None
    picture_width: int | None
    picture_height: int | None
    picture_created_at: datetime | None
    picture_due_at: datetime | None


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
        f"SELECT * FROM generation WHERE id = :id AND brand_id = :brand_id{owner}",
        id=generation_id,
        brand_id=brand_id,
        **parameters,
    )


async def by_id(reader: Reader, generation_id: str) -> GenerationRow | None:
    """For workers, which are handed an id and nothing else."""
    return await reader.one(GenerationRow, "SELECT * FROM generation WHERE id = :id", id=generation_id)


async def whole(reader: Reader, brand_id: str, account_id: str, generation_id: str) -> Whole | None:
    rows = await reader.all(
        _Joined,
        f"{_WHOLE} AND g.id = :id ORDER BY i.position, f.id",
        id=generation_id,
        brand_id=brand_id,
        account_id=account_id,
        now=reader.now,
    )
    return _gathered(rows)[0] if rows else None


async def page(
    reader: Reader, brand_id: str, account_id: str, *, before: str | None, state: str | None, limit: int
) -> list[Whole]:
    """Newest first."""
    wanted = "" if state is None else " AND state = :state"
    parameters = {} if state is None else {"state": state}
    rows = await reader.all(
        _Joined,
        f"{_WHOLE} AND g.id IN (SELECT id FROM generation WHERE brand_id = :brand_id AND account_id = :account_id"
        f" AND id < :before{wanted} ORDER BY id DESC LIMIT :limit) ORDER BY g.id DESC, i.position, f.id",
        brand_id=brand_id,
        account_id=account_id,
        before=before or "gen_~",
        limit=limit,
        now=reader.now,
        **parameters,
    )
    return _gathered(rows)


def _gathered(rows: list[_Joined]) -> list[Whole]:
    """One job for each id, in the order of the rows; inputs and pictures once each."""
    jobs: dict[str, Whole] = {}
    for row in rows:
        found = jobs.setdefault(row.id, Whole(row, [], []))
        if row.input_position is not None and row.input_position == len(found.inputs):
            found.inputs.append(
                InputRow(row.id, row.input_position, row.input_role or "", row.input_upload_id, row.input_figurine_id)
            )
        if row.picture_id is not None and all(picture.id != row.picture_id for picture in found.pictures):
            assert row.picture_created_at is not None
            found.pictures.append(
                PictureRow(
                    id=row.picture_id,
                    media_type=row.picture_media_type or "",
                    width=row.picture_width or 0,
                    height=row.picture_height or 0,
                    created_at=row.picture_created_at,
                    due_at=row.picture_due_at,
                )
            )
    return list(jobs.values())


async def inputs(reader: Reader, generation_id: str) -> list[InputRow]:
    return await reader.all(
        InputRow,
        "SELECT generation_id, position, role, upload_id, figurine_id FROM generation_input"
        " WHERE generation_id = :generation_id ORDER BY position",
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
    job = await tx.one(GenerationRow, f"SELECT * FROM generation WHERE id = :id{tx.for_update}", id=generation_id)
    assert job is not None, "jobs are not deleted while work is done on them"
    return job


async def lock_by_attempt(tx: Transaction, attempt_id: str) -> GenerationRow | None:
    """The job of an attempt, ended or not, locked until the transaction ends."""
    return await tx.one(
        GenerationRow,
        f"SELECT * FROM generation WHERE id = (SELECT generation_id FROM attempt WHERE id = :id){tx.for_update}",
        id=attempt_id,
    )


async def lock_unfinished(tx: Transaction, generation_id: str) -> GenerationRow | None:
    """The job, locked until the transaction ends; None when it has ended."""
    return await tx.one(
        GenerationRow, f"SELECT * FROM generation WHERE id = :id AND {_UNFINISHED}{tx.for_update}", id=generation_id
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
            f"SELECT COUNT(*) AS n FROM generation WHERE account_id = :account_id AND brand_id = :brand_id AND {_UNFINISHED}",
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

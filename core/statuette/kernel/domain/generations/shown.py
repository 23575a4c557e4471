"""Jobs with all that the API shows of them, in one statement: reading a job is the most frequent thing there is."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader
from statuette.kernel.domain.generations.repository import VARIABLES
from statuette.kernel.enforcement.deadlines import visible


class JobRow(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
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
    credits_each: int
    credits_captured: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime

    def variable_map(self) -> dict[str, str]:
        return VARIABLES.decode(self.variables)


class InputRow(msgspec.Struct, frozen=True):
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
    """A job with everything the API shows of it: its inputs in order, and its visible pictures."""

    job: JobRow
    inputs: list[InputRow]
    pictures: list[PictureRow]


class _Joined(JobRow, frozen=True):
    """One input and one picture of a job, or neither: a job with several of them has a row for each pair."""

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


_WHOLE = (
    f"SELECT {', '.join(f'g.{column}' for column in JobRow.__struct_fields__)},"
    " i.position AS input_position, i.role AS input_role, i.upload_id AS input_upload_id,"
    " i.figurine_id AS input_figurine_id, f.id AS picture_id, f.media_type AS picture_media_type,"
    " f.width AS picture_width, f.height AS picture_height, f.created_at AS picture_created_at,"
    " (SELECT MIN(d.due_at) FROM deadline d WHERE d.record_id = f.id) AS picture_due_at"
    " FROM generation g LEFT JOIN generation_input i ON i.generation_id = g.id"
    f" LEFT JOIN figurine f ON f.generation_id = g.id AND f.state = 'ready' AND {visible('f')}"
    " WHERE g.brand_id = :brand_id AND g.account_id = :account_id"
)


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
            found.inputs.append(InputRow(row.input_role or "", row.input_upload_id, row.input_figurine_id))
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

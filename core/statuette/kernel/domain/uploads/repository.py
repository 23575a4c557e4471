"""SQL of uploads. Every read asks for what is still visible, of one brand and one account."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.uploads.tables import Upload
from statuette.kernel.enforcement.deadlines import visible
from statuette.kernel.pixels.results import NormalisedPhoto

_VISIBLE = visible("upload")


class UploadRow(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    account_id: str
    state: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    statement_digest: str
    created_at: datetime
    saved_at: datetime | None


_COLUMNS = columns_of(UploadRow)


async def insert(tx: Transaction, *, upload_id: str, brand_id: str, account_id: str, statement_digest: str) -> None:
    await tx.insert(
        Upload,
        id=upload_id,
        brand_id=brand_id,
        account_id=account_id,
        state="receiving",
        media_type="",
        width=0,
        height=0,
        size_bytes=0,
        sha256="",
        statement_digest=statement_digest,
        created_at=tx.now,
        saved_at=None,
    )


async def make_ready(tx: Transaction, brand_id: str, upload_id: str, photo: NormalisedPhoto) -> bool:
    return await tx.changed(
        "UPDATE upload SET state = 'ready', media_type = :media_type, width = :width, height = :height,"
        f" size_bytes = :size_bytes, sha256 = :sha256 WHERE id = :id AND brand_id = :brand_id AND {_VISIBLE} RETURNING id",
        id=upload_id,
        brand_id=brand_id,
        media_type=photo.media_type,
        width=photo.width,
        height=photo.height,
        size_bytes=len(photo.data),
        sha256=photo.sha256,
        now=tx.now,
    )


async def get(reader: Reader, brand_id: str, account_id: str, upload_id: str) -> UploadRow | None:
    return await reader.one(
        UploadRow,
        f"SELECT {_COLUMNS} FROM upload WHERE id = :id AND brand_id = :brand_id AND account_id = :account_id AND {_VISIBLE}",
        id=upload_id,
        brand_id=brand_id,
        account_id=account_id,
        now=reader.now,
    )


async def lock(tx: Transaction, brand_id: str, account_id: str, upload_id: str) -> UploadRow | None:
    """The visible upload, locked until the transaction ends, so that saving, using and deleting take turns."""
    return await tx.one(
        UploadRow,
        f"SELECT {_COLUMNS} FROM upload WHERE id = :id AND brand_id = :brand_id AND account_id = :account_id"
        f" AND {_VISIBLE}{tx.for_update}",
        id=upload_id,
        brand_id=brand_id,
        account_id=account_id,
        now=tx.now,
    )


async def page(reader: Reader, brand_id: str, account_id: str, *, before: str | None, limit: int) -> list[UploadRow]:
    """Newest first."""
    return await reader.all(
        UploadRow,
        f"SELECT {_COLUMNS} FROM upload WHERE brand_id = :brand_id AND account_id = :account_id AND state = 'ready'"
        f" AND id < :before AND {_VISIBLE} ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        account_id=account_id,
        before=before or "upl_~",
        limit=limit,
        now=reader.now,
    )


async def set_saved(tx: Transaction, upload_id: str, saved_at: datetime | None) -> None:
    await tx.execute("UPDATE upload SET saved_at = :saved_at WHERE id = :id", id=upload_id, saved_at=saved_at)


async def set_statement(tx: Transaction, upload_id: str, digest: str) -> None:
    await tx.execute("UPDATE upload SET statement_digest = :digest WHERE id = :id", id=upload_id, digest=digest)


async def unsave(tx: Transaction, brand_id: str, account_id: str, upload_id: str, before: datetime) -> bool:
    """Take back a saving that is older than `before`; whether there was one."""
    return await tx.changed(
        "UPDATE upload SET saved_at = NULL WHERE id = :id AND brand_id = :brand_id AND account_id = :account_id"
        " AND saved_at <= :before RETURNING id",
        id=upload_id,
        brand_id=brand_id,
        account_id=account_id,
        before=before,
    )


async def size_bytes(reader: Reader, upload_id: str) -> int:
    """0 if it is gone."""
    return int(await reader.value("SELECT size_bytes FROM upload WHERE id = :id", id=upload_id) or 0)


async def newest_gone(reader: Reader, dataset: str, sample: int) -> list[tuple[str, str]]:
    """Brand and id of the photos that went last."""
    rows = await reader.rows(
        "SELECT brand_id, record_id FROM deadline WHERE dataset = :dataset AND state IN ('verified', 'receipted')"
        " ORDER BY id DESC LIMIT :sample",
        dataset=dataset,
        sample=sample,
    )
    return [(row["brand_id"], row["record_id"]) for row in rows]

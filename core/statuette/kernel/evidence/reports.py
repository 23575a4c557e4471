"""Audit reports that are kept, whole and as they were signed."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.evidence.report import AuditReport, SignedReport
from statuette.kernel.evidence.tables import StoredReport


class ReportRow(msgspec.Struct, frozen=True):
    """A report without its text.

    Attributes:
        causes: why it is not in order, with blanks between; empty if it is.
        entries: how many entries of the log were verified.
        digest: SHA-256 of the text.
    """

    id: str
    made_at: datetime
    causes: str
    entries: int
    digest: str


_COLUMNS = columns_of(ReportRow)


def text_of(document: SignedReport) -> str:
    """The one text of a signed report."""
    return msgspec.json.encode(document).decode()


def digest_of(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


async def keep(tx: Transaction, report: AuditReport, document: SignedReport) -> ReportRow:
    text = text_of(document)
    row = ReportRow(
        id=tx.new_id("rep"),
        made_at=report.made_at,
        causes=" ".join(report.causes),
        entries=report.audit.entries if report.audit is not None else 0,
        digest=digest_of(text),
    )
    await tx.insert(StoredReport, **msgspec.structs.asdict(row), body=text)
    return row


async def newest(reader: Reader) -> ReportRow | None:
    return await reader.one(ReportRow, f"SELECT {_COLUMNS} FROM audit_report ORDER BY id DESC LIMIT 1")


async def listed(reader: Reader, *, before: str | None, limit: int) -> list[ReportRow]:
    """Newest first."""
    return await reader.all(
        ReportRow,
        f"SELECT {_COLUMNS} FROM audit_report WHERE id < :before ORDER BY id DESC LIMIT :limit",
        before=before or "rep_~",
        limit=limit,
    )


async def text(reader: Reader, report_id: str) -> str | None:
    """The signed report, byte for byte as it was made."""
    found: str | None = await reader.value("SELECT body FROM audit_report WHERE id = :id", id=report_id)
    return found


async def delete_older(tx: Transaction, older_than: datetime) -> None:
    await tx.execute("DELETE FROM audit_report WHERE made_at < :older_than", older_than=older_than)

"""The daily audit reports over HTTP, for operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, QueryParameter

from statuette.errors import NotFound
from statuette.kernel.evidence import reports
from statuette.kernel.evidence.report import Cause
from statuette.kernel.evidence.reports import ReportRow
from statuette.kernel.http.answers import decode_cursor, encode_cursor
from statuette.kernel.platform import Platform


class ReportView(msgspec.Struct, frozen=True):
    """A report in short.

    Attributes:
        causes: why it is not in order: `log`, `overdue`, `stopped`, `probes`, `objects`, `reconciliation`, `enforcement`.
        entries: how many entries of the evidence log were verified.
        digest: SHA-256 of the file that a download gives.
    """

    id: str
    made_at: datetime
    in_order: bool
    causes: list[Cause]
    entries: int
    digest: str

    @classmethod
    def of(cls, row: ReportRow) -> ReportView:
        causes = [Cause(cause) for cause in row.causes.split()]
        return cls(row.id, row.made_at, not causes, causes, row.entries, row.digest)


class ReportPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[ReportView]
    next_cursor: str | None


class AdminReportRoutes(Controller):
    path = "/admin/v1/audit-reports"
    tags = ["Admin"]
    opt = {"scope": "reports:read"}

    @get(summary="List audit reports")
    async def listing(
        self,
        platform: Injected[Platform],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> ReportPage:
        """One a day, newest first. They are about the whole deployment, in numbers: no brand and nobody is named."""
        before = decode_cursor(cursor, "rep")
        async with platform.database.read() as reader:
            rows = await reports.listed(reader, before=before, limit=limit + 1)
        more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
        return ReportPage([ReportView.of(row) for row in rows[:limit]], more)

    @get("/{report_id:str}", summary="Download an audit report")
    async def download(self, platform: Injected[Platform], report_id: FromPath[str]) -> Response[bytes]:
        """The file as it was signed: `signature` is Ed25519 over the text `statuette audit report v1`, a newline, and the bytes of
        `report`. `previous` in it is the digest of the report before.
        """
        async with platform.database.read() as reader:
            text = await reports.text(reader, report_id)
        if text is None:
            raise NotFound()
        return Response(
            text.encode(),
            media_type="application/json",
            headers={
                "Cache-Control": "private, no-cache",
                "Content-Disposition": f'attachment; filename="{report_id}.json"',
            },
        )

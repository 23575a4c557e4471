"""Receipts and the log's heads over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, QueryParameter

from statuette.errors import Conflict, NotFound
from statuette.evidence import LaterHead, SignedHead, read_entry
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.evidence import receipts
from statuette.kernel.evidence.receipts import ReceiptRow
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.platform import Platform


class ReceiptNotSealed(Conflict):
    """The deletion is done and checked; the receipt has no place in the log yet. Retryable: within a minute."""

    code = "receipt_not_sealed"
    retryable = True
    summary = "The receipt is not in the evidence log yet."


class ReceiptResponse(msgspec.Struct, frozen=True):
    """A receipt in short.

    Attributes:
        record_id: what was deleted.
        rule: the rule that demanded it.
        sealed: whether it is in the log and can be downloaded.
    """

    id: str
    record_id: str
    rule: str
    action: str
    due_at: datetime
    verified_at: datetime
    sealed: bool

    @classmethod
    def of(cls, row: ReceiptRow) -> ReceiptResponse:
        receipt = read_entry(row.body.encode())
        return cls(
            id=row.id,
            record_id=row.record_id,
            rule=receipt.rule,
            action=receipt.action.value,
            due_at=receipt.due_at,
            verified_at=receipt.verified_at,
            sealed=row.entry is not None,
        )


class ReceiptPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[ReceiptResponse]
    next_cursor: str | None


class ReceiptRoutes(Controller):
    path = "/v1/account/receipts"
    tags = ["Account"]

    @get(summary="List receipts of what was deleted")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[bytes]:
        """Newest first. Each was written after a check that everything was gone."""
        before = decode_cursor(cursor, "rcp")
        async with platform.database.read() as reader:
            rows = await receipts.listed(reader, brand.id, account_id, before=before, limit=limit + 1)
        more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
        return answer(request, ReceiptPage([ReceiptResponse.of(row) for row in rows[:limit]], more))

    @get("/{receipt_id:str}", summary="Download a receipt")
    async def download(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        receipt_id: FromPath[str],
    ) -> Response[bytes]:
        """The file to keep. `statuette evidence verify` checks it offline; whoever has it can tell what it is about."""
        async with platform.database.read() as reader:
            held = await receipts.held(reader, brand.id, account_id, receipt_id)
            if held is None:
                raise NotFound()
            file = await platform.evidence.receipt_file(reader, held)
        if file is None:
            raise ReceiptNotSealed(cure="Ask again in half a minute.")
        return Response(
            file,
            media_type="application/json",
            headers={
                "Cache-Control": "private, no-cache",
                "Content-Disposition": f'attachment; filename="{receipt_id}.json"',
            },
        )


class EvidenceRoutes(Controller):
    path = "/v1/evidence"
    tags = ["Evidence"]

    @get("/head", opt={"public": True}, summary="Read the evidence log's newest head")
    async def head(self, platform: Injected[Platform]) -> SignedHead:
        """What the log is now, signed. Keep it, or let somebody keep it: what was in the log then can never be denied."""
        async with platform.database.read() as reader:
            head = await platform.evidence.head(reader)
        if head is None:
            raise NotFound("The log is empty.")
        return head

    @get("/head/since/{size:int}", opt={"public": True}, summary="Prove that the log only grew")
    async def later_head(self, platform: Injected[Platform], size: FromPath[int]) -> LaterHead:
        """The newest head, and the proof that its log begins with what was there at an older head of `size` entries."""
        async with platform.database.read() as reader:
            later = await platform.evidence.later_head(reader, size) if size >= 0 else None
        if later is None:
            raise NotFound("The log has never been as long.")
        return later

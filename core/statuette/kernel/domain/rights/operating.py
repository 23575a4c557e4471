"""The operator's side of privacy requests: what routes and commands share."""

from __future__ import annotations

import re
from datetime import timedelta

from statuette.errors import Conflict, InvalidInput, NotFound
from statuette.kernel.access.reveals import Look, Subject, uncover
from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.rights import repository, service
from statuette.kernel.domain.rights.repository import RequestRow
from statuette.kernel.domain.rights.schemas import OperatorRequest, OperatorStep, Revealed
from statuette.kernel.domain.rights.service import Answers

_REASON = re.compile(r"[a-z][a-z0-9_]{1,59}")


class CannotExtend(Conflict):
    """It was extended before, or its time is over: nobody may be told later than that. Final."""

    code = "cannot_extend_request"
    summary = "This request cannot be extended."


def checked_reason(reason: str) -> str:
    """Raises `InvalidInput` unless it is a code."""
    if _REASON.fullmatch(reason) is None:
        raise InvalidInput("A reason is a code: small letters, digits and _, such as manifestly_unfounded.")
    return reason


async def listed(
    database: Database, brand_id: str, *, include_closed: bool, before: str | None, limit: int
) -> list[OperatorRequest]:
    """Newest first."""
    async with database.read() as reader:
        rows = await repository.page_of_brand(
            reader, brand_id, include_closed=include_closed, before=before, limit=limit
        )
        return [_view(reader, row) for row in rows]


async def shown(database: Database, brand_id: str, request_id: str) -> OperatorRequest:
    """With every step. Raises `NotFound`."""
    async with database.read() as reader:
        row = await service.of_brand(reader, brand_id, request_id)
        sealed = await repository.sealed(reader, row.id)
        steps = [
            OperatorStep(step.action, step.actor, step.reason, step.created_at)
            for step in await service.steps(reader, row.id)
        ]
        return _view(reader, row, steps, has_statement=sealed is not None and sealed.statement is not None)


async def revealed(
    database: Database, cipher: FieldCipher, brand_id: str, request_id: str, *, actor: str, reason: str
) -> Revealed:
    """What the person wrote; that it was read is on record before it is shown. Raises `NotFound`, `KeyStoreUnavailable`."""

    async def find(tx: Transaction) -> tuple[list[Look], tuple[RequestRow, bytes | None]]:
        row = await repository.lock(tx, brand_id, request_id)
        if row is None:
            raise NotFound()
        sealed = await repository.sealed(tx, row.id)
        look = Look(Subject.privacy_request, row.id, row.account_id)
        return [look], (row, sealed.statement if sealed is not None else None)

    async def show(found: tuple[RequestRow, bytes | None]) -> Revealed:
        row, statement = found
        return Revealed(await cipher.open(row.account_id, "statement", statement) if statement is not None else None)

    return await uncover(database, find, show, brand_id=brand_id, actor=actor, reason=reason)


async def completed(
    database: Database, answers: Answers, brand_id: str, request_id: str, *, actor: str
) -> OperatorRequest:
    """Raises `NotFound`, `RequestIsOver`."""
    await database.run(lambda tx: answers.complete(tx, brand_id, request_id, actor=actor))
    return await shown(database, brand_id, request_id)


async def refused(
    database: Database, answers: Answers, brand_id: str, request_id: str, *, actor: str, reason: str
) -> OperatorRequest:
    """Raises `NotFound`, `RequestIsOver`."""
    await database.run(lambda tx: answers.refuse(tx, brand_id, request_id, actor=actor, reason=reason))
    return await shown(database, brand_id, request_id)


async def extended(
    database: Database, answers: Answers, brand_id: str, request_id: str, *, actor: str, reason: str, days: int
) -> OperatorRequest:
    """Raises `NotFound`, `RequestIsOver`, `CannotExtend`."""

    async def extend(tx: Transaction) -> None:
        row = await service.of_brand(tx, brand_id, request_id)
        before = [step.action for step in await service.steps(tx, request_id)]
        if "extended" in before or row.due_at <= tx.now:
            raise CannotExtend()
        until = row.due_at + timedelta(days=days)
        await answers.extend(tx, brand_id, request_id, actor=actor, reason=reason, until=until)

    await database.run(extend)
    return await shown(database, brand_id, request_id)


def _view(
    reader: Reader, row: RequestRow, steps: list[OperatorStep] | None = None, *, has_statement: bool = False
) -> OperatorRequest:
    return OperatorRequest(
        id=row.id,
        account_id=row.account_id,
        kind=row.kind,
        state=row.state,
        purpose=row.subject,
        reason=row.reason,
        asked_at=row.asked_at,
        due_at=row.due_at,
        effective_at=row.effective_at,
        closed_at=row.closed_at,
        overdue=row.state in (service.State.open, service.State.scheduled) and row.due_at <= reader.now,
        has_statement=has_statement,
        steps=steps,
    )

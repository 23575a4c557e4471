"""The rules of privacy requests: how long an answer may take, which steps there are, and who may take them."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from statuette.errors import Conflict, NotFound
from statuette.kernel.access import reveals
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.consent import stops
from statuette.kernel.domain.rights import repository
from statuette.kernel.domain.rights.repository import EventRow, RequestRow
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.queues import MAIL

TELL = "tell_request"
ADDRESS = "email"
"""The subject of a correction of the account's own address."""


class Kind(StrEnum):
    access = "access"
    portability = "portability"
    correction = "correction"
    erasure = "erasure"
    withdrawal = "withdrawal"
    restriction = "restriction"
    objection = "objection"


class State(StrEnum):
    open = "open"
    """It waits for the operator."""
    scheduled = "scheduled"
    """It takes place by itself, at `effective_at`."""
    in_force = "in_force"
    """What was asked for holds until it is taken back."""
    completed = "completed"
    refused = "refused"
    canceled = "canceled"


class RequestIsOpen(Conflict):
    """The same was asked for before, and is not over. Attribute `open_request`: its id."""

    code = "request_is_open"
    summary = "You have asked for this already."


class RequestIsOver(Conflict):
    """It has been answered or taken back, or its moment has passed. Attribute `state`."""

    code = "request_is_over"
    summary = "Nothing can be changed about this request any more."


class Sealed(msgspec.Struct, frozen=True):
    """What is kept of a request in encrypted form only.

    Attributes:
        statement: what the person wrote, with the account's key.
        contact: whom to write to when there is no account any more, with the request's own key.
    """

    statement: bytes | None = None
    contact: bytes | None = None


class Answers:
    """What an operator says to requests. Works in an open transaction and never commits."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def complete(self, tx: Transaction, brand_id: str, request_id: str, *, actor: str) -> RequestRow:
        """Say that the operator has done what was asked for. Raises `NotFound`, `RequestIsOver`."""
        row = await self._open(tx, brand_id, request_id)
        # What somebody objected to stays stopped for as long as they want that.
        state = State.in_force if row.kind == Kind.objection else State.completed
        return await self._end(tx, row, state, "completed", actor)

    async def refuse(self, tx: Transaction, brand_id: str, request_id: str, *, actor: str, reason: str) -> RequestRow:
        """Say no, and why. Raises `NotFound`, `RequestIsOver`."""
        row = await self._open(tx, brand_id, request_id)
        await stops.lift(tx, row.account_id, row.id)
        return await self._end(tx, row, State.refused, "refused", actor, reason)

    async def extend(
        self, tx: Transaction, brand_id: str, request_id: str, *, actor: str, reason: str, until: datetime
    ) -> RequestRow:
        """Take more time, and say why. Raises `NotFound`, `RequestIsOver`."""
        row = await self._open(tx, brand_id, request_id)
        await repository.set_due(tx, row.id, until)
        await repository.set_state(tx, row.id, state=row.state, reason=reason, closed_at=None)
        await self._note(tx, row, "extended", actor, reason)
        return msgspec.structs.replace(row, due_at=until, reason=reason)

    async def _open(self, tx: Transaction, brand_id: str, request_id: str) -> RequestRow:
        """One that waits for the operator."""
        row = await self._changeable(tx, brand_id, request_id)
        if row.state != State.open:
            raise RequestIsOver(state=row.state)
        return row

    async def _changeable(
        self,
        tx: Transaction,
        brand_id: str,
        request_id: str,
        *,
        account_id: str | None = None,
        also: State | None = None,
    ) -> RequestRow:
        row = await repository.lock(tx, brand_id, request_id)
        if row is None or account_id not in (None, row.account_id):
            raise NotFound()
        if row.state not in (State.open, State.scheduled, also):
            raise RequestIsOver(state=row.state)
        return row

    async def _end(
        self, tx: Transaction, row: RequestRow, state: State, action: str, actor: str, reason: str | None = None
    ) -> RequestRow:
        closed_at = None if state is State.in_force else tx.now
        await repository.set_state(tx, row.id, state=state.value, reason=reason, closed_at=closed_at)
        await self._note(tx, row, action, actor, reason)
        return msgspec.structs.replace(row, state=state.value, reason=reason, closed_at=closed_at)

    async def _note(
        self, tx: Transaction, row: RequestRow, action: str, actor: str, reason: str | None = None, *, tell: bool = True
    ) -> None:
        await repository.add_event(
            tx, brand_id=row.brand_id, request_id=row.id, action=action, actor=actor, reason=reason
        )
        if tell:
            await self._outbox.put(tx, queue=MAIL, actor=TELL, subject_id=f"{row.id}:{action}")


async def get(reader: Reader, brand_id: str, account_id: str, request_id: str) -> RequestRow:
    """Raises `NotFound`."""
    row = await repository.of_account(reader, brand_id, account_id, request_id)
    if row is None:
        raise NotFound()
    return row


async def get_copy(reader: Reader, brand_id: str, account_id: str, request_id: str, *, within: timedelta) -> RequestRow:
    """A request for a copy that was made so short a time ago. Raises `NotFound`."""
    row = await get(reader, brand_id, account_id, request_id)
    if row.kind not in (Kind.access, Kind.portability) or row.asked_at + within <= reader.now:
        raise NotFound("There is no such copy any more.")
    return row


async def of_brand(reader: Reader, brand_id: str, request_id: str) -> RequestRow:
    """Raises `NotFound`."""
    row = await repository.by_id(reader, request_id)
    if row is None or row.brand_id != brand_id:
        raise NotFound()
    return row


async def steps(reader: Reader, request_id: str) -> list[EventRow]:
    """Oldest first: what was done with the request, and who read what was written with it."""
    looks = [
        EventRow("revealed", look.actor, look.reason, look.created_at)
        for look in await reveals.of_record(reader, request_id)
    ]
    return sorted([*await repository.events(reader, request_id), *looks], key=lambda step: step.created_at)

"""The API's shapes of privacy requests."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from statuette.kernel.access.schemas import Reason
from statuette.kernel.domain.accounts.schemas import Email
from statuette.kernel.domain.rights.repository import EventRow, RequestRow


class PrivacyRequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody asks for.

    Attributes:
        purpose: which use of data it is about: for `withdrawal` and `objection`.
        at_once: for `erasure`: without the days in which it can be taken back.
    """

    kind: Literal["access", "portability", "correction", "erasure", "withdrawal", "restriction", "objection"]
    purpose: Annotated[str, Meta(max_length=60, examples=["marketing"])] | None = None
    at_once: bool = False
    statement: Annotated[str, Meta(max_length=4000, description="In your own words; kept encrypted.")] | None = None

    def __repr__(self) -> str:
        return f"PrivacyRequestBody({self.kind})"


class AddressChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new address, and the code that was mailed to it (`POST /v1/signin/codes`)."""

    email: Email
    code: Annotated[str, Meta(min_length=1, max_length=32, examples=["402911"])]

    def __repr__(self) -> str:
        return "AddressChange()"


class DownloadLink(msgspec.Struct, frozen=True):
    """Where the copy is, for whoever has the address, until it expires."""

    url: str
    expires_at: datetime


class PrivacyRequestStep(msgspec.Struct, frozen=True):
    action: str
    reason: str | None
    at: datetime

    @classmethod
    def of(cls, row: EventRow) -> PrivacyRequestStep:
        return cls(row.action, row.reason, row.created_at)


class PrivacyRequestResponse(msgspec.Struct, frozen=True):
    """A request.

    Attributes:
        state: `open` waits for the operator, `scheduled` takes place at `effective_at`, `in_force` holds until it is taken back;
            `completed`, `refused` and `canceled` are final.
        due_at: when there is an answer at the latest.
        receipt_address: where the receipt of an erasure will be. Shown once, and mailed; it cannot be found out again.
        steps: oldest first; left out of lists.
    """

    id: str
    kind: str
    state: str
    purpose: str | None
    reason: str | None
    asked_at: datetime
    due_at: datetime
    effective_at: datetime | None
    closed_at: datetime | None
    receipt_address: str | None = None
    steps: list[PrivacyRequestStep] | None = None

    @classmethod
    def of(
        cls, row: RequestRow, steps: list[EventRow] | None = None, receipt_address: str | None = None
    ) -> PrivacyRequestResponse:
        return cls(
            id=row.id,
            kind=row.kind,
            state=row.state,
            purpose=row.subject,
            reason=row.reason,
            asked_at=row.asked_at,
            due_at=row.due_at,
            effective_at=row.effective_at,
            closed_at=row.closed_at,
            receipt_address=receipt_address,
            steps=[PrivacyRequestStep.of(step) for step in steps] if steps is not None else None,
        )

    def __repr__(self) -> str:
        return f"PrivacyRequestResponse({self.id})"


class PrivacyRequestPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[PrivacyRequestResponse]
    next_cursor: str | None


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """More time, of which the person is told within the first month, with the reason (GDPR Art. 12(3))."""

    reason: Reason
    days: Annotated[int, Meta(ge=1, le=60)]


class OperatorStep(msgspec.Struct, frozen=True):
    action: str
    actor: str
    reason: str | None
    at: datetime


class OperatorRequest(msgspec.Struct, frozen=True):
    """A request as an operator sees it: without the words of the person."""

    id: str
    account_id: str
    kind: str
    state: str
    purpose: str | None
    reason: str | None
    asked_at: datetime
    due_at: datetime
    effective_at: datetime | None
    closed_at: datetime | None
    overdue: bool
    has_statement: bool = False
    steps: list[OperatorStep] | None = None


class OperatorRequestPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[OperatorRequest]
    next_cursor: str | None


class Revealed(msgspec.Struct, frozen=True):
    """What the person wrote. Who looked, and why, is on record."""

    statement: str | None

    def __repr__(self) -> str:
        return "Revealed()"

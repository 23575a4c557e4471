"""What the API says about consent. Records use the names of ISO/IEC TS 27560 where it has one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

RECORD_SCHEMA = "ISO/IEC TS 27560:2023"


class ConsentResponse(msgspec.Struct, frozen=True):
    """One purpose that data is used for.

    Attributes:
        statement: what the person agrees to or is told, in `locale`.
        statement_digest: names this wording; send it back with a decision.
        basis: legal basis.
        choice: `opt_in`: denied until granted; `opt_out`: goes on until declined; `none`: nothing to decide.
        granted: whether the purpose may use data now; null where there is nothing to decide.
        ask_again: the person had agreed, and what they agreed to has changed since. It is denied until they are asked.
        decided_at: when the person last decided; null if never.
    """

    purpose: str
    title: str
    statement: str
    statement_digest: str
    locale: str
    basis: str
    choice: str
    granted: bool | None
    ask_again: bool
    decided_at: datetime | None


class ConsentList(msgspec.Struct, frozen=True):
    """`policy_digest` names the policy in force."""

    items: list[ConsentResponse]
    policy_digest: str


class ConsentUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision on one purpose.

    Attributes:
        statement_digest: of the wording that was shown. A grant is refused with 409 when the wording has changed since.
    """

    granted: Annotated[bool, Meta(examples=[True])]
    statement_digest: Annotated[str, Meta(max_length=80, pattern=r"^sha256:[0-9a-f]{64}$")] | None = None


class ConsentTextView(msgspec.Struct, frozen=True):
    """A text to be shown before somebody decides. `locale` is the language it is in."""

    purpose: str
    title: str
    statement: str
    statement_digest: str
    locale: str
    choice: str


class ConsentTexts(msgspec.Struct, frozen=True):
    """`locales` are the languages that texts exist in."""

    items: list[ConsentTextView]
    locales: list[str]
    policy_digest: str


class ConsentEvent(msgspec.Struct, frozen=True):
    """What happened.

    Attributes:
        event_type: `explicit`, said by the person; `signal`, by their browser; `unsubscribe`, by the link in a letter.
        event_state: `given` or `withdrawn`.
        entity_id: who decided: the account, or `browser`.
    """

    event_time: datetime
    event_type: str
    event_state: str
    entity_id: str


class ConsentRecordView(msgspec.Struct, frozen=True):
    """One decision, as it is on record.

    Attributes:
        record_id: stable.
        pii_principal_id: the account.
        pii_controller: who answers for the data.
        privacy_notice: digest of the policy in force at that moment.
        language: of the text that was shown.
        purpose: id of the purpose.
        lawful_basis: null when the purpose no longer exists.
        statement: the text that was shown, word for word; null in records of before texts were kept.
        statement_digest: names that text.
        collection_method: where it was shown.
    """

    record_id: str
    schema_version: str
    pii_principal_id: str
    pii_controller: str
    privacy_notice: str
    language: str
    purpose: str
    lawful_basis: str | None
    statement: str | None
    statement_digest: str
    collection_method: str
    event: ConsentEvent


class ConsentHistory(msgspec.Struct, frozen=True):
    """Decisions, newest first."""

    items: list[ConsentRecordView]
    next_cursor: str | None

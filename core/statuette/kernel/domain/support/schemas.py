"""What the API says about questions to an operator's support."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from statuette.kernel.domain.accounts.schemas import Email, Locale

Category = Literal["account", "credits", "pictures", "privacy", "trouble", "other"]
Said = Annotated[str, Meta(min_length=1, max_length=4000, examples=["My figurine has three arms. What can I do?"])]


class QuestionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question.

    Attributes:
        email: where the answer is sent, without an account; with one, the account's address is used.
        locale: of letters, without an account.
    """

    subject: Annotated[str, Meta(min_length=1, max_length=150, examples=["Three arms"])]
    message: Said
    category: Category = "other"
    email: Email | None = None
    locale: Locale = "en"

    def __repr__(self) -> str:
        return "QuestionBody()"


class MessageBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    message: Said

    def __repr__(self) -> str:
        return "MessageBody()"


class QuestionOpened(msgspec.Struct, frozen=True):
    """The question is durable. `token` is told here and never again, without an account alone; send it as `Support-Token`."""

    id: str
    token: str | None

    def __repr__(self) -> str:
        return f"QuestionOpened({self.id})"


class EntryView(msgspec.Struct, frozen=True):
    """One step. `action`: `asked`, `added`, `answered`, `closed` or `reopened`; `by`: `you`, `us`, or `itself`."""

    action: str
    by: str
    text: str | None
    created_at: datetime

    def __repr__(self) -> str:
        return f"EntryView({self.action})"


class AttachmentView(msgspec.Struct, frozen=True):
    """What is stored of a file. Its name was not kept."""

    id: str
    media_type: str
    size_bytes: int


class QuestionSummary(msgspec.Struct, frozen=True):
    """A question without what was said. `state`: `open`, `answered` or `closed`.

    `closes_at` is when it is closed by itself unless somebody writes. `expires_at` is when it is deleted, with everything
    attached, and `retention` by which rule; null until it is closed.
    """

    id: str
    state: str
    category: str
    subject: str
    attachments: int
    created_at: datetime
    closes_at: datetime | None
    closed_at: datetime | None
    expires_at: datetime | None
    retention: str

    def __repr__(self) -> str:
        return f"QuestionSummary({self.id})"


class QuestionView(msgspec.Struct, frozen=True):
    """A question with everything said, oldest first."""

    id: str
    state: str
    category: str
    subject: str
    created_at: datetime
    closes_at: datetime | None
    closed_at: datetime | None
    expires_at: datetime | None
    retention: str
    entries: list[EntryView]
    attachments: list[AttachmentView]

    def __repr__(self) -> str:
        return f"QuestionView({self.id})"


class QuestionPage(msgspec.Struct, frozen=True):
    """Newest first. `next_cursor` is null on the last one."""

    items: list[QuestionSummary]
    next_cursor: str | None


class OperatorSummary(msgspec.Struct, frozen=True):
    """A question as operators list it."""

    id: str
    state: str
    category: str
    account_id: str | None
    attachments: int
    created_at: datetime
    closes_at: datetime | None
    closed_at: datetime | None
    expires_at: datetime | None


class OperatorEntry(msgspec.Struct, frozen=True):
    """One step, without what was said. `actor` is `asker`, `platform`, or the key that an operator used."""

    action: str
    actor: str
    created_at: datetime


class OperatorQuestion(msgspec.Struct, frozen=True):
    """A question, for operators, without what was said. `contact` is the outline of an address."""

    id: str
    state: str
    category: str
    account_id: str | None
    contact: str | None
    created_at: datetime
    closes_at: datetime | None
    closed_at: datetime | None
    expires_at: datetime | None
    entries: list[OperatorEntry]
    attachments: list[AttachmentView]


class RevealedEntry(msgspec.Struct, frozen=True):
    """One step, with what was said. `text` is null where nothing was."""

    action: str
    actor: str
    text: str | None
    created_at: datetime

    def __repr__(self) -> str:
        return f"RevealedEntry({self.action})"


class RevealedQuestion(msgspec.Struct, frozen=True):
    """What was said in a question, oldest first. Whose address it is answered at is not part of it."""

    subject: str
    entries: list[RevealedEntry]

    def __repr__(self) -> str:
        return f"RevealedQuestion({len(self.entries)} entries)"


class OperatorPage(msgspec.Struct, frozen=True):
    """Newest first."""

    items: list[OperatorSummary]
    next_cursor: str | None

"""What the erasure journal says: ids, rules and moments, nothing of a person."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.errors import StatuetteError

FORMAT = 1


class JournalUnreadable(StatuetteError):
    """A segment of the erasure journal is damaged, or was written by a newer version. Nothing is served until it is read."""

    code = "journal_unreadable"
    summary = "The erasure journal cannot be read."


class Erasing(msgspec.Struct, frozen=True, tag="erasing", omit_defaults=True):
    """A record is about to be destroyed.

    Attributes:
        rule: the one that demands it, under the policy with that digest.
        keys: subjects whose data keys are destroyed with it.
    """

    at: datetime
    brand_id: str
    account_id: str | None
    dataset: str
    record_id: str
    rule: str
    policy_digest: str
    keys: tuple[str, ...] = ()


class Due(msgspec.Struct, frozen=True, tag="due", omit_defaults=True):
    """Somebody asked that a record end at `due_at`, or with None took that back."""

    at: datetime
    brand_id: str
    dataset: str
    record_id: str
    rule: str
    due_at: datetime | None = None


class Wish(msgspec.Struct, frozen=True, tag="wish", omit_defaults=True):
    """Something else that a person decided and that must outlive a restore.

    Attributes:
        topic: who knows how to carry it out again: `consent.withdrawn`, `upload.unsaved`, `support.closed`, …
        about: the record or the purpose that it concerns.
        digest: of the wording that was shown, if any.
        policy_digest: of the policy in force, if it matters.
        locale, method: of a decision on a consent: the language it was shown in, and how it came about.
    """

    at: datetime
    brand_id: str
    account_id: str
    topic: str
    about: str
    digest: str = ""
    policy_digest: str = ""
    locale: str = ""
    method: str = ""


class Hold(msgspec.Struct, frozen=True, tag="hold", omit_defaults=True):
    """A legal hold was placed, or lifted. Who did, and their own reference, may name people and stay in the database.

    Attributes:
        subject: the id that is held; `reason`: a code.
    """

    at: datetime
    brand_id: str
    hold_id: str
    subject: str
    reason: str
    lifted: bool = False


Entry = Erasing | Due | Wish | Hold


class Segment(msgspec.Struct, frozen=True):
    """One object of the journal, never changed once written."""

    format: int
    entries: tuple[Entry, ...]


def encoded(entries: tuple[Entry, ...]) -> bytes:
    return msgspec.json.encode(Segment(FORMAT, entries)) + b"\n"


def decoded(data: bytes, key: str) -> tuple[Entry, ...]:
    """Raises `JournalUnreadable`, which names the object."""
    try:
        segment = msgspec.json.decode(data, type=Segment)
        if segment.format == FORMAT:
            return segment.entries
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise JournalUnreadable(
        f"The segment {key} of the erasure journal cannot be read by this version.",
        cure="Start the newest version that has run here. If the object was damaged, restore it from the store's own copies.",
    )

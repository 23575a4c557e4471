"""The receipt of one enforcement: what the evidence log holds an entry of.

There is no free text in it. Every word comes from a closed list or is a name out of code or policy; the record and the
account it is about are commitments, which only their holder can open.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from statuette.errors import InvalidInput
from statuette.evidence.encoding import canonical, is_count, is_digest, is_moment, parsed, require
from statuette.policy import Action, Trigger
from statuette.values import is_id

RECEIPT_ID_PREFIX = "rcp"
_NAME = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_OF_NAMES = "a small letter and up to 63 more, digits, _ and ."


class ReceiptKind(StrEnum):
    """How the enforcement ended."""

    enforced = "enforced"
    """It is gone from every store that is listed, and no processor is known to keep any of it."""
    residual = "residual"
    """It is gone from every store that is listed; the processors in `residuals` keep some of it."""


class StoreKind(StrEnum):
    database = "database"
    objects = "objects"
    keys = "keys"


class StoreResult(StrEnum):
    """What became of the data in one store."""

    deleted = "deleted"
    already_absent = "already_absent"
    key_destroyed = "key_destroyed"
    awaiting_checkpoint = "awaiting_checkpoint"
    """Deleted from the tables (SQLite); pages of the write-ahead log may hold it until it is truncated."""
    dead_tuples_until_vacuum = "dead_tuples_until_vacuum"
    """Deleted from the tables (PostgreSQL); dead row versions are on disk until a vacuum."""


class Check(StrEnum):
    """How it was checked, after the deletion and apart from it, that the data is absent."""

    listed_by_prefix_and_key = "listed_by_prefix_and_key"
    versions_listed = "versions_listed"
    row_absent = "row_absent"
    key_absent = "key_absent"


# What can be said of each kind of store; a receipt that says more is a mistake of its writer.
_RESULTS = {
    StoreKind.database: {
        StoreResult.deleted,
        StoreResult.already_absent,
        StoreResult.awaiting_checkpoint,
        StoreResult.dead_tuples_until_vacuum,
    },
    StoreKind.objects: {StoreResult.deleted, StoreResult.already_absent},
    StoreKind.keys: {StoreResult.key_destroyed, StoreResult.already_absent},
}
_CHECKS = {
    StoreKind.database: {Check.row_absent},
    StoreKind.objects: {Check.listed_by_prefix_and_key, Check.versions_listed},
    StoreKind.keys: {Check.key_absent},
}


class StoreOutcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done in one store.

    Attributes:
        store: its name: `s3`, `local`, `postgresql`.
        outcome: what became of the data there.
        count: how many rows, objects (versions included) or keys that were.
        check: how their absence was checked.

    Raises:
        InvalidInput: a value has another form, or does not fit this kind of store.
    """

    store: str
    kind: StoreKind
    outcome: StoreResult
    count: int
    check: Check

    def __post_init__(self) -> None:
        require(_is_name(self.store), f"A receipt names a store by {_OF_NAMES}.")
        require(is_count(self.count), "A receipt counts in whole numbers from 0.")
        require(self.outcome in _RESULTS.get(self.kind, ()), "This cannot be the outcome in a store of this kind.")
        require(self.check in _CHECKS.get(self.kind, ()), "This cannot be the check of a store of this kind.")


class Residual(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a processor keeps, as it declares.

    Attributes:
        processor: its id.
        categories: of the policy's catalogue, at least one.
        until: when it ends, in UTC; None where the processor does not say.

    Raises:
        InvalidInput: a value has another form.
    """

    processor: str
    categories: tuple[str, ...]
    until: datetime | None

    def __post_init__(self) -> None:
        require(_is_name(self.processor), f"A receipt names a processor by {_OF_NAMES}.")
        require(
            bool(self.categories) and all(_is_name(category) for category in self.categories),
            f"A residual has categories, each named by {_OF_NAMES}.",
        )
        require(self.until is None or is_moment(self.until), "The end of a residual is in UTC.")


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done to one record, by which rule, when and where. Its canonical encoding is an entry of the log.

    A version is never changed: another field is another version, so that old entries keep their bytes.

    Attributes:
        id: `rcp_…`.
        kind: `residual` if `residuals` names anything, else `enforced`.
        rule: id of the rule: `upload.used`.
        policy_digest: of the policy that was in force: `sha256:<hex>`.
        dataset: name of the dataset.
        action: what the rule demands.
        trigger: what armed the deadline; None where a record was swept by its age.
        due_at: when it had to happen.
        intent_at: when the intent was stored, before anything was destroyed.
        executed_at: when everything was destroyed.
        verified_at: when its absence was checked.
        stores: every store it was in, at least one.
        residuals: what processors keep.
        subject: commitment to the record.
        account: commitment to the account it was of, with the same salt; None where it was of none.

    All moments are in UTC.

    Raises:
        InvalidInput: a value has another form, or two contradict each other. The message never shows the value.
    """

    version: Literal[1] = 1
    id: str
    kind: ReceiptKind
    rule: str
    policy_digest: str
    dataset: str
    action: Action
    trigger: Trigger | None
    due_at: datetime
    intent_at: datetime
    executed_at: datetime
    verified_at: datetime
    stores: tuple[StoreOutcome, ...]
    residuals: tuple[Residual, ...]
    subject: str
    account: str | None

    def __post_init__(self) -> None:
        require(isinstance(self.id, str) and is_id(self.id, RECEIPT_ID_PREFIX), "The id of a receipt is `rcp_…`.")
        require(_is_name(self.rule), f"A receipt names a rule by {_OF_NAMES}.")
        require(_is_name(self.dataset), f"A receipt names a dataset by {_OF_NAMES}.")
        require(is_digest(self.policy_digest), "The digest of a policy is `sha256:` and 64 small hex digits.")
        moments = (self.due_at, self.intent_at, self.executed_at, self.verified_at)
        require(all(is_moment(moment) for moment in moments), "The moments of a receipt are in UTC.")
        require(is_digest(self.subject), "The subject of a receipt is a commitment.")
        require(self.account is None or is_digest(self.account), "The account of a receipt is a commitment.")
        require(bool(self.stores), "A receipt lists at least one store.")
        require(
            (self.kind == ReceiptKind.residual) == bool(self.residuals),
            "A receipt is `residual` if it lists residuals, and only then.",
        )


def entry_of(receipt: Receipt) -> bytes:
    """The entry of the log: the receipt's canonical encoding.

    Raises:
        InvalidInput: a field holds something of another type, which a constructor does not look at.
    """
    entry = canonical(receipt)
    if parsed(entry, Receipt) != receipt:
        raise InvalidInput("A field of the receipt does not come back as it was.")
    return entry


def read_entry(entry: bytes) -> Receipt:
    """The receipt that an entry of the log is.

    Raises:
        InvalidInput: it is no receipt, or not in its canonical encoding.
    """
    receipt = parsed(entry, Receipt)
    if canonical(receipt) != entry:
        raise InvalidInput("The receipt is not in its canonical encoding.")
    return receipt


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None

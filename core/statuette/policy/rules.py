"""The rules: what must happen to data. Closed enums and plain values only, so that rules can be compared, merged and shown."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

import msgspec


class Action(StrEnum):
    """What a rule does to a record when its deadline falls due, weakest first."""

    restrict = "restrict"
    pseudonymise = "pseudonymise"
    anonymise = "anonymise"
    delete = "delete"
    shred = "shred"

    @property
    def strength(self) -> int:
        return list(Action).index(self)


class Trigger(StrEnum):
    """The event a deadline is counted from."""

    created = "created"
    used = "used"
    """The last accepted job that uses the record ended."""
    unsaved = "unsaved"
    deletion_asked = "deletion_asked"
    account_ended = "account_ended"


class Carry(StrEnum):
    """How a rule finds its records."""

    deadline = "deadline"
    """A stored deadline a record, written in the transaction that creates it."""
    sweep = "sweep"
    """Rows older than the rule's time are swept in windows of age."""


class Retain(msgspec.Struct, frozen=True, tag="retain"):
    """How long a dataset lives.

    Attributes:
        id: `upload.used`; one name in the notice, the code, the tests and the telemetry.
        dataset: name of a `statuette.dataset.Dataset`.
        triggers: what arms the deadline; more than one is read as "whichever comes".
        after: time from trigger to action, unless a brand chooses less. Zero means at once.
        maximum: no brand may choose more.
        action: what happens.
        carry: stored deadline or sweep.
        exempt_while_saved: a record its owner saved is left alone.
        longest_job_added: the longest time a job may take is added to `after` (a cap must not cut a running job short).
        sentence: what the notice says; `{after}` stands for the time in force.
    """

    id: str
    dataset: str
    triggers: tuple[Trigger, ...]
    after: timedelta
    maximum: timedelta
    action: Action
    sentence: str
    carry: Carry = Carry.deadline
    exempt_while_saved: bool = False
    longest_job_added: bool = False


class Egress(msgspec.Struct, frozen=True, tag="egress"):
    """What may leave: a purpose may carry these categories to processors that declare both. All else is denied."""

    id: str
    purpose: str
    categories: tuple[str, ...]
    sentence: str


Rule = Retain | Egress

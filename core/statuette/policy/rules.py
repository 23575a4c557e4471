"""The rules: what must happen to data. Closed enums and plain values only, so that rules can be compared, merged and shown.

Each has a sentence for the notice: in English, and in `sentence_in` by other locales (`de`), with the same places in braces.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from statuette.policy.periods import Floor, Period


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
    closed = "closed"
    """What the record is about was settled."""
    account_ended = "account_ended"


class Exemption(StrEnum):
    """What lets a rule leave a record alone while it lasts.

    A legal hold is none of these: no pack grants it, and no pack can take it away.
    """

    saved = "saved"
    """Its owner saved it."""
    in_use = "in_use"
    """An accepted job that uses it has not ended."""


class Store(StrEnum):
    """Where a record is; what a rule must leave nothing in."""

    database = "database"
    objects = "objects"
    keys = "keys"


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
        after: time from trigger to action, unless a brand chooses another. No time at all means at once.
        maximum: no brand may choose more.
        minimum: a legal floor: whatever was chosen, the action waits until it is reached. At most `maximum`.
        action: what happens.
        carry: stored deadline or sweep.
        exemptions: while one of these holds, a record is left alone.
        longest_job_added: the longest time a job may take is added to `after` (a cap must not cut a running job short).
        stores: what must be free of the record afterwards.
        sentence: what the notice says; `{after}` stands for the time in force, `{unless}`, right behind a word, for what exempts
            (", unless you have saved it"; a pack may take that away).
    """

    id: str
    dataset: str
    triggers: tuple[Trigger, ...]
    after: Period
    maximum: Period
    action: Action
    sentence: str
    carry: Carry = Carry.deadline
    minimum: Floor | None = None
    exemptions: tuple[Exemption, ...] = ()
    longest_job_added: bool = False
    stores: tuple[Store, ...] = (Store.database,)
    sentence_in: dict[str, str] = {}

    def due(self, trigger: datetime) -> datetime:
        """When the rule acts on what was triggered at that moment (aware), in UTC. Without `longest_job_added`."""
        due = self.after.due(trigger)
        return due if self.minimum is None else max(due, self.minimum.due(trigger))

    def cutoff(self, now: datetime) -> datetime:
        """The latest trigger that is due at `now`: `due(trigger) <= now` exactly when `trigger <= cutoff(now)`."""
        cutoff = self.after.cutoff(now)
        return cutoff if self.minimum is None else min(cutoff, self.minimum.cutoff(now))


class Egress(msgspec.Struct, frozen=True, tag="egress"):
    """What may leave: a purpose may carry these categories to these processors. All else is denied.

    Attributes:
        processors: ids of the only ones that may get it; None: any that itself declares the purpose and the categories.
        sentence: `{categories}` stands for the titles of the categories in force; a rule that names processors has
            `{processors}` for their names too.
    """

    id: str
    purpose: str
    categories: tuple[str, ...]
    sentence: str
    processors: tuple[str, ...] | None = None
    sentence_in: dict[str, str] = {}


class Answer(StrEnum):
    """What a person gets who makes use of a right."""

    copy = "copy"
    """Their data, as files that people and machines can read."""
    change = "change"
    erasure = "erasure"
    stop = "stop"
    """The use they object to, or no longer agree to, ends."""
    decision = "decision"
    """An answer with reasons."""


class Right(msgspec.Struct, frozen=True, tag="right"):
    """What a person may ask for.

    Attributes:
        request: id of a right in the catalogue.
        within: time from the request to the answer. Only falls.
        answer: what they get.
        sentence: `{within}` stands for the time in force.
    """

    id: str
    request: str
    within: Period
    answer: Answer
    sentence: str
    sentence_in: dict[str, str] = {}


class Event(StrEnum):
    """What people, or an authority, must be told of."""

    policy_changed = "policy_changed"
    personal_data_breach = "personal_data_breach"
    data_collected = "data_collected"
    picture_made = "picture_made"


class Channel(StrEnum):
    email = "email"
    notice = "notice"
    """The page with the privacy notice."""
    authority = "authority"
    """A report to the supervisory authority."""
    picture = "picture"
    """What is shown of a picture, beside it."""


class Moment(StrEnum):
    """Whether word comes before the event or after it."""

    before = "before"
    after = "after"


class Notify(msgspec.Struct, frozen=True, tag="notify"):
    """Who is told of what. Only added: one rule says one thing.

    Attributes:
        within: the most time between event and word, when `moment` is `after` and there is a limit.
        sentence: `{within}` stands for that limit, where there is one.
    """

    id: str
    event: Event
    channel: Channel
    moment: Moment
    sentence: str
    within: Period | None = None
    sentence_in: dict[str, str] = {}


class Option(StrEnum):
    """What a brand's file may ask for beyond what is in force for every brand."""

    adults_only = "adults_only"
    children_refused = "children_refused"
    """No photo with a child in it is taken in."""
    guardians_asked = "guardians_asked"
    """A photo with a child in it is taken in where a parent or guardian agreed."""


class Safeguard(msgspec.Struct, frozen=True, tag="safeguard"):
    """Something that must hold all the time. Only added: one rule says one thing.

    Attributes:
        probe: id of the probe that must pass.
        option: in force for brands that ask for it; None: for every brand.
    """

    id: str
    probe: str
    sentence: str
    sentence_in: dict[str, str] = {}
    option: Option | None = None


Rule = Retain | Egress | Right | Notify | Safeguard

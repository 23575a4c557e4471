"""How long things live: records end at a stored deadline of their own, streams are swept by age."""

from __future__ import annotations

from datetime import timedelta

from statuette.policy import Action, Carry, Retain, Trigger

_HOUR = timedelta(hours=1)
_DAY = timedelta(hours=24)  # a duration, not a date: it does not stretch when clocks change
_AT_ONCE = timedelta(0)

# Several clocks run on a photo and the earliest wins. Using it once more restarts one of them; the cap ends that.
_UPLOADS = (
    Retain(
        id="upload.used",
        dataset="uploads",
        triggers=(Trigger.used,),
        after=_HOUR,
        maximum=_DAY,
        action=Action.delete,
        exempt_while_saved=True,
        sentence=(
            "A photo is deleted {after} after the last job that uses it has ended, unless you have saved it."
            " Until then you can make another try with it."
        ),
    ),
    Retain(
        id="upload.unused",
        dataset="uploads",
        triggers=(Trigger.created,),
        after=_DAY,
        maximum=_DAY,
        action=Action.delete,
        exempt_while_saved=True,
        sentence="A photo nothing was made from is deleted {after} after it was uploaded, unless you have saved it.",
    ),
    Retain(
        id="upload.cap",
        dataset="uploads",
        triggers=(Trigger.created,),
        after=_DAY,
        maximum=_DAY,
        action=Action.delete,
        exempt_while_saved=True,
        longest_job_added=True,
        sentence=(
            "However often you use it, a photo you have not saved is deleted {after} after it was uploaded,"
            " plus at most the longest time that one job may take; a job still running then is cancelled."
        ),
    ),
    Retain(
        id="upload.saved",
        dataset="uploads",
        triggers=(Trigger.unsaved,),
        after=_HOUR,
        maximum=_DAY,
        action=Action.delete,
        exempt_while_saved=True,
        sentence="A photo you saved stays while it is saved, and is deleted {after} after you take that back.",
    ),
)

RECORDS = (
    *_UPLOADS,
    Retain(
        id="upload.asked",
        dataset="uploads",
        triggers=(Trigger.deletion_asked,),
        after=_AT_ONCE,
        maximum=_AT_ONCE,
        action=Action.delete,
        sentence="A photo, saved or not, is deleted {after} after you ask for that, and out of sight from then on.",
    ),
    Retain(
        id="figurine.keep",
        dataset="figurines",
        triggers=(Trigger.deletion_asked, Trigger.account_ended),
        after=_AT_ONCE,
        maximum=_AT_ONCE,
        action=Action.delete,
        sentence=(
            "Your figurines have no end date. They are deleted {after} after you ask for that or your account ends,"
            " smaller versions included."
        ),
    ),
    Retain(
        id="account.erase",
        dataset="accounts",
        triggers=(Trigger.deletion_asked,),
        after=timedelta(days=7),
        maximum=timedelta(days=30),
        action=Action.shred,
        sentence=(
            "Your account lasts until you ask us to erase it. What belongs to it is erased {after} after that,"
            " and the key it was encrypted with is destroyed."
        ),
    ),
)


def _stream(rule_id: str, dataset: str, lifetime: timedelta, sentence: str) -> Retain:
    return Retain(
        id=rule_id,
        dataset=dataset,
        triggers=(Trigger.created,),
        after=lifetime,
        maximum=lifetime,
        action=Action.delete,
        carry=Carry.sweep,
        sentence=sentence,
    )


STREAMS = (
    _stream(
        "session.keep",
        "sessions",
        timedelta(days=30),
        "A sign-in on one device is forgotten {after} after it was made.",
    ),
    _stream("signin.codes", "signin_codes", _DAY, "A mailed sign-in code is removed {after} after it was made."),
    _stream(
        "idempotency.keep",
        "idempotency_keys",
        _DAY,
        "The note that lets a repeated request count once is removed {after} after the first one.",
    ),
    _stream(
        "stream_ticket.keep",
        "stream_tickets",
        _HOUR,
        "A ticket for following one job live is removed {after} after it was made.",
    ),
)

"""What each outcome of a provider call does to the job. One table, meant to be read.

| outcome | the job | the user's credits |
|---|---|---|
| `succeeded` | its pictures are stored; more calls follow until `count` is reached | captured per picture |
| `blocked_input`, `blocked_output` | ends `blocked` | released |
| `no_image`, `rejected` | ends `failed` | released |
| `model_not_found` | goes on with the brand's next model; with none left it ends `failed` | held, then released |
| `rate_limited`, `unavailable` | `waiting`, again at the provider's delay; retries spent, it ends `failed` | held, then released |

A job that has pictures already when a later call ends it is `succeeded` with what it has, and pays for that only.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

import msgspec

from statuette.ports.image import (
    BlockedInput,
    BlockedOutput,
    ModelNotFound,
    NoImage,
    Outcome,
    ProviderUnavailable,
    RateLimitedByProvider,
    Rejected,
    Succeeded,
)

MAX_RETRIES = 5
MOST_PAID_IN_VAIN = 2
"""Calls of a job that cost, or may have, and brought nothing. Its next call is not made: it might go on like that."""
_LONGEST_DELAY = timedelta(minutes=2)


class State(StrEnum):
    """Where a job is. States never move backwards; the last four are terminal and never change."""

    queued = "queued"
    running = "running"
    waiting = "waiting"
    succeeded = "succeeded"
    blocked = "blocked"
    failed = "failed"
    canceled = "canceled"


UNFINISHED = (State.queued, State.running, State.waiting)


class Deliver(msgspec.Struct, frozen=True):
    """Store the pictures."""


class End(msgspec.Struct, frozen=True):
    state: State
    reason: str


class Retry(msgspec.Struct, frozen=True):
    reason: str
    delay: timedelta | None


class NextModel(msgspec.Struct, frozen=True):
    model: str


Decision = Deliver | End | Retry | NextModel


def decide(outcome: Outcome) -> Decision:
    """The table above."""
    match outcome:
        case Succeeded():
            return Deliver()
        case BlockedInput():
            return End(State.blocked, "blocked_input")
        case BlockedOutput():
            return End(State.blocked, "blocked_output")
        case NoImage():
            return End(State.failed, "no_image")
        case Rejected():
            return End(State.failed, "rejected")
        case ModelNotFound(model):
            return NextModel(model)
        case RateLimitedByProvider(retry_after):
            return Retry("rate_limited", retry_after)
        case ProviderUnavailable(retry_after=retry_after):
            return Retry("unavailable", retry_after)


def delay_before_retry(decision: Retry, retries: int) -> timedelta:
    """The provider's own delay where it named one, else doubling from 2 s; never above two minutes."""
    return min(_LONGEST_DELAY, decision.delay or timedelta(seconds=2 << retries))


def kind(outcome: Outcome) -> str:
    """The outcome's stable name."""
    return str(type(outcome).__struct_config__.tag)


def detail(outcome: Outcome) -> str | None:
    """The provider's own reason code, if any, cut to what a column holds."""
    reason = getattr(outcome, "reason", None)
    return None if reason is None else str(reason)[:120]


def cost_micros(outcome: Outcome, worst_case_micros: int) -> int:
    """What the call cost: what the provider told, or the worst case where it may have charged without telling."""
    usage = getattr(outcome, "usage", None)
    if usage is not None and usage.cost is not None:
        return int(usage.cost.micros)
    match outcome:
        case Succeeded() | BlockedInput() | BlockedOutput() | NoImage():
            return worst_case_micros
        case ProviderUnavailable(possibly_charged=True):
            return worst_case_micros
        case _:
            return 0

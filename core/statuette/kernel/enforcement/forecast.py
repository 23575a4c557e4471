"""What deadlines will do and by when, and what another policy would change about it.

A look goes over the whole table in pages by primary key, each a short read of its own: constant memory, no lock, and for ten
million deadlines minutes rather than an index that every arming would pay for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from statuette.kernel.db.database import Database, Reader
from statuette.kernel.db.sql import columns_of
from statuette.policy import EffectivePolicy

_PAGE = 2000
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


class Pending(msgspec.Struct, frozen=True):
    """A deadline as a forecast reads it."""

    id: str
    brand_id: str
    rule: str
    state: str
    armed_at: datetime | None
    due_at: datetime | None


class RuleForecast(msgspec.Struct):
    """What one rule will do to the records that exist.

    Attributes:
        unarmed: deadlines whose trigger has not happened yet.
        overdue, within_hour, within_day, within_week, later: armed ones, each in one of them.
        held: past their deadline, kept by a legal hold.
        stopped: past their deadline, stopped by a guard.
        shortened: armed or stopped ones that the policy now asked about gives an earlier moment.
        due_at_once: of these, those that would be due now.
        earliest, latest: the new moments of these.
    """

    rule: str
    unarmed: int = 0
    overdue: int = 0
    within_hour: int = 0
    within_day: int = 0
    within_week: int = 0
    later: int = 0
    held: int = 0
    stopped: int = 0
    shortened: int = 0
    due_at_once: int = 0
    earliest: datetime | None = None
    latest: datetime | None = None


class NewDue:
    """The moment at which a policy would have a deadline fall due."""

    def __init__(self, policy: EffectivePolicy, longest_job: timedelta) -> None:
        self._policy = policy
        self._longest_job = longest_job

    def of(self, deadline: Pending) -> datetime | None:
        """None: the policy does not move it. A deadline is never moved to a later moment: the earlier one was promised.

        One that a guard stopped goes back to what the rule says of it.
        """
        rule = self._policy.retain.get(deadline.rule)
        if rule is None or deadline.armed_at is None or deadline.due_at is None:
            return None
        due = rule.due(deadline.armed_at) + (self._longest_job if rule.longest_job_added else timedelta(0))
        if deadline.state == "stopped" or (deadline.state == "scheduled" and due < deadline.due_at):
            return due
        return None


async def page_of(reader: Reader, after: str, limit: int) -> list[Pending]:
    """The next deadlines by id, of every brand."""
    return await reader.all(
        Pending,
        f"SELECT {columns_of(Pending)} FROM deadline WHERE id > :after ORDER BY id LIMIT :limit",
        after=after,
        limit=limit,
    )


async def forecast(
    database: Database,
    brand_id: str,
    new_due: NewDue,
    *,
    rules: Sequence[str] = (),
    progress: Callable[[int], None] | None = None,
) -> list[RuleForecast]:
    """By rule, those with deadlines only.

    Args:
        rules: only these; none: all.
        progress: told how many deadlines were looked at, from time to time.
    """
    found: dict[str, RuleForecast] = {}
    after, seen = "", 0
    while True:
        async with database.read() as reader:
            page, now = await page_of(reader, after, _PAGE), reader.now
        for deadline in page:
            if deadline.brand_id == brand_id and (not rules or deadline.rule in rules):
                _count(found.setdefault(deadline.rule, RuleForecast(deadline.rule)), deadline, new_due, now)
        seen += len(page)
        if progress is not None:
            progress(seen)
        if len(page) < _PAGE:
            return [found[rule] for rule in sorted(found)]
        after = page[-1].id


def _count(into: RuleForecast, deadline: Pending, new_due: NewDue, now: datetime) -> None:
    if deadline.state in ("held", "stopped"):
        setattr(into, deadline.state, getattr(into, deadline.state) + 1)
    elif deadline.state in ("scheduled", "executing"):
        bucket = _bucket(deadline.due_at, now)
        setattr(into, bucket, getattr(into, bucket) + 1)
    due = new_due.of(deadline)
    if due is not None:
        into.shortened += 1
        into.due_at_once += due <= now
        into.earliest = due if into.earliest is None else min(into.earliest, due)
        into.latest = due if into.latest is None else max(into.latest, due)


def _bucket(due_at: datetime | None, now: datetime) -> str:
    if due_at is None:
        return "unarmed"
    for name, until in (("overdue", now), ("within_hour", now + _HOUR), ("within_day", now + _DAY)):
        if due_at <= until:
            return name
    return "within_week" if due_at <= now + _WEEK else "later"

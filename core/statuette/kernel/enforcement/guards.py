"""What stops a deletion before it begins: it was not forecast.

Every deadline that comes due was forecast when it was armed, so the backlog of an outage passes, however large, and a
deadline that was moved by mistake does not, be it a single one. Jumps of time are kept out by the clock itself.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from statuette.policy import Retain

FINDING = "enforcement_stopped"
"""Its subject is the rule, or a plan; its detail is the guard."""


class Guard(StrEnum):
    moved_without_plan = "moved_without_plan"
    """The deadline comes before the moment it was forecast for, and no approved plan has moved it."""
    younger_than_minimum = "younger_than_minimum"
    """A law wants the record kept for longer."""
    more_than_forecast = "more_than_forecast"
    """A plan would move more deadlines than were there when it was drafted."""
    plan_without_filter = "plan_without_filter"
    """A plan names no rule."""


def stopped_by(
    rule: Retain | None, *, now: datetime, due_at: datetime, forecast_at: datetime | None, armed_at: datetime | None
) -> Guard | None:
    """Which guard stops a deadline. One that an earlier version armed has no forecast, and passes."""
    if forecast_at is not None and due_at < forecast_at:
        return Guard.moved_without_plan
    if rule is not None and rule.minimum is not None and armed_at is not None and now < rule.minimum.due(armed_at):
        return Guard.younger_than_minimum
    return None

"""Weeks: from Monday to Monday, in UTC, named by their first day. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

_WEEK = timedelta(days=7)
_OPEN_FOR = timedelta(days=1)


class Week(msgspec.Struct, frozen=True):
    """Everything from `begins` on and before `ends`."""

    begins: datetime

    @property
    def ends(self) -> datetime:
        return self.begins + _WEEK

    @property
    def name(self) -> str:
        """`2026-11-23`."""
        return f"{self.begins:%Y-%m-%d}"

    def closed(self, now: datetime) -> bool:
        """Whether it is over for so long that no transaction of it can still be open."""
        return now >= self.ends + _OPEN_FOR


def week_of(moment: datetime) -> Week:
    """The week that a moment is in."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Week(day - timedelta(days=day.weekday()))


def week_named(name: str) -> Week:
    """The week with that first day. Raises `ValueError`."""
    week = week_of(datetime.strptime(name, "%Y-%m-%d").replace(tzinfo=UTC))
    if week.name != name:
        raise ValueError("No week begins on that day.")
    return week

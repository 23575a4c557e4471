"""Lengths of time as law and promises count them, and what holds when two of them meet.

Hours, and days of 24 hours, are durations: they always last the same. Months and years are calendar, in UTC: "a month" after
31 January is the end of February. Neither can be turned into the other, so a length is one duration, one number of months,
or both of them: `Period` then ends with whichever comes first, `Floor` with whichever comes last. That closes both under
merging: the meet of two periods, and the join of two floors, is again one, exactly, at every moment.

A day that the month in question does not have is replaced by the last moment of that month. Had it been the same hour of the
last day, a photo of the 29th could end before one of the 28th, and "everything older than" would be no single moment.

The text is ISO 8601 (`PT1H`, `P7D`, `P24M`): other languages and JSON Schema (`format: duration`) know it, it tells months from
minutes, and durations in JSON have had it here all along. Where two are joined it is `min(PT720H,P1M)` and `max(PT9000H,P12M)`.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Final, TypeVar

_TEXT = re.compile(
    r"P(?=[0-9T])(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})W)?(?:(\d{1,5})D)?"
    r"(?:T(?=[0-9])(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,11})S)?)?"
)
_DAY = timedelta(days=1)
_MONTHS_OF_A_CYCLE = 4800  # the Gregorian calendar repeats itself after 400 years
# So every number of months has shorter and longer instances, and no moment of interest leaves the calendar.
_MOST_MONTHS: Final = 1200
_MOST_DURATION: Final = timedelta(days=36_525)
_MIN = datetime.min.replace(tzinfo=UTC)
_MAX = datetime.max.replace(tzinfo=UTC)

_Self = TypeVar("_Self", bound="_Length")


class _Length:
    """One duration, one number of months, or both; in the one form that its meaning has. Immutable and hashable."""

    __slots__ = ("_duration", "_months")
    _joined: ClassVar[str]

    def __init__(
        self,
        *,
        years: int = 0,
        months: int = 0,
        weeks: int = 0,
        days: int = 0,
        hours: int = 0,
        minutes: int = 0,
        seconds: int = 0,
    ) -> None:
        """Either calendar (`years`, `months`) or a duration (all others). Nothing given is no time at all.

        Raises:
            ValueError: both kinds at once, a negative number, or more than 100 years.
        """
        parts = (years, months, weeks, days, hours, minutes, seconds)
        if any(part < 0 for part in parts):
            raise ValueError("A length of time is not negative.")
        calendar_months = 12 * years + months
        duration = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        if calendar_months and duration:
            raise ValueError("A length of time is either calendar or a duration; join two with & or |.")
        self._set(None if calendar_months else duration, calendar_months or None)

    def _set(self, duration: timedelta | None, months: int | None) -> None:
        if (months or 0) > _MOST_MONTHS or (duration or timedelta(0)) > _MOST_DURATION:
            raise ValueError("A length of time is at most 100 years.")
        self._duration, self._months = self._pruned(duration, months)

    @staticmethod
    def _pruned(duration: timedelta | None, months: int | None) -> tuple[timedelta | None, int | None]:
        """Without the part that never decides, so that equal meanings are equal values."""
        raise NotImplementedError

    @classmethod
    def _of(cls: type[_Self], duration: timedelta | None, months: int | None) -> _Self:
        made = cls.__new__(cls)
        made._set(duration, months)
        return made

    @classmethod
    def lasting(cls: type[_Self], duration: timedelta) -> _Self:
        """A duration. Raises `ValueError` for a negative one, or one with fractions of a second."""
        if duration < timedelta(0) or duration.microseconds:
            raise ValueError("A length of time is a whole number of seconds, and not negative.")
        return cls._of(duration, None)

    @classmethod
    def parse(cls: type[_Self], text: str) -> _Self:
        """The inverse of `str`. Raises `ValueError`, as the constructor does."""
        if text.startswith(f"{cls._joined}(") and text.endswith(")"):
            parts = [cls._one(part) for part in text.removeprefix(f"{cls._joined}(")[:-1].split(",")]
            if [part._months is None for part in parts] != [True, False]:
                raise ValueError(f"Not a length of time: {text[:40]!r}; it joins a duration and months, in this order.")
            return cls._of(parts[0]._duration, parts[1]._months)
        return cls._one(text)

    @classmethod
    def _one(cls: type[_Self], text: str) -> _Self:
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"Not a length of time: {text[:40]!r}; write for example PT1H, P7D or P24M.")
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return cls(years=years, months=months, weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)

    @property
    def duration(self) -> timedelta | None:
        """The part that is a duration."""
        return self._duration

    @property
    def months(self) -> int | None:
        """The part that is calendar."""
        return self._months

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, _Length)
        return (self._duration, self._months) == (other._duration, other._months)

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._duration, self._months))

    def __str__(self) -> str:
        texts = [_duration_text(self._duration)] if self._duration is not None else []
        if self._months is not None:
            texts.append(f"P{self._months}M")
        return texts[0] if len(texts) == 1 else f"{self._joined}({','.join(texts)})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}.parse({str(self)!r})"

    def _dues(self, start: datetime) -> list[datetime]:
        start = _utc(start)
        dues = [_within(start, self._duration)] if self._duration is not None else []
        if self._months is not None:
            dues.append(_months_later(start, self._months))
        return dues

    def _cutoffs(self, now: datetime) -> list[datetime]:
        now = _utc(now)
        cutoffs = [_within(now, -self._duration)] if self._duration is not None else []
        if self._months is not None:
            cutoffs.append(_latest_start(now, self._months))
        return cutoffs


class Period(_Length):
    """A time within which something happens. Of two, the earlier moment counts: `a & b`, the greatest that is within both.

    `a <= b` says that a never ends later than b, whenever it begins. Two may be incomparable (30 days, one month).
    """

    __slots__ = ()
    _joined = "min"

    @staticmethod
    def _pruned(duration: timedelta | None, months: int | None) -> tuple[timedelta | None, int | None]:
        if duration is None or months is None:
            return duration, months
        if duration <= shortest(months):
            return duration, None
        return (None, months) if duration >= longest(months) else (duration, months)

    def due(self, start: datetime) -> datetime:
        """When a period that begins at `start` (aware) ends, in UTC. Never earlier for a later start."""
        return min(self._dues(start))

    def cutoff(self, now: datetime) -> datetime:
        """The latest start whose period has ended at `now`: `due(start) <= now` exactly when `start <= cutoff(now)`."""
        return max(self._cutoffs(now))

    @property
    def shortest(self) -> timedelta:
        """What it lasts at least. Of a meet, the smaller of both."""
        parts = [self._duration] if self._duration is not None else []
        return min([*parts, shortest(self._months)] if self._months is not None else parts)

    def __and__(self, other: Period) -> Period:
        return Period._of(_smaller(self._duration, other._duration), _smaller(self._months, other._months))

    def __le__(self, other: Period) -> bool:
        return self & other == self


class Floor(_Length):
    """A time before whose end something must not happen. Of two, the later moment counts: `a | b`."""

    __slots__ = ()
    _joined = "max"

    @staticmethod
    def _pruned(duration: timedelta | None, months: int | None) -> tuple[timedelta | None, int | None]:
        if duration is None or months is None:
            return duration, months
        if duration >= longest(months):
            return duration, None
        return (None, months) if duration <= shortest(months) else (duration, months)

    def due(self, start: datetime) -> datetime:
        """When the floor of something that began at `start` (aware) is reached, in UTC."""
        return max(self._dues(start))

    def cutoff(self, now: datetime) -> datetime:
        """The latest start whose floor is reached at `now`."""
        return min(self._cutoffs(now))

    def __or__(self, other: Floor) -> Floor:
        return Floor._of(_larger(self._duration, other._duration), _larger(self._months, other._months))

    def __le__(self, other: Floor) -> bool:
        return self | other == other

    def within(self, period: Period) -> bool:
        """Whether the floor is never reached later than the period ends."""
        return all(_never_later(mine, theirs) for mine in _parts(self) for theirs in _parts(period))

    def never_before(self, period: Period) -> bool:
        """Whether the floor is never reached before the period ends, so that the floor alone decides."""
        return any(_never_later(theirs, mine) for mine in _parts(self) for theirs in _parts(period))


AT_ONCE = Period()


def _parts(length: _Length) -> list[timedelta | int]:
    return [part for part in (length.duration, length.months) if part is not None]


def _never_later(one: timedelta | int, other: timedelta | int) -> bool:
    """Whether a part never ends later than another: durations as they are, months by their shortest or longest instance."""
    if isinstance(one, int) and isinstance(other, int):
        return one <= other
    one_at_most = longest(one) if isinstance(one, int) else one
    other_at_least = shortest(other) if isinstance(other, int) else other
    return one_at_most <= other_at_least


_Part = TypeVar("_Part", int, timedelta)


def _smaller(one: _Part | None, other: _Part | None) -> _Part | None:
    return other if one is None else one if other is None else min(one, other)


def _larger(one: _Part | None, other: _Part | None) -> _Part | None:
    return other if one is None else one if other is None else max(one, other)


def _duration_text(duration: timedelta) -> str:
    """One spelling: days from two on, since 24 hours are told and counted as hours."""
    days = duration.days if duration >= 2 * _DAY else 0
    rest = duration // timedelta(seconds=1) - days * 86_400
    hours, minutes, seconds = rest // 3600, rest // 60 % 60, rest % 60
    text = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    date = f"P{days}D" if days else "P"
    return f"{date}T{text}" if text else date if days else "PT0S"


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("A moment without a time zone is no moment.")
    return moment.astimezone(UTC)


def _within(moment: datetime, distance: timedelta) -> datetime:
    try:
        return moment + distance
    except OverflowError:
        return _MAX if distance > timedelta(0) else _MIN


def _months_later(start: datetime, months: int) -> datetime:
    year, month = _shifted(start, months)
    if year > 9999:
        return _MAX
    days = calendar.monthrange(year, month)[1]
    if start.day > days:
        return _last_moment(year, month)
    return start.replace(year=year, month=month)


def _latest_start(now: datetime, months: int) -> datetime:
    year, month = _shifted(now, -months)
    if year < 1:
        return _MIN
    days = calendar.monthrange(year, month)[1]
    # At the last moment of a month those of the days that it lacks have ended as well.
    if now.day > days or now == _last_moment(now.year, now.month):
        return _last_moment(year, month)
    return now.replace(year=year, month=month)


def _shifted(moment: datetime, months: int) -> tuple[int, int]:
    year, month = divmod(12 * moment.year + moment.month - 1 + months, 12)
    return year, month + 1


def _last_moment(year: int, month: int) -> datetime:
    return datetime(year, month, calendar.monthrange(year, month)[1], 23, 59, 59, 999_999, UTC)


@lru_cache(maxsize=256)
def shortest(months: int) -> timedelta:
    """The least that so many calendar months can last. A month: 28 days."""
    return min(lasts - timedelta(days=max(0, own - last)) for lasts, own, last in _instances(months))


@lru_cache(maxsize=256)
def longest(months: int) -> timedelta:
    """The most that so many calendar months can last. A month: 31 days."""
    return max(lasts for lasts, _, _ in _instances(months))


def _instances(months: int) -> list[tuple[timedelta, int, int]]:
    """Of every month of the calendar: the time from its first day until the months are over; its days; those of the last."""
    lengths = _lengths()
    starts = [0]
    for days in (*lengths, *lengths):
        starts.append(starts[-1] + days)
    return [
        (timedelta(days=starts[at + months] - starts[at]), lengths[at], lengths[(at + months) % _MONTHS_OF_A_CYCLE])
        for at in range(_MONTHS_OF_A_CYCLE)
    ]


@lru_cache(maxsize=1)
def _lengths() -> tuple[int, ...]:
    return tuple(calendar.monthrange(2000 + at // 12, at % 12 + 1)[1] for at in range(_MONTHS_OF_A_CYCLE))

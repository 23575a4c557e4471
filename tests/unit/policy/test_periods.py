"""Lengths of time: due moments by the calendar, the meet of two, and the moment that a sweep goes back to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from statuette.policy import AT_ONCE, Floor, Period
from statuette.policy.periods import longest, shortest
from statuette.policy.words import in_words

moments = st.datetimes(datetime(1990, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
durations = st.one_of(
    st.integers(0, 3 * 366 * 24).map(lambda count: Period(hours=count)),
    st.integers(0, 800).map(lambda count: Period(days=count)),
)
calendars = st.integers(0, 30).map(lambda count: Period(months=count))
periods = st.one_of(durations, calendars, st.builds(lambda one, other: one & other, durations, calendars))
floors = st.one_of(
    st.integers(0, 800).map(lambda count: Floor(days=count)),
    st.integers(0, 30).map(lambda count: Floor(months=count)),
    st.builds(lambda d, m: Floor(days=d) | Floor(months=m), st.integers(0, 800), st.integers(0, 30)),
)
LAST = {"hour": 23, "minute": 59, "second": 59, "microsecond": 999_999}


def at(year: int, month: int, day: int, hour: int = 10, **more: int) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC, **more)


@pytest.mark.parametrize(
    ("start", "period", "due"),
    [
        (at(2025, 3, 10), Period(hours=24), at(2025, 3, 11)),
        (at(2025, 3, 10), Period(months=1), at(2025, 4, 10)),
        (at(2025, 12, 15), Period(months=2), at(2026, 2, 15)),
        (at(2024, 2, 29), Period(years=4), at(2028, 2, 29)),
        (at(2024, 2, 28), Period(years=1), at(2025, 2, 28)),
        (at(2024, 2, 29), Period(years=1), at(2025, 2, 28).replace(**LAST)),
        (at(2025, 1, 31), Period(months=1), at(2025, 2, 28).replace(**LAST)),
        (at(2024, 1, 31), Period(months=1), at(2024, 2, 29).replace(**LAST)),
        (at(2025, 1, 28), Period(months=1), at(2025, 2, 28)),
        (at(2023, 3, 1), Period(months=24), at(2025, 3, 1)),
    ],
)
def test_months_and_years_follow_the_calendar_and_hours_do_not(start: datetime, period: Period, due: datetime) -> None:
    assert period.due(start) == due


def test_a_moment_of_another_zone_is_counted_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))

    assert Period(months=1).due(datetime(2025, 3, 1, 3, tzinfo=tokyo)) == at(2025, 3, 28, 18)
    with pytest.raises(ValueError, match="time zone"):
        Period(hours=1).due(datetime(2025, 3, 1))  # noqa: DTZ001


@given(periods, moments, moments)
@example(Period(months=1), at(2025, 1, 28, 13), at(2025, 1, 29, 11))
def test_what_begins_later_never_ends_earlier(period: Period, one: datetime, other: datetime) -> None:
    first, second = sorted([one, other])

    assert period.due(first) <= period.due(second)


@given(periods, moments, st.integers(-40 * 86_400, 40 * 86_400), st.sampled_from([0, 1, 999_999]))
@example(Period(months=1), at(2025, 2, 28).replace(**LAST), 0, 0)
@example(Period(months=12), at(2025, 2, 28), 0, 0)
def test_a_sweep_takes_exactly_what_is_due(period: Period, now: datetime, seconds: int, micros: int) -> None:
    cutoff = period.cutoff(now)

    for created in (
        cutoff,
        cutoff + timedelta(microseconds=1),
        cutoff + timedelta(seconds=seconds, microseconds=micros),
    ):
        assert (period.due(created) <= now) == (created <= cutoff)


@given(periods, moments, moments)
def test_a_sweep_takes_what_is_due_whenever_it_was_made(period: Period, now: datetime, created: datetime) -> None:
    assert (period.due(created) <= now) == (created <= period.cutoff(now))


@given(floors, moments, moments)
def test_a_floor_has_a_sweep_as_exact(floor: Floor, now: datetime, created: datetime) -> None:
    assert (floor.due(created) <= now) == (created <= floor.cutoff(now))


@given(periods, periods, moments)
def test_the_meet_ends_with_whichever_comes_first(one: Period, other: Period, start: datetime) -> None:
    assert (one & other).due(start) == min(one.due(start), other.due(start))


@given(periods, periods, periods)
def test_the_meet_is_idempotent_commutative_associative_and_monotone(one: Period, two: Period, three: Period) -> None:
    assert one & one == one
    assert one & two == two & one
    assert (one & two) & three == one & (two & three)
    assert one & two <= one and one & two <= two
    if one <= two:
        assert one & three <= two & three
    if three <= one and three <= two:
        assert three <= one & two


@given(floors, floors, floors, moments)
def test_the_join_of_floors_ends_with_whichever_comes_last(
    one: Floor, two: Floor, three: Floor, start: datetime
) -> None:
    assert (one | two).due(start) == max(one.due(start), two.due(start))
    assert one | one == one
    assert one | two == two | one
    assert (one | two) | three == one | (two | three)
    assert one <= one | two


@given(periods, periods, moments)
def test_what_is_said_to_be_no_longer_never_ends_later(one: Period, other: Period, start: datetime) -> None:
    if one <= other:
        assert one.due(start) <= other.due(start)


@pytest.mark.parametrize("months", [1, 2, 3, 11, 12, 13, 24, 48])
def test_the_shortest_and_longest_that_months_can_last_are_met_and_never_passed(months: int) -> None:
    # Round the turn of two centuries: 2000 has a 29 February, 2100 has none.
    starts = [at(year, 1, 1, 0) + timedelta(days=count) for year in (1997, 2095) for count in range(4 * 1461)]
    starts += [start.replace(**LAST) for start in starts]
    lasted = [Period(months=months).due(start) - start for start in starts]

    assert min(lasted) == shortest(months)
    assert max(lasted) == longest(months)


def test_days_and_months_are_compared_where_the_calendar_lets_them() -> None:
    month = Period(months=1)

    assert Period(days=28) <= month <= Period(days=31)
    assert not Period(days=29) <= month and not month <= Period(days=30)
    assert Period(days=28) & month == Period(days=28) and Period(days=31) & month == month
    assert str(Period(days=30) & month) == "min(P30D,P1M)"
    assert Period(days=730) <= Period(months=24) <= Period(days=731)


@given(floors, periods, moments)
def test_a_floor_within_a_period_is_never_reached_after_it(floor: Floor, period: Period, start: datetime) -> None:
    if floor.within(period):
        assert floor.due(start) <= period.due(start)
    if floor.never_before(period):
        assert floor.due(start) >= period.due(start)


@given(st.one_of(periods, floors))
def test_text_is_read_as_it_was_written(length: Period | Floor) -> None:
    assert type(length).parse(str(length)) == length
    assert hash(type(length).parse(str(length))) == hash(length)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("PT1H", Period(hours=1)),
        ("PT2700S", Period(minutes=45)),
        ("P1D", Period(hours=24)),
        ("P2W", Period(days=14)),
        ("P1DT12H", Period(hours=36)),
        ("P2Y", Period(months=24)),
        ("P1Y6M", Period(months=18)),
        ("P0M", AT_ONCE),
        ("PT0S", AT_ONCE),
    ],
)
def test_iso_8601_is_understood(text: str, period: Period) -> None:
    assert Period.parse(text) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "1h",
        "P-1D",
        "P1M1D",
        "P1H",
        "PT1.5H",
        "P101Y",
        "P40000D",
        "min(P1M,P1D)",
        "min(P1M)",
        "max(P1D,P1M)",
    ],
)
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="length of time"):
        Period.parse(text)


def test_a_length_is_calendar_or_a_duration_and_never_negative() -> None:
    for wrong in ({"months": 1, "days": 1}, {"hours": -1}):
        with pytest.raises(ValueError, match="length of time"):
            Period(**wrong)
    with pytest.raises(ValueError, match="whole number of seconds"):
        Period.lasting(timedelta(microseconds=1))
    assert Period.lasting(timedelta(minutes=3)) == Period(minutes=3)


def test_the_ends_of_the_calendar_are_not_passed() -> None:
    assert Period(years=100).due(datetime.max.replace(tzinfo=UTC)) == datetime.max.replace(tzinfo=UTC)
    assert Period(days=1).cutoff(datetime.min.replace(tzinfo=UTC)) == datetime.min.replace(tzinfo=UTC)
    assert Period(months=1).cutoff(datetime.min.replace(tzinfo=UTC)) == datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "english", "german"),
    [
        (AT_ONCE, "immediately", "unmittelbar"),
        (Period(minutes=1), "1 minute", "1 Minute"),
        (Period(hours=1), "1 hour", "1 Stunde"),
        (Period(minutes=90), "1 hour 30 minutes", "1 Stunde 30 Minuten"),
        (Period(hours=24), "24 hours", "24 Stunden"),
        (Period(hours=25), "25 hours", "25 Stunden"),
        (Period(days=7), "7 days", "7 Tage"),
        (Period(days=2, hours=3), "2 days 3 hours", "2 Tage 3 Stunden"),
        (Period(seconds=61), "2 minutes", "2 Minuten"),
        (Period(months=18), "18 months", "18 Monate"),
        (Period(months=24), "2 years", "2 Jahre"),
        (
            Period(months=1) & Period(days=30),
            "30 days or 1 month (whichever is shorter)",
            "30 Tage oder 1 Monat (je nachdem, was kürzer ist)",
        ),
        (
            Floor(months=1) | Floor(days=30),
            "30 days or 1 month (whichever is longer)",
            "30 Tage oder 1 Monat (je nachdem, was länger ist)",
        ),
    ],
)
def test_times_are_told_in_words(length: Period | Floor, english: str, german: str) -> None:
    assert in_words(length) == english
    assert in_words(length, "de") == german


def test_german_has_another_form_after_within() -> None:
    assert in_words(Period(days=7), "de", within=True) == "7 Tagen"
    assert in_words(Period(months=1), "de", within=True) == "1 Monat"

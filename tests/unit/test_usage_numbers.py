"""Weeks, and the noise that is added to numbers by week."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from statuette.kernel.domain.usage import noise
from statuette.kernel.domain.usage.weeks import week_named, week_of

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)


def test_a_week_is_a_week() -> None:
    assert week_of(datetime(2026, 1, 11, 23, 59, 59, tzinfo=UTC)).name == week_of(MONDAY).name == "2026-01-05"
    assert week_of(MONDAY - timedelta(microseconds=1)).name == "2025-12-29"
    assert week_named("2026-01-05").ends == MONDAY + WEEK
    with pytest.raises(ValueError, match="week"):
        week_named("2026-01-06")


def test_noise_is_drawn_as_it_says() -> None:
    drawn = Counter(noise.two_sided(1) for _ in range(20_000))
    far = [noise.two_sided(10) for _ in range(20_000)]

    assert drawn[0] == pytest.approx(20_000 / 3, rel=0.06)
    assert drawn[1] == pytest.approx(20_000 / 6, rel=0.1) and drawn[-1] == pytest.approx(20_000 / 6, rel=0.1)
    ratio = 2**-0.1
    assert sum(each * each for each in far) / len(far) == pytest.approx(2 * ratio / (1 - ratio) ** 2, rel=0.1)
    assert sum(far) / len(far) == pytest.approx(0, abs=0.8)

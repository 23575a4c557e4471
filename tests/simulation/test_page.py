"""The page about sizes says what is known now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.assumed import Mix
from tests.simulation.demand import demand
from tests.simulation.measured import load
from tests.simulation.page import BEGIN, END, rests_on, with_tables
from tests.simulation.sizing import SEED, Sizing, digest
from tests.simulation.volumes import volumes

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "sizing.md"


def test_the_page_rests_on_the_measurements_and_assumptions_of_now() -> None:
    """If not: `python -m tests.simulation --write docs/explanation/sizing.md`."""
    tables = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]

    assert rests_on(digest(load(), SEED), SEED) in tables


def test_a_page_without_markers_is_refused() -> None:
    measured, mix = load(), Mix()
    sizing = Sizing(SEED, "", measured.machine, mix, demand(measured, mix), 1.0, ())

    with pytest.raises(ValueError, match="lacks the lines"):
        with_tables("# A page", sizing)


def test_what_stays_is_divided_by_time_into_parts_of_at_most_100_gb() -> None:
    days = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, None: 365}

    found = volumes(load().sizes, 12_000_000)

    assert found[0].bytes_after_a_month >= found[-1].bytes_after_a_month
    assert all(each.bytes_a_day * days[each.partition] <= 100e9 for each in found if each.kept_days is None)

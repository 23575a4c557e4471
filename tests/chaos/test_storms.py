"""A short storm on each profile, in every run of the suite. Longer ones: `make chaos`."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from tests.chaos.deployment import Embedded
from tests.chaos.faults import processes_of_embedded
from tests.chaos.storm import Limits, storm
from tests.profiles import PROFILES, ProfileName
from tests.soak import effort

_FAULTS = effort(3, soaking=12)


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_site_to_which_everything_happens_loses_nothing_and_charges_nothing_twice(profile: ProfileName) -> None:
    # Given people who upload, order, cancel, change their minds and delete, on a real site in processes of its own
    seed = random.SystemRandom().randrange(1_000_000)

    # When whatever can is killed, stopped, paused and cut off at random moments of the jobs' lives
    report = await storm(seed, profile, Limits(seconds=effort(40, soaking=180), faults=_FAULTS))
    print(report)

    # Then, once everything has settled, every invariant holds
    assert report.faults.total() >= _FAULTS
    assert report.states["succeeded"] > 0
    assert report.ledger == "The ledger adds up."
    assert report.wrong == [], str(report)


async def test_a_seed_says_all_there_is_to_say_about_faults(tmp_path: Path) -> None:
    # Given one track of faults
    track = processes_of_embedded(Embedded(tmp_path, {}))

    # When it is asked for those of a seed twice, and for those of another
    one, again, other = (list(itertools.islice(track.faults(seed), 50)) for seed in (1, 1, 2))

    # Then the same seed gives the same faults, and they are of every kind
    assert one == again != other
    assert {fault.kind for fault in one} == set(track.kinds)

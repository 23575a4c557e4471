"""A short storm, in every run of the suite. A longer one: `make chaos`."""

from __future__ import annotations

import random

from tests.chaos.storm import storm

KILLS = 6


async def test_a_server_killed_again_and_again_loses_nothing_and_charges_nothing_twice() -> None:
    # Given people who upload, order, cancel and delete, on a real server with a real database and store
    seed = random.SystemRandom().randrange(1_000_000)

    # When the server is killed at random moments of the jobs' lives, and started again each time
    report = await storm(seed, kills=KILLS)

    print(report)

    # Then, once everything has settled, every invariant holds
    assert report.kills == KILLS
    assert report.states["succeeded"] > 0, report
    assert not report.wrong, report.wrong

"""Rate limits of one process: what it keeps is bounded, whoever comes."""

from __future__ import annotations

import pytest

from statuette.kernel.http.limits import Buckets, TooManyRequests
from statuette.testing import FrozenClock

MOST = 50_000


def test_what_others_are_to_be_told_is_bounded_while_nobody_asks_for_it(clock: FrozenClock) -> None:
    # Given limits that are shared, and nobody to tell
    buckets = Buckets(clock)
    buckets.share()

    # When more callers come than a process keeps in mind, and one of the first again
    for number in range(MOST + 1_000):
        buckets.take(f"caller {number}", limit=2, window_seconds=60)
    buckets.take("caller 0", limit=2, window_seconds=60)

    # Then so many are told of, and the one that was known is counted
    spent = buckets.spent()
    assert len(spent) == MOST
    assert spent["caller 0"].tokens == 2


def test_a_caller_of_whom_others_are_not_told_is_limited_here_all_the_same(clock: FrozenClock) -> None:
    buckets = Buckets(clock)
    buckets.share()
    for number in range(MOST):
        buckets.take(f"caller {number}", limit=2, window_seconds=60)

    for _ in range(2):
        buckets.take("the last", limit=2, window_seconds=60)

    with pytest.raises(TooManyRequests):
        buckets.take("the last", limit=2, window_seconds=60)

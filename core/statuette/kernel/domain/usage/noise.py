"""Whole numbers that are added to a count so that nobody's part in it can be told. Pure, but for the system's randomness.

Somebody who knows what everybody else in a cell did would read the last one's part off an exact count. The noise is two-sided
geometric: of a number that one account can change by `reach` / 2, no value becomes more than √2 times as likely, or as unlikely,
by that account (ε = ln 2 / 2). It is drawn in whole numbers from coin tosses, since noise in floating point gives itself away by
its last digits.
"""

from __future__ import annotations

import secrets
from random import SystemRandom

_DIE = SystemRandom()


def two_sided(reach: int) -> int:
    """Noise of which each value is half as likely as the one that is nearer to 0 by `reach`, at least 1."""
    return _geometric(reach) - _geometric(reach)


def _geometric(reach: int) -> int:
    """k with a probability that halves every `reach`: how often it halves is tossed, where in between is drawn."""
    heads = 0
    while secrets.randbits(1):
        heads += 1
    within = _DIE.choices(range(reach), [2 ** (-each / reach) for each in range(reach)])[0] if reach > 1 else 0
    return heads * reach + within

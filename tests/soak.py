"""How much is tried: enough to notice in every run of the suite, and as much as there is time for in `make soak`."""

from __future__ import annotations

import os

SOAKING = bool(os.environ.get("SOAK"))


def effort(in_the_suite: int, *, soaking: int) -> int:
    """A number of examples, rows, people, seconds or faults."""
    return soaking if SOAKING else in_the_suite

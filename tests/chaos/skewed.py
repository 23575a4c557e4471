"""Program: `statuette` on a machine whose clock is wrong: `python -m tests.chaos.skewed SECONDS worker`."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from statuette.kernel.cli.main import main
from statuette.values import SystemClock


def skew(seconds: float) -> None:
    """Make every system clock of this process so many seconds fast."""
    right = SystemClock.now

    def wrong(clock: SystemClock) -> datetime:
        return right(clock) + timedelta(seconds=seconds)

    SystemClock.now = wrong  # type: ignore[method-assign]


if __name__ == "__main__":
    skew(float(sys.argv.pop(1)))
    main()

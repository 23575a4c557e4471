"""`python -m tests.chaos --seed N --minutes M`: storms one after the other, each from a folder of its own."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.chaos.storm import storm


async def main(seed: int, minutes: float, people: int) -> int:
    print(f"seed {seed}: repeat with `make chaos SEED={seed} MINUTES={minutes:g}`", flush=True)
    report = await storm(seed, seconds=minutes * 60, people=people)
    print(report)
    return int(bool(report.wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--people", type=int, default=4)
    arguments = parser.parse_args()
    sys.exit(asyncio.run(main(arguments.seed, arguments.minutes, arguments.people)))

"""`python -m tests.chaos --profile cluster --seed N --minutes M --jobs J`: a storm on a deployment of its own."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.chaos.storm import Limits, storm
from tests.profiles import PROFILES

_PEOPLE = {"embedded": 4, "cluster": 12}


async def main(arguments: argparse.Namespace) -> int:
    wanted = f"PROFILE={arguments.profile} SEED={arguments.seed} MINUTES={arguments.minutes:g}"
    wanted += f" JOBS={arguments.jobs}" if arguments.jobs else ""
    print(f"seed {arguments.seed}: repeat with `make chaos {wanted}`", flush=True)
    limits = Limits(seconds=arguments.minutes * 60, jobs=arguments.jobs)
    people = arguments.people or _PEOPLE[arguments.profile]
    report = await storm(
        arguments.seed, arguments.profile, limits, people=people, says=lambda line: print(line, flush=True)
    )
    print(report)
    return int(bool(report.wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="embedded")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=5.0, help="the longest that it rages")
    parser.add_argument("--jobs", type=int, help="it is over once so many were ordered")
    parser.add_argument("--people", type=int)
    sys.exit(asyncio.run(main(parser.parse_args())))

"""`make demo PROFILE=cluster` does what its page promises, and says so by its exit code."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
JOBS = 10


async def test_the_demo_of_the_cluster_loses_nothing_and_adds_up() -> None:
    # When some figurines are made while processes are killed
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.demo", "--jobs", str(JOBS), "--seed", "7", "--json"),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        told, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()

    # Then each has ended, told of in a trace of its own unless a worker took that along, and the account is right
    assert process.returncode == 0, f"{told.decode()}\n{complaints.decode()}"
    account = json.loads(told)
    # A job whose call was killed twice is not paid for a third time.
    assert account["states"].get("succeeded", 0) + account["states"].get("failed", 0) == JOBS
    assert account["states"]["succeeded"] >= JOBS - 2
    assert 0 < account["traces"] <= JOBS
    assert (account["wrong"], account["overdue"]) == ([], 0)
    assert account["ledger"] == "The ledger adds up."
    # And something happened that might have prevented it
    assert sum(account["kills"].values()) >= 1
    assert account["calls"] >= JOBS

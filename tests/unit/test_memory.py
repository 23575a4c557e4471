"""Photos that have gone take no memory, in a process of the cluster."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own, since what is tested cannot be taken back. Photos come and go in turns, and something small that stays
# is allocated with each: the pattern of calls in flight.
_COME_AND_GO = """
import pathlib, sys
from statuette.kernel.cli.memory import give_back_large_buffers

def resident_megabytes():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

if sys.argv[1] == "yes":
    give_back_large_buffers()
stay, before = [], resident_megabytes()
for _ in range(3):
    photos = []
    for _ in range(100):
        photos.append(bytearray(400_000))
        stay.append(bytearray(2000))
    photos.clear()
print(resident_megabytes() - before)
"""


def _kept_megabytes(given_back: str) -> float:
    """What a process holds more than before the photos came."""
    told = subprocess.run(
        [sys.executable, "-c", _COME_AND_GO, given_back], capture_output=True, text=True, check=True, timeout=60
    )
    return float(told.stdout)


def test_the_memory_of_photos_that_have_gone_is_the_systems_again() -> None:
    assert _kept_megabytes("yes") < 10

"""What one encrypted field costs: sealed and opened as the platform does it for every personal column it writes or reads."""

from __future__ import annotations

import os
import statistics
import time

from statuette.kernel.db.encryption import FieldCipher
from statuette.testing.memory_key_store import MemoryKeyStore
from statuette.values import SystemClock
from tests.bench.report import Figure, at_most

_PEOPLE = 500
_ROUNDS = 9
_VALUES_OF_EACH = 10
_ADDRESS = "somebody.with.a.longer.name@mail.example.org"


async def measure() -> list[Figure]:
    cipher = FieldCipher(MemoryKeyStore(), os.urandom(32), SystemClock())
    people = [f"acc_{number:026}" for number in range(_PEOPLE)]
    sealing, opening = [], []
    for _ in range(_ROUNDS):
        for person in people:  # their keys are at hand, as within a request
            await cipher.prepare(person)
        began = time.process_time()
        sealed = [
            (person, await cipher.seal(person, "email", _ADDRESS)) for person in people for _ in range(_VALUES_OF_EACH)
        ]
        sealing.append((time.process_time() - began) / len(sealed))
        began = time.process_time()
        for person, blob in sealed:
            await cipher.open(person, "email", blob)
        opening.append((time.process_time() - began) / len(sealed))
    how = f"CPU, median of {_ROUNDS} × {_PEOPLE * _VALUES_OF_EACH} values of {len(_ADDRESS)} bytes, {_PEOPLE} people's keys"
    return [
        at_most("sealing a personal field", statistics.median(sealing) * 1e6, 30, how, "µs"),
        at_most("opening a personal field", statistics.median(opening) * 1e6, 30, how, "µs"),
    ]

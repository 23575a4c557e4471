"""The whole of it: what one machine serves, and what each factor of it needs, from the measurement and a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tests.simulation import assumed
from tests.simulation.assumed import Mix
from tests.simulation.demand import Demand, demand
from tests.simulation.deployment import Deployment
from tests.simulation.growth import Growth, grown, served_by_one_machine
from tests.simulation.measured import Machine, Measured, load

FACTORS = (1, 10, 30, 100)
SEED = 1


class Sizing(msgspec.Struct, frozen=True):
    """`one`: orders a second at the peak that one machine serves. `digest`: of what it all rests on."""

    seed: int
    digest: str
    machine: Machine
    mix: Mix
    demand: Demand
    one: float
    growths: tuple[Growth, ...]

    def jobs_a_day(self, rate: float) -> float:
        """When the busiest hour is so busy."""
        return rate / self.mix.peak * 86_400


def sized(
    *, seed: int = SEED, factors: Sequence[int] = FACTORS, told: Callable[[str], None] = lambda _: None
) -> Sizing:
    """Each factor goes on from what the one before needed. `told` hears what is under way."""
    measured, mix = load(), Mix()
    told("what one machine serves")
    one = served_by_one_machine(measured, mix, seed)
    deployment, growths = Deployment(machine_cores=measured.machine.cores), list[Growth]()
    for factor in factors:
        told(f"{factor} times as much: {factor * one:.1f} orders a second")
        growths.append(grown(deployment, measured, mix, seed, factor=factor, one=one))
        deployment = growths[-1].deployment
    return Sizing(seed, digest(measured, seed), measured.machine, mix, demand(measured, mix), one, tuple(growths))


def digest(measured: Measured, seed: int) -> str:
    """Of the measurement, the assumptions and the seed: tells whether tables are still those of what is known now."""
    assumptions = Path(assumed.__file__).read_bytes()
    return hashlib.sha256(measured.digest().encode() + assumptions + str(seed).encode()).hexdigest()[:12]

"""From what one machine serves to many times as much: what gives way first, what is done about it, and again, until it holds."""

from __future__ import annotations

import msgspec

from tests.simulation.assumed import Mix
from tests.simulation.demand import demand
from tests.simulation.deployment import Deployment
from tests.simulation.measured import Measured
from tests.simulation.model import Outcome, simulate
from tests.simulation.remedies import Bottleneck, bottleneck, remedied

_PROBED_JOBS = 700
_MOST_STEPS = 60
_FINEST_RATE = 0.1


class Step(msgspec.Struct, frozen=True):
    bottleneck: Bottleneck
    remedy: str


class Growth(msgspec.Struct, frozen=True):
    """How `factor` times the rate of one machine came to be served.

    Attributes:
        steps: in the order in which something gave way.
        deployment: that serves it, and `outcome`, how.
    """

    factor: int
    rate: float
    steps: tuple[Step, ...]
    deployment: Deployment
    outcome: Outcome


def served_by_one_machine(measured: Measured, mix: Mix, seed: int) -> float:
    """Orders a second, the most that a single machine with everything on it serves; in tenths."""
    machine = Deployment(machine_cores=measured.machine.cores)
    enough, too_many = 0.0, 1000 * machine.machine_cores / demand(measured, mix).machine_ms(machine.processes)
    while too_many - enough > _FINEST_RATE:
        rate = (enough + too_many) / 2
        if bottleneck(machine, simulate(machine, measured, rate, mix=mix, seed=seed)) is None:
            enough = rate
        else:
            too_many = rate
    return max(_FINEST_RATE, int(enough / _FINEST_RATE) * _FINEST_RATE)


def grown(
    deployment: Deployment, measured: Measured, mix: Mix, seed: int, *, factor: int, one: float, jobs: int = 2500
) -> Growth:
    """Begins with `deployment`. Raises `RuntimeError` when no remedy helps.

    Args:
        one: what one machine serves, orders a second.
        jobs: that are simulated before a load counts as served; less to see that it is not.
    """
    rate, per_order, steps = factor * one, demand(measured, mix), list[Step]()
    while len(steps) < _MOST_STEPS:
        outcome = simulate(deployment, measured, rate, mix=mix, seed=seed, jobs=min(jobs, _PROBED_JOBS))
        found = bottleneck(deployment, outcome)
        if found is None:  # it seems so; longer, to be sure
            outcome = simulate(deployment, measured, rate, mix=mix, seed=seed, jobs=jobs)
            found = bottleneck(deployment, outcome)
        if found is None:
            return Growth(factor, rate, tuple(steps), deployment, outcome)
        deployment, remedy = remedied(deployment, outcome, found, per_order)
        steps.append(Step(found, remedy))
    raise RuntimeError(f"{_MOST_STEPS} remedies do not serve {rate} orders a second; the last was: {steps[-1].remedy}")

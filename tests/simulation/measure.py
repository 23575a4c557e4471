"""Measure this machine for the simulation: `python -m tests.simulation.measure` writes `measured.toml`. Takes two minutes."""

from __future__ import annotations

import os
import platform
import tempfile
from pathlib import Path

import uvloop

from statuette.testing.servers import PostgresServer
from tests.bench.cluster import photo
from tests.simulation.costs import Cost, Costs, measured_costs
from tests.simulation.measured import (
    MEASURED,
    Machine,
    Measured,
    Observed,
    Operation,
    Pixels,
    Signals,
    Sizes,
    save,
)
from tests.simulation.parts import bytes_by_table, disk, duties, store
from tests.simulation.pixels import render_ms
from tests.simulation.structure import Shape, shapes

_NO_TRANSACTIONS = Shape((), 1, 0)


async def measure() -> Measured:
    costs = await measured_costs()
    with PostgresServer() as server, tempfile.TemporaryDirectory() as folder:
        built = await shapes(server.create_database("structure"), Path(folder) / "structure", photo(40))
        scheduler = await duties(
            server.create_database("duties"),
            Path(folder) / "duties",
            idle_process_ms=costs.idle_scheduler_ms,
            idle_database_ms=costs.idle_database_ms,
            hand_out_process_ms=costs.hand_out_process_ms,
        )
        told = await disk(server.url)
        by_table = await bytes_by_table(server)
    operations = {
        kind: _operation(costs.of[kind], built.get(kind, _NO_TRANSACTIONS))
        for kind in ("order", "work", "upload", "read", "stream", "wake", "image", "enforce")
    }
    return Measured(
        machine=_machine(costs),
        disk=told,
        pixels=Pixels(normalise_ms=costs.of["upload"].children_ms, render_ms=await render_ms()),
        store=await store(),
        duties=scheduler,
        signals=Signals(costs.signal_heard_ms, costs.signal_delivered_ms),
        observed=Observed(costs.orders_per_second, costs.reads_per_second, costs.clients),
        sizes=Sizes(by_table, costs.picture_bytes),
        **operations,
    )


def _machine(costs: Costs) -> Machine:
    return Machine(os.cpu_count() or 1, platform.python_version(), costs.postgresql, costs.redis)


def _operation(cost: Cost, shape: Shape) -> Operation:
    return Operation(
        process_ms=cost.process_ms,
        database_ms=cost.database_ms,
        redis_ms=cost.redis_ms,
        wal_bytes=cost.wal_bytes,
        reads=shape.reads,
        before=shape.before,
        transactions=shape.transactions,
    )


def main() -> None:
    print(f"measuring for two minutes; leave the machine alone meanwhile ({os.cpu_count()} cores)")
    measured = uvloop.run(measure())
    save(measured)
    print(f"{MEASURED.name} is written: {measured.digest()}")


if __name__ == "__main__":
    main()

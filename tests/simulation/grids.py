"""The tables that people read, as rows of text: for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation.assumed import PICTURE_SIZES
from tests.simulation.growth import Growth
from tests.simulation.measured import load
from tests.simulation.model import Wait
from tests.simulation.remedies import ENOUGH, limit
from tests.simulation.sizing import Sizing
from tests.simulation.volumes import volumes


@dataclass(frozen=True)
class Grid:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def grids(sizing: Sizing) -> list[Grid]:
    return [
        _an_order(sizing),
        _served(sizing),
        _gave_way(sizing),
        _deployments(sizing),
        _loads(sizing),
        _flows(sizing),
        _reaches(sizing),
        _tables(sizing),
    ]


def _an_order(sizing: Sizing) -> Grid:
    took = sizing.demand
    whole = took.machine_ms(3)
    rows = [
        ("decoding photos, in children of the API", took.decoding_ms),
        ("API process and its store client", took.api_ms),
        ("rendering pictures, in children of the workers", took.rendering_ms),
        ("worker process and its store client", took.worker_ms),
        ("PostgreSQL", took.database_ms),
        ("of it, reads that a replica could answer", took.database_reads_ms),
        ("Redis", took.redis_ms),
        ("scheduler", took.scheduler_ms),
        ("all of it, on one machine", whole),
    ]
    return Grid(
        "What one order takes, with all that comes with it",
        ("who", "CPU, ms", "share"),
        [(who, f"{ms:.1f}", f"{ms / whole:.1%}") for who, ms in rows],
    )


def _served(sizing: Sizing) -> Grid:
    rows = []
    for growth in sizing.growths:
        outcome = growth.outcome
        busiest = max(outcome.loads, key=lambda name: outcome.loads[name] / limit(name, growth.deployment))
        rows.append(
            (
                f"{growth.factor} ×",
                f"{growth.rate:.1f}",
                f"{outcome.ended_per_second:.1f}",
                f"{round(sizing.jobs_a_day(growth.rate), -3):,.0f}",
                _wait(outcome.accept),
                _wait(outcome.platform),
                _wait(outcome.pixels),
                _wait(outcome.read),
                f"{outcome.deletion.p99_ms / 1000:.1f} s",
                f"{busiest}, {outcome.loads[busiest]:.0%}",
            )
        )
    return Grid(
        "What is served",
        (
            "load",
            "orders/s at the peak",
            "jobs ended/s",
            "jobs a day",
            "accept, p50 / p99",
            "platform's part, p50 / p99",
            "pixels, p50 / p99",
            "read, p50 / p99",
            "gone after due, p99",
            "busiest",
        ),
        rows,
    )


def _gave_way(sizing: Sizing) -> Grid:
    rows = []
    for growth in sizing.growths:
        for number, step in enumerate(growth.steps, 1):
            load = f"{step.bottleneck.load:.0%}"
            rows.append((f"{growth.factor} ×", str(number), step.bottleneck.resource, load, step.remedy))
    return Grid("What gave way, in this order, and what was done", ("load", "", "too busy", "how busy", "remedy"), rows)


def _deployments(sizing: Sizing) -> Grid:
    rows = []
    for growth in sizing.growths:
        has = growth.deployment
        machines = "the one machine"
        rows.append(
            (
                f"{growth.factor} ×",
                str(has.machines),
                str(has.cores),
                f"{has.api} × {has.machine_cores} cores" if has.separate else machines,
                f"{has.workers} × {has.machine_cores} cores" if has.separate else machines,
                str(has.worker_concurrency),
                f"{has.shards} × {has.database_cores} cores" if has.separate else machines,
                str(has.replicas),
                "yes" if has.pooler else "no",
                str(has.ceiling_parts),
                str(has.redis_nodes),
                str(has.schedulers),
                str(has.store_partitions),
            )
        )
    columns = (
        "load",
        "machines",
        "cores",
        "API",
        "workers",
        "jobs at once in each",
        "primaries",
        "replicas",
        "PgBouncer",
    )
    more = ("rows of a brand's day", "Redis", "schedulers that tick", "S3 partitions")
    return Grid("What it needs", (*columns, *more), rows)


def _loads(sizing: Sizing) -> Grid:
    names = list(dict.fromkeys(name for growth in reversed(sizing.growths) for name in growth.outcome.loads))
    rows = [
        (
            name,
            *(f"{growth.outcome.loads[name]:.0%}" if name in growth.outcome.loads else "" for growth in sizing.growths),
        )
        for name in names
    ]
    return Grid("How busy everything is then", ("", *(f"{growth.factor} ×" for growth in sizing.growths)), rows)


def _flows(sizing: Sizing) -> Grid:
    picture_bytes, rows = load().sizes.picture_bytes, []
    for growth in sizing.growths:
        flows, jobs_a_day = growth.outcome, sizing.jobs_a_day(growth.rate)
        rows.append(
            (
                f"{growth.factor} ×",
                f"{flows.wal_bytes_per_second / 1e6:.2f} MB/s",
                f"{jobs_a_day * sizing.demand.wal_bytes / 1e9:,.1f} GB",
                f"{flows.commits_per_flush:.1f}",
                f"{flows.store_writes_per_second:,.0f}",
                f"{flows.store_reads_per_second:,.0f}",
                f"{growth.rate * sizing.mix.images * picture_bytes / 1e6:,.0f} MB/s",
                f"{jobs_a_day * PICTURE_SIZES * picture_bytes / 1e12:,.2f} TB",
            )
        )
    log = ("log, at the peak", "log a day", "commits a flush")
    store = ("S3 writes/s", "S3 reads/s", "pictures sent", "pictures stored a day")
    return Grid("What flows", ("load", *log, *store), rows)


def _reaches(sizing: Sizing) -> Grid:
    """By the last of them, in which everything is there."""
    growth = sizing.growths[-1]
    has, loads = growth.deployment, growth.outcome.loads
    if not has.separate:
        return Grid("How far one of each reaches", ("one", "orders/s"), [])
    units = {
        "API machine": ("cores of API machines", has.api),
        "worker machine": ("cores of worker machines", has.workers),
        f"primary of {has.database_cores} cores": ("cores of the primary", has.shards),
        "volume of a primary's log": ("log volume", has.shards),
        "Redis": ("Redis", has.redis_nodes),
        "scheduler that ticks": ("scheduler", has.schedulers),
        "S3 partition": ("S3 partitions", has.store_partitions),
    }
    reach = {what: growth.rate / many * ENOUGH / loads[name] for what, (name, many) in units.items()}
    rows = [(what, f"{rate:,.0f}", f"{rate / sizing.one:,.0f} ×") for what, rate in reach.items()]
    of_a_brand = growth.rate * sizing.mix.shares()[0] / has.ceiling_parts * ENOUGH / loads["row of a brand's day"]
    rows.append(
        ("row of a brand's day, orders of this brand alone", f"{of_a_brand:,.0f}", f"{of_a_brand / sizing.one:,.0f} ×")
    )
    return Grid("How far one of each reaches, at 80 %", ("one", "orders/s", "of one machine"), rows)


def _tables(sizing: Sizing) -> Grid:
    growth: Growth = sizing.growths[-1]
    found = volumes(load().sizes, sizing.jobs_a_day(growth.rate))
    rows = [
        (
            f"`{each.table}`",
            f"{each.rows_a_day / 1e6:,.1f} million",
            f"{each.bytes_a_day / 1e9:,.1f} GB",
            "stays" if each.kept_days is None else _days(each.kept_days),
            f"{each.bytes_after_a_month / 1e9:,.1f} GB",
            each.partition or "one table",
        )
        for each in found
    ]
    whole = f"{sum(each.bytes_after_a_month for each in found) / 1e9:,.0f} GB"
    rows.append(("all", "", f"{sum(each.bytes_a_day for each in found) / 1e9:,.1f} GB", "", whole, ""))
    columns = ("table", "rows a day", "bytes a day", "kept for", "of a month is there", "a partition is a")
    return Grid(f"Tables at {growth.factor} ×", columns, rows)


def _days(days: float) -> str:
    if days < 0.04:
        return "minutes"
    if days < 1:
        return "an hour"
    return "a day" if days == 1 else f"{days:.0f} days"


def _wait(wait: Wait) -> str:
    return f"{wait.p50_ms:.0f} / {wait.p99_ms:.0f} ms"

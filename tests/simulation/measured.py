"""What the simulation knows of the real platform: written by `python -m tests.simulation.measure`, read from `measured.toml`."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

MEASURED = Path(__file__).with_name("measured.toml")
_HEAD = "# Written by `python -m tests.simulation.measure`, on the machine it tells of. Not to be edited by hand.\n"

Row = Literal["", "wallet", "ceiling"]


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """A part of a transaction, from the lock of a row that others want too to the next one, or to the end.

    Attributes:
        row: what is locked as the stretch begins and stays locked until the commit: an account's wallet, or the row of a
            brand's day (`cost_day`).
        round_trips: statements sent to the database, BEGIN and COMMIT among them.
        share: of what the operation takes of its process.
    """

    row: Row
    round_trips: int
    share: float


class Operation(msgspec.Struct, frozen=True):
    """One thing that the platform does.

    Attributes:
        process_ms: CPU time of the API or worker process, pixel children and threads of the store not included.
        database_ms: CPU time of all of PostgreSQL's processes.
        redis_ms: CPU time of Redis.
        wal_bytes: what the database writes ahead.
        reads: statements outside of transactions.
        before: those of `transactions` that come before the call: to the provider, or to the store.
        transactions: those that write.
    """

    process_ms: float
    database_ms: float
    redis_ms: float = 0.0
    wal_bytes: int = 0
    reads: int = 0
    before: int = 0
    transactions: tuple[tuple[Stretch, ...], ...] = ()


class Machine(msgspec.Struct, frozen=True):
    cores: int
    python: str
    postgresql: str
    redis: str


class Pixels(msgspec.Struct, frozen=True):
    """CPU time of a child process for a photo of 12 megapixels, and for a picture of one megapixel in three sizes."""

    normalise_ms: float
    render_ms: float


class Store(msgspec.Struct, frozen=True):
    """CPU time, threads included, that speaking S3 takes of our process."""

    put_ms: float
    read_ms: float
    destroy_ms: float


class Duties(msgspec.Struct, frozen=True):
    """What the one scheduler that ticks takes, by itself, with the database next to it.

    Attributes:
        idle_process_ms, idle_database_ms: CPU time a second when there is nothing to do.
        hand_out_ms: from the beginning to the end of handing out one of 500 deadlines.
        hand_out_process_ms: of it, CPU time of the scheduler.
        hand_out_round_trips: statements for each deadline.
        sweep_ms: for one row of a stream that has grown too old.
    """

    idle_process_ms: float
    idle_database_ms: float
    hand_out_ms: float
    hand_out_process_ms: float
    hand_out_round_trips: float
    sweep_ms: float


class Signals(msgspec.Struct, frozen=True):
    """What one message on the channel of signals costs: each process that hears it, and Redis for each of them."""

    heard_ms: float
    delivered_ms: float


class Disk(msgspec.Struct, frozen=True):
    """Medians. `sync_ms`: writing 8 KiB through to the disk. `commit_ms`: a commit of one row, alone."""

    sync_ms: float
    commit_ms: float
    round_trip_ms: float


class Sizes(msgspec.Struct, frozen=True):
    """Bytes, indexes included, that one job leaves in each table; and what the API sent for one picture, on average."""

    by_table: dict[str, int]
    picture_bytes: int

    @property
    def job_bytes(self) -> int:
        return sum(self.by_table.values())


class Observed(msgspec.Struct, frozen=True):
    """Rates of the real thing on this machine, which the simulation must come near to.

    Attributes:
        orders_per_second: accepted by one API process from `order_clients` connections, nothing else at work.
        reads_per_second: of jobs, in the same way.
    """

    orders_per_second: float
    reads_per_second: float
    order_clients: int


class Measured(msgspec.Struct, frozen=True):
    machine: Machine
    disk: Disk
    pixels: Pixels
    store: Store
    duties: Duties
    signals: Signals
    order: Operation
    work: Operation
    upload: Operation
    read: Operation
    stream: Operation
    wake: Operation
    image: Operation
    enforce: Operation
    observed: Observed
    sizes: Sizes

    def digest(self) -> str:
        """Which measurement it is, in eight characters."""
        return hashlib.sha256(_document(self).encode()).hexdigest()[:8]


def load(path: Path = MEASURED) -> Measured:
    return msgspec.convert(tomllib.loads(path.read_text()), Measured)


def save(measured: Measured, path: Path = MEASURED) -> None:
    path.write_text(_document(measured))


def _document(measured: Measured) -> str:
    tables: dict[str, Any] = msgspec.to_builtins(measured)
    return _HEAD + "".join(f"\n[{name}]\n{_lines(values)}" for name, values in tables.items())


def _lines(values: dict[str, Any]) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in values.items())


def _value(value: Any) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + " }"
        case float():
            return repr(float(f"{value:.4g}"))
        case list() | tuple():
            return "[" + ", ".join(_value(each) for each in value) + "]"
        case _:
            return msgspec.json.encode(value).decode()  # strings and whole numbers are written alike

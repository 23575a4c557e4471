"""The one linear history of the schema: what this version knows, what a database has seen, and whether the two go together.

While a deployment is upgraded, code of two versions works on one database. So a migration adds and never takes away
("expand"), and code older than the database runs on. A migration that takes something away ("contract") says which code
runs on what is left, and older code refuses to start.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import msgspec
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.errors import StatuetteError
from statuette.kernel.db.engines import TunedEngine, TunedPostgres
from statuette.kernel.db.migrating import Index
from statuette.kernel.db.piccolo import APP, MIGRATIONS

CONTRACTS = (
    "CREATE TABLE IF NOT EXISTS schema_contract (migration VARCHAR(200) PRIMARY KEY, needs_code VARCHAR(200) NOT NULL)"
)
"""Beside Piccolo's table `migration`: the contract steps that the database has seen, for code that does not know them."""


class UnknownSchema(StatuetteError):
    """This process and the database's schema do not go together. Final until one of the two is upgraded."""

    code = "unknown_schema"
    summary = "The database's schema is not one that this version works with."


class Step(msgspec.Struct, frozen=True):
    """One migration.

    Attributes:
        forwards: changes tables, in one transaction.
        indexes: built outside of any, while the site works; a step has these or changes tables.
        dropped_indexes: names, dropped in the same manner.
        needs_code: set for a contract step: the newest migration that code must know at least to run after it.
    """

    id: str
    forwards: Callable[[], Awaitable[MigrationManager]]
    indexes: tuple[Index, ...]
    dropped_indexes: tuple[str, ...]
    needs_code: str | None


def known(folder: Path = MIGRATIONS) -> set[str]:
    """Ids of the migrations of this version."""
    return {path.stem for path in folder.glob("[0-9]*.py")}


def steps(folder: Path = MIGRATIONS) -> list[Step]:
    """The migrations of this version, in order."""
    return [_step(_module(folder / f"{name}.py")) for name in sorted(known(folder))]


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"statuette_migration_{path.stem}", path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _step(module: ModuleType) -> Step:
    found = vars(module)
    return Step(
        id=found["ID"],
        forwards=found["forwards"],
        indexes=found.get("INDEXES", ()),
        dropped_indexes=found.get("DROPPED_INDEXES", ()),
        needs_code=found.get("NEEDS_CODE"),
    )


async def applied(engine: TunedEngine) -> set[str]:
    """Migrations the database has seen; empty for a new one."""
    rows = await _rows_if_there(engine, "migration", "SELECT name FROM migration WHERE app_name = :app", app=APP)
    return {row["name"] for row in rows}


async def require_compatible(engine: TunedEngine, seen: set[str], folder: Path = MIGRATIONS) -> None:
    """Raise `UnknownSchema` if the database has seen a contract step that this version is too old for."""
    newer = seen - known(folder)
    if not newer:
        return
    contracts = await _rows_if_there(engine, "schema_contract", "SELECT migration, needs_code FROM schema_contract")
    if broken := sorted(
        row["migration"] for row in contracts if row["migration"] in newer and row["needs_code"] not in known(folder)
    ):
        raise UnknownSchema(
            f"The database has seen {', '.join(broken)}, after which this version does not work any more.",
            cure="Upgrade this process to the version that migrated the database.",
        )


async def _rows_if_there(engine: TunedEngine, table: str, sql: str, **parameters: str) -> list[dict[str, str]]:
    there = (
        "SELECT 1 AS found WHERE to_regclass(:table) IS NOT NULL"
        if isinstance(engine, TunedPostgres)
        else "SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = :table"
    )
    async with engine.reading() as connection:
        if not await connection.fetch(there, {"table": table}):
            return []
        return await connection.fetch(sql, parameters)

"""The schema as the rest of the kernel sees it."""

from __future__ import annotations

from pathlib import Path

from statuette.kernel.db.engines import TunedEngine
from statuette.kernel.db.history import UnknownSchema, applied, known, require_compatible
from statuette.kernel.db.migrator import MigrationBlocked, migrate
from statuette.kernel.db.piccolo import APP, MIGRATIONS, piccolo_works_on, tables


async def check_schema(engine: TunedEngine, folder: Path = MIGRATIONS) -> None:
    """Raise `UnknownSchema` unless this version works on the database as it is: at its own schema or a compatible newer one."""
    seen = await applied(engine)
    await require_compatible(engine, seen, folder)
    if missing := sorted(known(folder) - seen):
        raise UnknownSchema(f"The database lacks {', '.join(missing)}.", cure="Run `statuette migrate`.")


__all__ = [
    "APP",
    "MIGRATIONS",
    "MigrationBlocked",
    "UnknownSchema",
    "applied",
    "check_schema",
    "migrate",
    "piccolo_works_on",
    "tables",
]

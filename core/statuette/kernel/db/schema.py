"""Every table of the kernel, and bringing a database to the kernel's schema.

Piccolo finds engine and tables through a module named `piccolo_conf`; we put one in place for as long as a migration runs,
so that nothing global decides which database a test or a command works on.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType

import asyncpg
from piccolo.conf.apps import AppConfig, AppRegistry
from piccolo.table import Table

from statuette.errors import StatuetteError
from statuette.kernel.db.engines import TunedEngine, TunedPostgres

APP = "statuette"
MIGRATIONS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x5747_4154  # any number that nobody else uses on this database


class UnknownSchema(StatuetteError):
    """The database was migrated by a newer version of the platform. Final until this process is upgraded."""

    code = "unknown_schema"
    summary = "The database has a newer schema than this version knows."


def tables() -> list[type[Table]]:
    """Every table of the kernel, in order of name."""
    from statuette.kernel.domain.accounts import tables as accounts
    from statuette.kernel.domain.brands import tables as brands
    from statuette.kernel.domain.consent import tables as consent
    from statuette.kernel.domain.credits import tables as credits
    from statuette.kernel.domain.figurines import tables as figurines
    from statuette.kernel.domain.generations import tables as generations
    from statuette.kernel.domain.uploads import tables as uploads
    from statuette.kernel.enforcement import tables as enforcement
    from statuette.kernel.events import tables as events
    from statuette.kernel.idempotency import tables as idempotency
    from statuette.kernel.work import tables as work

    found = {
        value
        for module in (
            accounts,
            brands,
            consent,
            credits,
            figurines,
            generations,
            uploads,
            enforcement,
            events,
            idempotency,
            work,
        )
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Table) and value is not Table
    }
    return sorted(found, key=lambda table: table._meta.tablename)


def known_migrations() -> set[str]:
    return {path.stem for path in MIGRATIONS.glob("0*.py")}


@contextmanager
def piccolo_works_on(engine: TunedEngine) -> Iterator[None]:
    """Make `engine` the one that Piccolo's own machinery uses, within the block."""
    conf = ModuleType("piccolo_conf")
    app = AppConfig(app_name=APP, migrations_folder_path=str(MIGRATIONS), table_classes=tables())
    module = ModuleType("statuette_piccolo_app")
    vars(module)["APP_CONFIG"] = app
    sys.modules["statuette_piccolo_app"] = module
    vars(conf).update(DB=engine, APP_REGISTRY=AppRegistry(apps=["statuette_piccolo_app"]))
    before = sys.modules.get("piccolo_conf")
    sys.modules["piccolo_conf"] = conf
    path = list(sys.path)
    _forget_engine()
    try:
        yield
    finally:
        sys.path[:] = path
        if before is None:
            del sys.modules["piccolo_conf"]
        else:
            sys.modules["piccolo_conf"] = before
        _forget_engine()


def _forget_engine() -> None:
    from piccolo.apps.migrations.tables import Migration

    known: list[type[Table]] = [Migration, *tables()]
    for table in known:
        table._meta._db = None


async def migrate(engine: TunedEngine) -> list[str]:
    """Bring the database to this version's schema; returns what was applied. One process at a time does it.

    Raises:
        UnknownSchema: it is newer than we know.
    """
    from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

    async with _alone(engine):
        before = await applied(engine)
        _refuse_newer(before)
        if before == known_migrations():
            return []
        os.environ.setdefault("PICCOLO_CONF", "piccolo_conf")
        with piccolo_works_on(engine), contextlib.redirect_stdout(io.StringIO()) as printed:
            result = await ForwardsMigrationManager(app_name=APP).run()
        if not result.success:
            raise StatuetteError(f"Migrating failed: {printed.getvalue().strip().splitlines()[-1:]}")
        return sorted(await applied(engine) - before)


async def applied(engine: TunedEngine) -> set[str]:
    """Migrations the database has seen; empty for a new one."""
    table = (
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename = 'migration'"
        if isinstance(engine, TunedPostgres)
        else "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'migration'"
    )
    async with engine.reading() as connection:
        if not await connection.fetch(table, {}):
            return set()
        rows = await connection.fetch("SELECT name FROM migration WHERE app_name = :app", {"app": APP})
        return {row["name"] for row in rows}


async def check_schema(engine: TunedEngine) -> None:
    """Raise unless the database is at this version's schema."""
    seen = await applied(engine)
    _refuse_newer(seen)
    if missing := sorted(known_migrations() - seen):
        raise UnknownSchema(f"The database lacks {', '.join(missing)}.", cure="Run `statuette migrate`.")


def _refuse_newer(seen: set[str]) -> None:
    if newer := sorted(seen - known_migrations()):
        raise UnknownSchema(
            f"The database has seen {', '.join(newer)}, which this version does not know.",
            cure="Upgrade this process to the version that migrated the database.",
        )


@asynccontextmanager
async def _alone(engine: TunedEngine) -> AsyncIterator[None]:
    if not isinstance(engine, TunedPostgres):
        yield  # the data folder's lock lets one process in
        return
    connection = await asyncpg.connect(engine.config["dsn"], timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ADVISORY_LOCK)
        yield
    finally:
        await connection.close()

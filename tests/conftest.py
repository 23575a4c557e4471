"""Fixtures of the whole suite: a frozen clock, real servers, and on each profile the places of a platform."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.testing import FrozenClock
from statuette.testing.servers import PostgresServer, RedisServer, S3Access, S3Server
from tests.databases import PostgresDatabases, SqliteDatabases
from tests.isolation import leased_redis, temporary_bucket
from tests.profiles import PROFILES, Buckets, Profile, ProfileName, cluster, embedded
from tests.soak import effort
from tests.without_rule import VARIABLE, rule_named, take_away

pytest.register_assert_rewrite("statuette.testing.image_suite", "statuette.testing.payment_suite")
# An example of a property may take as long as a busy machine makes it.
settings.register_profile("statuette", deadline=None, max_examples=effort(40, soaking=1000))
settings.load_profile("statuette")


@pytest.fixture(autouse=True)
def without_rule() -> Iterator[None]:
    """Run as if nobody carried out the rule that the variable `WITHOUT_RULE` names, if it names one."""
    if (rule_id := os.environ.get(VARIABLE)) is None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        take_away(rule_named(rule_id), patch)
        yield


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


@pytest.fixture(params=PROFILES)
def profile_name(request: pytest.FixtureRequest) -> ProfileName:
    """Each profile in turn. A test that needs only one says so where it is listed: tests/architecture/test_profiles.py."""
    name: ProfileName = request.param
    return name


@pytest.fixture
def database_url(profile_name: ProfileName, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated, empty database: SQLite on `embedded`, PostgreSQL on `cluster`."""
    with _database(profile_name, request, tmp_path) as url:
        yield url


@pytest.fixture
def profile(profile_name: ProfileName, database_url: str, request: pytest.FixtureRequest) -> Iterator[Profile]:
    """Places for a whole site, on each profile in turn."""
    with _profile(profile_name, database_url, request) as profile:
        yield profile


@pytest.fixture(scope="module", params=PROFILES)
def module_profile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Profile]:
    """Like `profile`, for a site that the tests of a module share."""
    folder = tmp_path_factory.mktemp(request.param)
    with _database(request.param, request, folder) as url, _profile(request.param, url, request) as profile:
        yield profile


@pytest.fixture
async def database(database_url: str, clock: FrozenClock) -> AsyncIterator[Database]:
    """An open database, on each engine in turn."""
    opened = Database(engine_for(database_url), clock)
    try:
        await opened.open()
        yield opened
    finally:
        await opened.close()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    return SqliteDatabases(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> Iterator[PostgresDatabases]:
    with PostgresDatabases(postgres_server) as databases:
        yield databases


@pytest.fixture(scope="session")
def buckets(s3_server: S3Access) -> Iterator[Buckets]:
    with Buckets.on(s3_server) as buckets:
        yield buckets


@contextmanager
def _database(name: ProfileName, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    # Asked for by name, so that a run starts no server that none of its tests needs.
    if name == "embedded":
        sqlite: SqliteDatabases = request.getfixturevalue("sqlite_databases")
        yield sqlite.copy(folder)
        return
    postgres: PostgresDatabases = request.getfixturevalue("postgres_databases")
    with postgres.copy() as url:
        yield url


@contextmanager
def _profile(name: ProfileName, database_url: str, request: pytest.FixtureRequest) -> Iterator[Profile]:
    if name == "embedded":
        yield embedded(database_url)
        return
    with cluster(database_url, request.getfixturevalue("redis_server"), request.getfixturevalue("buckets")) as profile:
        yield profile

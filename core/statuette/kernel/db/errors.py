"""One mapper from what the two drivers raise to errors that say what to do."""

from __future__ import annotations

import sqlite3

import asyncpg

from statuette.errors import StatuetteError, Unavailable


class UniqueViolation(StatuetteError):
    """A row with that key exists. Repositories turn it into an answer; it never reaches a client as it is."""

    code = "unique_violation"
    summary = "A row with this key exists already."


class SerializationFailure(StatuetteError):
    """The database asks for the whole transaction again. Nothing was written."""

    code = "serialization_failure"
    retryable = True
    summary = "The transaction has to be run again."


class DatabaseUnavailable(Unavailable):
    """The database is down, full, locked for too long or read only. Nothing of the transaction was written."""

    code = "database_unavailable"
    summary = "The database is not available."


def mapped(error: BaseException) -> StatuetteError | None:
    """The error of ours that `error` stands for; None when it is not a driver's or is a bug (bad SQL)."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolation()
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in str(error):
        return UniqueViolation()
    if isinstance(error, asyncpg.SerializationError | asyncpg.DeadlockDetectedError):
        return SerializationFailure()
    if isinstance(
        error,
        asyncpg.PostgresConnectionError
        | asyncpg.InsufficientResourcesError
        | asyncpg.OperatorInterventionError
        | asyncpg.ReadOnlySQLTransactionError
        | asyncpg.exceptions.InterfaceError
        | ConnectionError
        | TimeoutError,
    ):
        return DatabaseUnavailable()
    if isinstance(error, sqlite3.OperationalError) and any(
        sign in str(error) for sign in ("locked", "full", "disk I/O", "unable to open", "readonly")
    ):
        return DatabaseUnavailable()
    return None

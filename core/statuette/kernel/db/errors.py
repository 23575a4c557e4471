"""What can go wrong with a database, and one mapper from what the two drivers raise to errors that say what to do."""

from __future__ import annotations

import sqlite3

import asyncpg

from statuette.errors import InvalidInput, StatuetteError, Unavailable


class UniqueViolation(StatuetteError):
    """A row with that key exists. Repositories turn it into an answer; it never reaches a client as it is."""

    code = "unique_violation"
    summary = "A row with this key exists already."


class UnstorableText(InvalidInput):
    """Text with the character NUL, which PostgreSQL has no place for. Refused on SQLite, too, so that both do the same."""

    code = "unstorable_text"
    summary = "Text must not hold the character NUL."


class SerializationFailure(StatuetteError):
    """The database asks for the whole transaction again: a deadlock, or the schema changed under it. Nothing was written."""

    code = "serialization_failure"
    retryable = True
    summary = "The transaction has to be run again."


class DatabaseUnavailable(Unavailable):
    """The database is down, full or locked for too long. Nothing of the transaction was written."""

    code = "database_unavailable"
    summary = "The database is not available."


class ConnectionLost(DatabaseUnavailable):
    """The connection broke before COMMIT was sent. Nothing of the transaction was written."""

    code = "database_connection_lost"
    summary = "The connection to the database was lost."


class DatabaseTooSlow(DatabaseUnavailable):
    """A statement, or the wait for a lock, took longer than it may. Nothing of the transaction was written."""

    code = "database_too_slow"
    summary = "The database took too long."


class DatabaseReadOnly(DatabaseUnavailable):
    """The server takes no writes, as after a failover that left us with a standby. Nothing of the transaction was written."""

    code = "database_read_only"
    summary = "The database is read only at the moment."


class CommitOutcomeUnknown(Unavailable):
    """The connection broke while COMMIT was under way: the work may be done or not. An `Idempotency-Key` makes it safe to
    send the request again."""

    code = "commit_outcome_unknown"
    summary = "Nobody can tell whether this was done."

    def __init__(self) -> None:
        super().__init__(
            cure="Send the request again with the same Idempotency-Key; without one, look first whether it was done."
        )


# Each of these ends the connection it comes over.
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
)
_UNAVAILABLE = (
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.exceptions.TargetServerAttributeNotMatched,
    TimeoutError,
    OSError,
)
# asyncpg keeps prepared statements. Outside of a transaction it prepares anew when the schema has changed, inside it cannot.
_AGAIN = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.exceptions.OutdatedSchemaCacheError,
)
_SQLITE_UNAVAILABLE = ("locked", "full", "disk I/O", "unable to open", "readonly")


def mapped(error: BaseException, *, closed: bool = False) -> StatuetteError | None:
    """The error of ours that `error` stands for; None when it is not a driver's or is a bug (bad SQL).

    Args:
        closed: whether the connection is closed by now.
    """
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolation()
    if isinstance(error, _AGAIN):
        return SerializationFailure()
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return DatabaseReadOnly()
    if isinstance(error, _LOST) or (closed and isinstance(error, asyncpg.exceptions.InterfaceError)):
        return ConnectionLost()
    if isinstance(error, asyncpg.exceptions.InternalClientError) and str(error).startswith("cannot switch to state"):
        # The server has said goodbye, and until the socket is closed the connection counts as open. Nothing was sent.
        return ConnectionLost()
    if isinstance(error, asyncpg.QueryCanceledError | asyncpg.LockNotAvailableError):
        return DatabaseTooSlow()
    if isinstance(error, _UNAVAILABLE):
        return DatabaseUnavailable()
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in str(error):
        return UniqueViolation()
    if isinstance(error, sqlite3.OperationalError) and any(sign in str(error) for sign in _SQLITE_UNAVAILABLE):
        return DatabaseUnavailable()
    return None


def is_outage(error: BaseException) -> bool:
    """Whether an error says nothing about the work that met it, only that the database was away."""
    return isinstance(error, CommitOutcomeUnknown) or (
        isinstance(error, DatabaseUnavailable) and not isinstance(error, DatabaseTooSlow)
    )

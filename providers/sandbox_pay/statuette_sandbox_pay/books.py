"""The gateway's books: one SQLite file. Each change is one transaction, of one brand, at one moment.

Several processes may share the file. Blocking; `SandboxGateway` runs it in threads.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from statuette.errors import StatuetteError
from statuette.ports.payment import (
    Event,
    EventPage,
    Kind,
    Movement,
    MovementPage,
    PaymentRefused,
    PaymentUnavailable,
    Reference,
    UnknownReference,
)
from statuette.values import Money, new_id
from statuette_sandbox_pay.records import Record

R = TypeVar("R", bound=Record)
T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    brand TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, customer TEXT, token TEXT UNIQUE, body BLOB NOT NULL,
    PRIMARY KEY (brand, kind, id));
CREATE INDEX IF NOT EXISTS record_customer ON record (brand, customer, kind, id);
CREATE TABLE IF NOT EXISTS part (brand TEXT NOT NULL, id TEXT NOT NULL, payment TEXT NOT NULL, PRIMARY KEY (brand, id));
CREATE TABLE IF NOT EXISTS timer (
    brand TEXT NOT NULL, what TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (brand, what, id));
CREATE INDEX IF NOT EXISTS timer_at ON timer (brand, at);
CREATE TABLE IF NOT EXISTS event (
    place INTEGER PRIMARY KEY AUTOINCREMENT, brand TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, delivered INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS event_brand ON event (brand, place);
CREATE INDEX IF NOT EXISTS event_open ON event (place) WHERE delivered = 0;
CREATE TABLE IF NOT EXISTS movement (
    place INTEGER PRIMARY KEY AUTOINCREMENT, brand TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS movement_brand ON movement (brand, place);
CREATE TABLE IF NOT EXISTS answer (
    brand TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, id TEXT, refusal TEXT, PRIMARY KEY (brand, key));
CREATE TABLE IF NOT EXISTS counter (brand TEXT PRIMARY KEY, documents INTEGER NOT NULL);
"""
_BUSY_SECONDS = 5.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_KEY = 255


class Due(msgspec.Struct, frozen=True):
    """Something that was to be done at a moment."""

    what: str
    id: str
    at: datetime


class OpenEvent(msgspec.Struct, frozen=True):
    """An event that has not been delivered."""

    place: int
    brand: str
    body: bytes
    attempts: int


class Transaction:
    """A brand's records. `now` is the moment at which everything in it happens."""

    def __init__(self, connection: sqlite3.Connection, brand: str, now: datetime) -> None:
        self._connection = connection
        self.brand = brand
        self.now = now

    def new_id(self, prefix: str) -> str:
        return new_id(prefix, self.now)

    def get(self, kind: type[R], id: str) -> R:
        """Raises `UnknownReference`."""
        row = self._row("SELECT body FROM record WHERE brand = ? AND kind = ? AND id = ?", self.brand, _name(kind), id)
        if row is None:
            raise UnknownReference()
        return msgspec.json.decode(row[0], type=kind)

    def put(self, record: Record) -> None:
        self._connection.execute(
            "INSERT INTO record (brand, kind, id, customer, token, body) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (brand, kind, id) DO UPDATE SET customer = excluded.customer, body = excluded.body",
            (
                self.brand,
                _name(type(record)),
                record.id,
                record.customer,
                record.token,
                msgspec.json.encode(record),
            ),
        )

    def drop(self, kind: type[Record], id: str) -> None:
        self._connection.execute(
            "DELETE FROM record WHERE brand = ? AND kind = ? AND id = ?", (self.brand, _name(kind), id)
        )

    def of_customer(self, kind: type[R], customer: str) -> list[R]:
        """Oldest first."""
        rows = self._connection.execute(
            "SELECT body FROM record WHERE brand = ? AND customer = ? AND kind = ? ORDER BY rowid",
            (self.brand, customer, _name(kind)),
        )
        return [msgspec.json.decode(row[0], type=kind) for row in rows.fetchall()]

    def belongs(self, part: str, payment: str) -> None:
        """A refund or a dispute is part of a payment."""
        self._connection.execute("INSERT INTO part VALUES (?, ?, ?)", (self.brand, part, payment))

    def payment_of(self, part: str) -> str | None:
        row = self._row("SELECT payment FROM part WHERE brand = ? AND id = ?", self.brand, part)
        return None if row is None else str(row[0])

    def at(self, moment: datetime, what: str, id: str) -> None:
        """Have something done at a moment, instead of at another that was set before."""
        self._connection.execute(
            "INSERT INTO timer VALUES (?, ?, ?, ?) ON CONFLICT (brand, what, id) DO UPDATE SET at = excluded.at",
            (self.brand, what, id, _micros(moment)),
        )

    def never(self, what: str, id: str) -> None:
        self._connection.execute("DELETE FROM timer WHERE brand = ? AND what = ? AND id = ?", (self.brand, what, id))

    def next_due(self, until: datetime) -> Due | None:
        """Take the earliest thing that is due by then."""
        row = self._row(
            "DELETE FROM timer WHERE rowid = (SELECT rowid FROM timer WHERE brand = ? AND at <= ? ORDER BY at, rowid LIMIT 1)"
            " RETURNING what, id, at",
            self.brand,
            _micros(until),
        )
        return None if row is None else Due(row[0], row[1], _moment(row[2]))

    def tell(self, type: str, kind: Kind | None = None, id: str = "") -> None:
        """Note an event."""
        about = None if kind is None else Reference(kind, id)
        event = Event(self.new_id("event"), type, self.now, about, live=False)
        self._connection.execute(
            "INSERT INTO event (brand, at, body) VALUES (?, ?, ?)",
            (self.brand, _micros(self.now), msgspec.json.encode(event)),
        )

    def move(self, kind: Any, amount: Money, fee_minor: int, payment: str) -> None:
        """Note that the balance changed."""
        movement = Movement(self.new_id("movement"), kind, amount, Money(amount.currency, fee_minor), self.now, payment)
        self._connection.execute(
            "INSERT INTO movement (brand, at, body) VALUES (?, ?, ?)",
            (self.brand, _micros(self.now), msgspec.json.encode(movement)),
        )

    def next_document(self) -> str:
        row = self._row(
            "INSERT INTO counter VALUES (?, 1) ON CONFLICT (brand) DO UPDATE SET documents = documents + 1"
            " RETURNING documents",
            self.brand,
        )
        assert row is not None
        return f"SANDBOX-{row[0]:06d}"

    def once(self, key: str, asked: Any, act: Callable[[], str]) -> str:
        """Do something once for a key.

        Args:
            asked: what is done, so that another thing with the same key is noticed.
            act: answers with an id. It may refuse before it has changed anything.

        Returns:
            the id, also when it was done before.

        Raises:
            PaymentRefused: as the first time; or the key was used for something else.
        """
        if not 0 < len(key) <= _LONGEST_KEY:
            raise PaymentRefused("The idempotency key is empty or too long.", reason="idempotency_key_invalid")
        digest = hashlib.sha256(msgspec.json.encode(asked)).digest()
        row = self._row("SELECT digest, id, refusal FROM answer WHERE brand = ? AND key = ?", self.brand, key)
        if row is not None:
            if row[0] != digest:
                raise PaymentRefused(
                    "This idempotency key was used for something else.", reason="idempotency_key_reused"
                )
            if row[2] is not None:
                raise PaymentRefused(reason=row[2])
            return str(row[1])
        made, refused = None, None
        try:
            made = act()
        except PaymentRefused as error:
            refused = error
        self._connection.execute(
            "INSERT INTO answer VALUES (?, ?, ?, ?, ?)",
            (self.brand, key, digest, made, None if refused is None else refused.attributes["reason"]),
        )
        if refused is not None:
            raise refused
        return str(made)

    def events(self, cursor: str | None, since: datetime, limit: int) -> EventPage:
        rows, cursor, more = self._page("event", cursor, since, limit)
        return EventPage(tuple(msgspec.json.decode(body, type=Event) for body in rows), cursor, more)

    def movements(self, cursor: str | None, since: datetime, limit: int) -> MovementPage:
        rows, cursor, more = self._page("movement", cursor, since, limit)
        return MovementPage(tuple(msgspec.json.decode(body, type=Movement) for body in rows), cursor, more)

    def _page(self, table: str, cursor: str | None, since: datetime, limit: int) -> tuple[list[bytes], str, bool]:
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise PaymentRefused("This is no cursor of ours.", reason="cursor_invalid")
        after, earliest = (0, _micros(since)) if cursor is None else (int(cursor), 0)
        found = self._connection.execute(
            f"SELECT place, body FROM {table} WHERE brand = ? AND place > ? AND at >= ? ORDER BY place LIMIT ?",
            (self.brand, after, earliest, limit + 1),
        ).fetchall()
        more, found = len(found) > limit, found[:limit]
        last = found[-1][0] if found else cursor
        if last is None:  # all there are so far are older
            last = self._row(f"SELECT coalesce(max(place), 0) FROM {table} WHERE brand = ?", self.brand)
            last = 0 if last is None else last[0]
        return [row[1] for row in found], str(last), more

    def _row(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        rows = self._connection.execute(statement, values).fetchall()
        return rows[0] if rows else None


class Books:
    """The file, opened when first used.

    Args:
        path: None keeps them in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._closed = False

    def run(self, brand: str, now: datetime, act: Callable[[Transaction], T]) -> T:
        """Carry out `act` in one transaction. What it refuses, it refuses before it has changed anything, so that is kept, too.

        Raises:
            PaymentUnavailable: the file cannot be used now.
        """

        def within(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                answer = act(Transaction(connection, brand, now))
            except StatuetteError:
                connection.execute("COMMIT")
                raise
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return answer

        return self._with(within)

    def place_of(self, token: str) -> tuple[str, str, str] | None:
        """Brand, kind and id of the record whose page has that address."""

        def within(connection: sqlite3.Connection) -> tuple[str, str, str] | None:
            row = connection.execute("SELECT brand, kind, id FROM record WHERE token = ?", (token,)).fetchone()
            return None if row is None else (row[0], row[1], row[2])

        return self._with(within)

    def undelivered(self, limit: int, most_attempts: int) -> list[OpenEvent]:
        """Events of all brands that nobody has acknowledged, oldest first."""

        def within(connection: sqlite3.Connection) -> list[OpenEvent]:
            rows = connection.execute(
                "SELECT place, brand, body, attempts FROM event WHERE delivered = 0 AND attempts < ? ORDER BY place LIMIT ?",
                (most_attempts, limit),
            )
            return [OpenEvent(*row) for row in rows.fetchall()]

        return self._with(within)

    def attempted(self, place: int, *, delivered: bool) -> None:
        def within(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE event SET attempts = attempts + 1, delivered = max(delivered, ?) WHERE place = ?",
                (int(delivered), place),
            )

        self._with(within)

    def forget(self) -> None:
        """Let nothing that was overwritten stay readable in the write-ahead log."""
        self._with(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall() and None)

    def close(self) -> None:
        """Idempotent; nothing is opened again."""
        with self._lock:
            self._closed = True
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _with(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                return work(self._connection())
            except (sqlite3.Error, OSError) as error:
                raise PaymentUnavailable("The sandbox's books cannot be used.") from error

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            if self._closed:
                raise PaymentUnavailable("The sandbox is closed.")
            if self._path is not None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._path.touch(mode=0o600)
            connection = sqlite3.connect(
                ":memory:" if self._path is None else self._path,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.executescript(_SCHEMA)
            self._opened = connection
        return self._opened


def _name(kind: type[Any]) -> str:
    return kind.__name__.removesuffix("Record").lower()


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)

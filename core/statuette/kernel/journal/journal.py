"""The erasure journal: what must stay erased, withdrawn and unsaved, kept apart from the database, for after a restore.

It is only ever appended to, by any number of processes at once: each writes segments of a stream of its own, and waits for
nobody. What is asked for at the same time goes into one segment.

The order decides what a crash can lose: nothing.

1. The high-water mark of the stream is committed. Whatever the segment will say is known to this database by now: a deadline's
   intent, or a note in the transaction that acted.
2. The segment is written, on the condition that it does not exist.
3. Only then is anything destroyed, or the request answered.

A database without the mark of a segment that exists is older than the journal: it was restored. See `replay`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.journal import marks
from statuette.kernel.journal.entries import Entry, decoded, encoded
from statuette.kernel.journal.notes import TOPIC, Note
from statuette.kernel.journal.place import MEDIA_TYPE, Place, key_of, place_of, prefixes_since
from statuette.kernel.tasks import ended
from statuette.kernel.work import findings
from statuette.ports.storage import ObjectExists, Storage, StorageUnavailable
from statuette.values import new_id

WENT_BACK = "database_went_back"
FLUSHED_AT_ONCE = 500
EXPIRED_AT_ONCE = 1000
_AT_ONCE = 1000
_A_REQUEST_WAITS_SECONDS = 3.0
_NOTE_IS_LATE_AFTER = timedelta(seconds=15)
# Marks are kept for longer than the segments they are compared with.
_MARKS_OUTLIVE = timedelta(days=3)
_STREAM_RESTS = timedelta(days=1)
_Waiting = tuple[tuple[Entry, ...], asyncio.Future[None]]
_log = logging.getLogger(__name__)


class _Row(msgspec.Struct, frozen=True):
    id: str
    body: str


class _Marked(msgspec.Struct, frozen=True):
    """A segment whose mark is committed."""

    stream: str
    number: int
    at: datetime


class Journal:
    """Appends to the journal, and reads it.

    Args:
        storage: where it is, below `prefix`.
        kept: for so long, the longest that any backup of the database is kept.
    """

    def __init__(self, database: Database, storage: Storage, prefix: str, kept: timedelta) -> None:
        self._database = database
        self._storage = storage
        self._prefix = prefix
        self._kept = kept
        self._last: _Marked | None = None
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        database.listen(TOPIC, self._noted)

    @property
    def kept(self) -> timedelta:
        return self._kept

    @property
    def storage(self) -> Storage:
        return self._storage

    async def append(self, *entries: Entry) -> None:
        """Have `entries` in the journal, durably, before the return.

        Raises:
            StorageUnavailable, DatabaseUnavailable: retryable; then nothing must be destroyed.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="journal")
        await done

    async def keys_gone(self, tx: Transaction, subjects: tuple[str, ...]) -> None:
        """Have the database remember that keys were destroyed and looked for, so that a restored store of keys is known."""
        if subjects and self._last is not None:
            await marks.remember_key(tx, self._last.stream, subjects[-1])

    async def stop(self) -> None:
        """Let what is being written end."""
        if self._writing is not None and not self._writing.done():
            await asyncio.wait((self._writing,), timeout=_A_REQUEST_WAITS_SECONDS)
            await ended(self._writing)

    async def flush(self) -> int:
        """Append the notes that could not be when they were made, at most `FLUSHED_AT_ONCE`; returns how many. A duty."""
        async with self._database.read() as reader:
            late = await reader.all(
                _Row,
                "SELECT id, body FROM journal_note WHERE created_at <= :late ORDER BY created_at LIMIT :limit",
                late=reader.now - _NOTE_IS_LATE_AFTER,
                limit=FLUSHED_AT_ONCE,
            )
        if late:
            await self._append_notes([Note(row.id, row.body) for row in late])
        return len(late)

    async def expire(self) -> int:
        """Delete segments that no backup is old enough for, at most `EXPIRED_AT_ONCE`; returns how many. A duty."""
        before = self._database.clock.now() - self._kept
        limit = f"{before:%Y-%m-%d/%H}"
        keys: list[str] = []
        hours: set[str] = set()
        async for found in self._storage.list(self._prefix):
            place = place_of(self._prefix, found.key)
            if place is None:
                continue
            if place.hour >= limit or len(keys) == EXPIRED_AT_ONCE:
                break  # they come in order of time
            keys.append(found.key)
            hours.add(place.hour)
        if keys:
            await self._storage.delete_many(keys)
            for hour in sorted(hours):
                await self._storage.purge_versions(f"{self._prefix}{hour}/")
        async with self._database.transaction() as tx:
            await marks.forget(tx, before - _MARKS_OUTLIVE)
        return len(keys)

    async def places(self, since: datetime | None) -> AsyncIterator[Place]:
        """Segments written from the hour of `since` on, hour by hour."""
        for prefix in prefixes_since(self._prefix, since, self._database.clock.now()):
            async for found in self._storage.list(prefix):
                place = place_of(self._prefix, found.key)
                if place is not None:
                    yield place

    async def begun(self) -> bool:
        """Whether there is any segment at all."""
        async for _ in self.places(None):
            return True
        return False

    async def entries(self, place: Place) -> tuple[Entry, ...]:
        """What a segment says. Raises `JournalUnreadable`, `StorageUnavailable`."""
        return decoded(await self._storage.read(place.key), place.key)

    async def _noted(self, notes: list[Note]) -> None:
        """Notes have been committed: whoever made them gets an answer once they are in the journal, or a while has passed."""
        appending = asyncio.create_task(self._append_notes(notes))
        await asyncio.wait((appending,), timeout=_A_REQUEST_WAITS_SECONDS)
        if appending.done() and appending.exception() is None:
            return
        appending.cancel()
        _log.warning("journal_late", extra={"facts": {"notes": len(notes)}})

    async def _append_notes(self, notes: list[Note]) -> None:
        await self.append(*(msgspec.json.decode(note.body, type=Entry) for note in notes))
        async with self._database.transaction() as tx:
            for note in notes:
                await tx.execute("DELETE FROM journal_note WHERE id = :id", id=note.id)

    async def _write_all(self) -> None:
        while self._waiting:
            taken, entries = self._take()
            try:
                await self._write(entries)
            except asyncio.CancelledError:
                for _, done in taken:
                    done.cancel()
                raise
            except Exception as error:
                for _, done in taken:
                    if not done.done():
                        done.set_exception(error)
            else:
                for _, done in taken:
                    if not done.done():
                        done.set_result(None)

    def _take(self) -> tuple[list[_Waiting], tuple[Entry, ...]]:
        taken: list[_Waiting] = []
        size = 0
        while self._waiting and (not taken or size + len(self._waiting[0][0]) <= _AT_ONCE):
            taken.append(self._waiting.pop(0))
            size += len(taken[-1][0])
        return taken, tuple(entry for entries, _ in taken for entry in entries)

    async def _write(self, entries: tuple[Entry, ...]) -> None:
        try:
            marked = await self._database.run(lambda tx: self._mark(tx, entries))
        except BaseException:
            self._last = None  # who knows whether it was committed: the next one begins a stream of its own
            raise
        self._last = marked
        key = key_of(self._prefix, marked.at, marked.stream, marked.number)
        try:
            await self._storage.put(key, encoded(entries), media_type=MEDIA_TYPE, if_absent=True)
        except ObjectExists:
            raise StorageUnavailable("A segment of the erasure journal exists already.") from None

    async def _mark(self, tx: Transaction, entries: tuple[Entry, ...]) -> _Marked:
        """Mark the next segment. A number is never used twice, whatever becomes of its segment."""
        last = self._last
        if last is not None and tx.now - last.at > _STREAM_RESTS:
            last = None
        if last is not None and not await marks.advance(tx, last.stream, last.number + 1):
            # The database no longer knows what this very process told it: it was restored, or another one has taken over.
            # A stream of its own leaves the gap to be seen by `replay`.
            _log.error("database_went_back", extra={"facts": {"stream": last.stream, "segment": last.number}})
            await findings.raise_finding(tx, code=WENT_BACK, subject="journal", brand_id=None)
            last = None
        if last is None:
            marked = _Marked(new_id("jst", tx.now), 1, tx.now)
            await marks.begin(tx, marked.stream)
        else:
            marked = _Marked(last.stream, last.number + 1, tx.now)
        return marked

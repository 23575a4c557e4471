"""After a restore, before traffic: what the journal says, and the database does not know, is done again.

A segment beyond the database's mark tells that the database is older than the journal. Then every segment that it cannot
know of is read, oldest first. Wishes and asked deadlines are applied as they were; what was erased and is back is given a
deadline of the rule `backup.erase`, due at once, and enforced to its end here, with its check and its receipt. Only then is the
mark moved. Whatever kills a replay, the next start begins it again; doing it twice is doing it once.

Of processes that start together one replays, and the others wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec

from statuette.dataset import Dataset
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.enforcement import deadlines
from statuette.kernel.enforcement import holds as legal_holds
from statuette.kernel.enforcement.at_once import AtOnce
from statuette.kernel.journal import marks
from statuette.kernel.journal.entries import Due, Entry, Erasing, Hold, Wish
from statuette.kernel.journal.journal import WENT_BACK, Journal
from statuette.kernel.journal.place import Place
from statuette.kernel.tasks import ended
from statuette.kernel.work import findings
from statuette.policy import enforces

RULE = "backup.erase"
RESTORED = "database_restored"
_LEASE = "journal"
_LEASE_LASTS = timedelta(seconds=10)
_RENEWED_EVERY_SECONDS = 2.0
_WAITS_SECONDS = 0.5
# Marks are committed in moments; this covers clocks that differ and a transaction that took long.
_MARGIN = timedelta(hours=1)
_AT_ONCE = 16
_log = logging.getLogger(__name__)

Restorer = Callable[[Transaction, Wish], Awaitable[bool]]
"""Carries a wish out again, in the transaction; whether there was anything to do. Idempotent."""


class Replayed(msgspec.Struct, frozen=True):
    """What a replay did.

    Attributes:
        segments: that the database did not know.
        erased: records that were back, and are erased again.
        asked: deadlines that people had asked for, moved again.
        wishes: withdrawals and unsaves applied again.
        holds: legal holds placed or lifted again.
        unknown: entries of datasets or topics that no part of this deployment knows any more.
    """

    segments: int = 0
    erased: int = 0
    asked: int = 0
    wishes: int = 0
    unknown: int = 0
    holds: int = 0


class Replay:
    """Compares the database with the journal.

    Args:
        restorers: by topic of a wish.
        owner: id of this process.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        datasets: Mapping[str, Dataset],
        at_once: AtOnce,
        cipher: FieldCipher,
        restorers: Mapping[str, Restorer],
        owner: str,
    ) -> None:
        self._database = database
        self._journal = journal
        self._datasets = datasets
        self._at_once = at_once
        self._cipher = cipher
        self._restorers = restorers
        self._owner = owner

    @enforces("backup.erase")
    async def catch_up(self) -> Replayed:
        """Do what the journal says and the database does not know; returns at once when there is nothing.

        Raises:
            JournalUnreadable: final. StorageUnavailable: retryable; nothing may be served before it succeeded.
        """
        if not await self.missing():
            return Replayed()
        _log.warning("database_restored", extra={"facts": {"replays": self._owner}})
        async with self._alone():
            places = await self.missing()  # another process may have been faster
            replayed = await self._replay(places) if places else Replayed()
        if replayed.segments:
            _log.warning("journal_replayed", extra={"facts": msgspec.structs.asdict(replayed)})
        return replayed

    async def watch(self) -> int:
        """Catch up when a process found that the database went back under it, as after a failover to a standby that lagged.

        Returns:
            How many segments that took. A duty.
        """
        async with self._database.read() as reader:
            noticed = await reader.value(
                "SELECT id FROM finding WHERE code = :code AND subject = 'journal' AND resolved_at IS NULL",
                code=WENT_BACK,
            )
        if noticed is None:
            return 0
        replayed = await self.catch_up()
        async with self._database.transaction() as tx:
            await tx.execute("UPDATE finding SET resolved_at = :now WHERE id = :id", id=noticed, now=tx.now)
        return replayed.segments

    async def missing(self) -> list[Place]:
        """Segments that the database knows nothing of, oldest first."""
        async with self._database.read() as reader:
            newest = await marks.newest(reader)
        since = newest - _MARGIN if newest is not None else None
        found = [place async for place in self._journal.places(since)]
        async with self._database.read() as reader:
            known = await marks.of(reader, sorted({place.stream for place in found}))
        unknown = [place for place in found if place.number > known.get(place.stream, 0)]
        return sorted(unknown, key=lambda place: (place.hour, place.stream, place.number))

    async def _replay(self, places: list[Place]) -> Replayed:
        total = Replayed()
        for place in places:
            entries = sorted(await self._journal.entries(place), key=lambda entry: entry.at)
            total = _sum(total, await self._apply(entries))
        # All of it, before any mark moves: a kill in between begins again, and finds it done.
        async with self._database.transaction() as tx:
            for place in places:
                await marks.caught_up(tx, place.stream, place.number)
            await findings.raise_finding(
                tx,
                code=RESTORED,
                subject="journal",
                detail=f"segments={len(places)} erased={total.erased} asked={total.asked} wishes={total.wishes}"
                f" holds={total.holds}",
                brand_id=None,
            )
        return msgspec.structs.replace(total, segments=len(places))

    async def _apply(self, entries: list[Entry]) -> Replayed:
        """What one segment says, in its order, but that erasures wait for each other, many at a time, up to the next hold."""
        asked = wishes = unknown = erased = holds = 0
        erasures: list[Erasing] = []
        for entry in entries:
            match entry:
                case Due():
                    async with self._database.transaction() as tx:
                        asked += await deadlines.arm_again(tx, entry)
                case Wish():
                    restorer = self._restorers.get(entry.topic)
                    if restorer is None:
                        unknown += 1
                        await self._tell_unknown(entry.topic)
                        continue
                    async with self._database.transaction() as tx:
                        wishes += await restorer(tx, entry)
                case Hold():
                    erased += await self._erase_all(erasures)  # what went before the hold goes again
                    erasures = []
                    async with self._database.transaction() as tx:
                        holds += await legal_holds.again(tx, entry)
                case Erasing():
                    if entry.dataset in self._datasets:
                        erasures.append(entry)
                    else:
                        unknown += 1
                        await self._tell_unknown(entry.dataset)
        erased += await self._erase_all(erasures)
        return Replayed(0, erased, asked, wishes, unknown, holds)

    async def _erase_all(self, erasures: list[Erasing]) -> int:
        erased = 0
        for at in range(0, len(erasures), _AT_ONCE):
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._erase(entry)) for entry in erasures[at : at + _AT_ONCE]]
            except BaseExceptionGroup as several:
                raise several.exceptions[0] from None
            erased += sum(task.result() for task in tasks)
        return erased

    async def _erase(self, entry: Erasing) -> bool:
        """Erase a record that is back; whether it was."""
        deadline_id = await self._database.run(lambda tx: self._due_at_once(tx, entry))
        if deadline_id is None:
            for subject in entry.keys:  # the store of keys may have been restored too, to another moment
                await self._cipher.destroy(subject)
            return False
        await self._at_once.enforce(deadline_id)
        return True

    async def _due_at_once(self, tx: Transaction, entry: Erasing) -> str | None:
        """The deadline by which the record goes; None when it is not there."""
        if await self._datasets[entry.dataset].handler.closure(tx, entry.record_id) is None:
            return None
        begun = await deadlines.of_rule(tx, entry.record_id, RULE)
        if begun is not None:
            return begun
        await deadlines.schedule(
            tx,
            brand_id=entry.brand_id,
            account_id=entry.account_id,
            dataset=entry.dataset,
            record_id=entry.record_id,
            rule=RULE,
            policy_digest=entry.policy_digest,
            due_at=tx.now,
        )
        return await deadlines.of_rule(tx, entry.record_id, RULE)

    async def _tell_unknown(self, what: str) -> None:
        async with self._database.transaction() as tx:
            await findings.raise_finding(tx, code="journal_entry_unknown", subject=what, brand_id=None)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Hold the lease on replaying; whoever comes later waits here."""
        while not await self._take():  # noqa: ASYNC110 - another process tells of its end by the lease alone
            await asyncio.sleep(_WAITS_SECONDS)
        renewing = asyncio.create_task(self._renew(), name="replay-lease")
        try:
            yield
        finally:
            await ended(renewing)
            async with self._database.transaction() as tx:
                await tx.execute(
                    "DELETE FROM lease WHERE name = :name AND owner = :owner", name=_LEASE, owner=self._owner
                )

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEWED_EVERY_SECONDS)
            try:
                await self._take()
            except Exception:  # the lease outlives a few of these
                _log.warning("replay_lease_not_renewed")

    async def _take(self) -> bool:
        async with self._database.transaction() as tx:
            return await tx.changed(
                "INSERT INTO lease (name, owner, until, token) VALUES (:name, :owner, :until, 1)"
                " ON CONFLICT (name) DO UPDATE SET owner = :owner, until = :until, token = lease.token + 1"
                " WHERE lease.owner = :owner OR lease.until <= :now RETURNING name",
                name=_LEASE,
                owner=self._owner,
                until=tx.now + _LEASE_LASTS,
                now=tx.now,
            )


def _sum(one: Replayed, other: Replayed) -> Replayed:
    return Replayed(*(a + b for a, b in zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)))

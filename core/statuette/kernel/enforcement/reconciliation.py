"""Compares the object store with the database, both ways, once a day.

Both sides are walked in order of brand and id, side by side, as sorted lists are merged: every object is listed once and every row
read once, whatever their number. Neither side stands still meanwhile, so whatever looks wrong is looked at again before
anything is said of it, and nothing younger than the grace period is judged.

An object without a record gets the shortest deadline there is: it is removed. A record without its object is a finding, and so is
what is stored where only records' objects should be, under a name that is none of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from statuette.dataset import Dataset
from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.enforcement.leftovers import Leftovers
from statuette.kernel.work import findings
from statuette.ports.storage import Storage
from statuette.values import Clock

EVERY = timedelta(days=1)
GRACE = timedelta(hours=1)
"""Far longer than anything takes from the first byte that is stored to the row that says so."""
STEPS_IN_ONE_RUN = 500
_PAGE = 500
_STEP_SECONDS = 1.0
_RUN_SECONDS = 0.1  # where much is wrong a step takes its time, and other duties want their turn
_MARK = "reconciliation"
_LIVE = ("scheduled", "executing", "held", "stopped")


class _Stored(msgspec.Struct, frozen=True):
    """The objects of one record. Without a record, when the key is none of ours."""

    key: str
    brand_id: str
    record_id: str
    modified_at: datetime

    @property
    def place(self) -> tuple[str, str]:
        return (self.brand_id, self.record_id)


class Reconciliation:
    """One round a day, a step of it at a time; whoever takes over as the scheduler begins the round anew."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        storage: Storage,
        leftovers: Leftovers,
        datasets: Mapping[str, Dataset],
    ) -> None:
        self._database = database
        self._clock = clock
        self._storage = storage
        self._leftovers = leftovers
        self._datasets = tuple(dataset for dataset in datasets.values() if dataset.stored is not None)
        self._brands: list[str] = []
        self._round: AsyncIterator[None] | None = None

    async def run(self) -> int:
        """Go on with a round, or begin one if a day has passed; returns how many steps. The scheduler's job."""
        if self._round is None:
            if not await self._is_time():
                return 0
            self._round = self._compare_all()
        steps, until = 0, self._clock.monotonic_seconds() + _RUN_SECONDS
        try:
            for _ in range(STEPS_IN_ONE_RUN):
                # A store that hangs must not keep the scheduler from everything else: then the round begins anew, later.
                await asyncio.wait_for(anext(self._round), _STEP_SECONDS)
                steps += 1
                if self._clock.monotonic_seconds() > until:
                    return STEPS_IN_ONE_RUN
        except StopAsyncIteration:
            self._round = None
            await self._mark()
        except Exception:
            self._round = None  # a generator that raised cannot go on
            raise
        return steps

    async def _is_time(self) -> bool:
        async with self._database.read() as reader:
            ended_at = await reader.value("SELECT at FROM time_mark WHERE name = :name", name=_MARK)
            now = reader.now
        if ended_at is None:  # nothing is there yet that could have been lost
            await self._mark()
            return False
        return bool(now - ended_at >= EVERY)

    async def _mark(self) -> None:
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO time_mark (name, at) VALUES (:name, :now) ON CONFLICT (name) DO UPDATE SET at = :now",
                name=_MARK,
                now=tx.now,
            )

    async def _compare_all(self) -> AsyncIterator[None]:
        for dataset in self._datasets:
            for template in dataset.object_prefixes:
                async for _ in self._compare(dataset, template.partition("/")[0] + "/"):
                    yield

    async def _compare(self, dataset: Dataset, root: str) -> AsyncIterator[None]:
        """A step for each record that is on either side."""
        expected = self._expected(dataset)
        row = await anext(expected, None)
        async for stored in self._stored(root):
            while row is not None and row < stored.place:
                await self._missing(dataset, row)
                row = await anext(expected, None)
                yield
            if row == stored.place:
                row = await anext(expected, None)
            else:
                await self._unexpected(dataset, stored)
            yield
        while row is not None:
            await self._missing(dataset, row)
            row = await anext(expected, None)
            yield

    async def _expected(self, dataset: Dataset) -> AsyncIterator[tuple[str, str]]:
        """Brand and id of every record that has objects, in order."""
        assert dataset.stored is not None
        async with self._database.read() as reader:
            self._brands = sorted([row["id"] for row in await reader.rows("SELECT id FROM brand ORDER BY id")])
        for brand_id in self._brands:
            after = ""
            while True:
                async with self._database.transaction() as tx:
                    page = await dataset.stored(tx, brand_id, after, _PAGE)
                for record_id in page:
                    yield (brand_id, record_id)
                if len(page) < _PAGE:
                    break
                after = page[-1]

    async def _stored(self, root: str) -> AsyncIterator[_Stored]:
        """The records whose objects are there, in order, each with the time of its latest object."""
        current: _Stored | None = None
        async for found in self._storage.list(root):
            parts = found.key.split("/")
            ours = len(parts) == 4
            each = _Stored(
                found.key, parts[1] if ours else "", parts[2] if ours else "", self._clock_of(found.modified_at)
            )
            if not ours:
                yield each  # out of the order; it is compared with nothing
                continue
            if current is not None and current.place != each.place:
                yield current
                current = None
            if current is None or each.modified_at > current.modified_at:
                current = each
        if current is not None:
            yield current

    def _clock_of(self, modified_at: datetime) -> datetime:
        return min(modified_at, self._clock.now())

    async def _unexpected(self, dataset: Dataset, stored: _Stored) -> None:
        if self._clock.now() - stored.modified_at < GRACE:
            return
        async with self._database.transaction() as tx:
            if stored.record_id and await is_known(tx, dataset, stored.record_id):
                return  # not ready yet, or it came after the list
            if not stored.record_id:
                await findings.raise_finding(tx, code="unknown_object", subject=stored.key[:120], brand_id=None)
                return
            prefix = stored.key.rpartition("/")[0] + "/"
            await self._leftovers.expect(tx, (prefix,), at_once=True)
            await findings.raise_finding(
                tx,
                code="orphan_object",
                subject=stored.record_id,
                detail="removed",
                brand_id=stored.brand_id if stored.brand_id in self._brands else None,
            )

    async def _missing(self, dataset: Dataset, place: tuple[str, str]) -> None:
        brand_id, record_id = place
        async with self._database.transaction() as tx:
            closure = await dataset.handler.closure(tx, record_id)
            if closure is None or not await is_known(tx, dataset, record_id):
                return  # it ended meanwhile
        if await self._any_below(closure.prefixes):
            return
        async with self._database.transaction() as tx:
            # Its objects go before its row does: whoever is deleting it is not to be taken for a loss.
            if not await is_being_deleted(tx, record_id):
                await findings.raise_finding(
                    tx, code="object_missing", subject=record_id, detail=dataset.name, brand_id=brand_id
                )

    async def _any_below(self, prefixes: Iterable[str]) -> bool:
        for prefix in prefixes:
            async for _ in self._storage.list(prefix):
                return True
        return False


async def is_known(reader: Reader, dataset: Dataset, record_id: str) -> bool:
    """Whether a deadline waits for the record: it is written before the first byte is stored, and ends with the record."""
    rows = await reader.rows("SELECT dataset, state FROM deadline WHERE record_id = :id", id=record_id)
    return any(row["dataset"] == dataset.name and row["state"] in _LIVE for row in rows)


async def is_being_deleted(tx: Transaction, record_id: str) -> bool:
    """Whether a deletion of the record has begun, or is over."""
    rows = await tx.rows("SELECT begun_at, state FROM deadline WHERE record_id = :id", id=record_id)
    return not rows or any(row["begun_at"] is not None or row["state"] not in _LIVE for row in rows)

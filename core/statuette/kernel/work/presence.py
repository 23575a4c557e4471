"""Which processes of the deployment are alive.

A process says so once for all the work it holds: one row, renewed every moment. When a process is killed, or away for too
long, the row runs out and the scheduler gives what it held to others. Should it come back, it is fenced: the leases it has in
hand are no longer those in the database (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html).
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
from datetime import datetime, timedelta

import msgspec

from statuette.errors import Unavailable
from statuette.kernel import telemetry
from statuette.kernel.db.database import Database, Reader
from statuette.kernel.tasks import ended
from statuette.values import new_id

LEASE = timedelta(seconds=6)
_BEAT_SECONDS = 1.5
_MISSED_SECONDS = LEASE.total_seconds() / 2
_LONG_AGO = timedelta(days=365)
_log = logging.getLogger(__name__)


class ProcessView(msgspec.Struct, frozen=True):
    """A process and the work it has in hand."""

    id: str
    role: str
    host: str
    started_at: datetime
    alive_until: datetime
    in_hand: int


class Presence:
    """This process among the others."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._beating: asyncio.Task[None] | None = None
        self._beaten_at = self._steady_since = -math.inf
        self.id = new_id("prc", database.clock.now())
        self.role = ""

    async def start(self, role: str) -> None:
        self.role = role
        self._started_at = self._database.clock.now()
        await self.beat()
        self._beating = asyncio.create_task(self._forever(), name="presence")

    async def stop(self) -> None:
        """Say goodbye: what is still in hand is anybody's from now on."""
        if self._beating is None:
            return
        beating, self._beating = self._beating, None
        await ended(beating)
        try:
            async with self._database.transaction() as tx:
                await tx.execute("DELETE FROM process WHERE id = :id", id=self.id)
        except Unavailable:  # then it is noticed once the row has run out
            _log.warning("goodbye_not_said")

    async def beat(self) -> None:
        """Prove to be alive for another `LEASE`."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO process (id, role, host, started_at, alive_until) VALUES (:id, :role, :host, :started, :until)"
                " ON CONFLICT (id) DO UPDATE SET alive_until = :until",
                id=self.id,
                role=self.role,
                host=socket.gethostname()[:120],
                started=self._started_at,
                until=tx.now + LEASE,
            )
        before, self._beaten_at = self._beaten_at, self._database.clock.monotonic_seconds()
        if self._beaten_at - before > _MISSED_SECONDS:
            self._steady_since = self._beaten_at

    async def forget_others(self) -> None:
        """After a start of the only process: nobody else is alive, and no hint of an earlier life is under way."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM process WHERE id <> :id", id=self.id)
            await tx.execute("UPDATE work_item SET sent_at = NULL, lease = NULL, held_by = NULL")
            await tx.execute("DELETE FROM lease")

    async def free_the_dead(self) -> int:
        """Take work from processes that are no longer alive, so that others can have it; returns how much. The scheduler's job.

        What a process has locked that sleeps in the middle of a transaction is left until the database has ended that.
        """
        async with self._database.transaction() as tx:
            dead_since = tx.now if self._others_could_beat() else tx.now - _LONG_AGO
            skip = " FOR UPDATE SKIP LOCKED" if tx.postgres else ""
            freed = await tx.rows(
                "UPDATE work_item SET lease = NULL, held_by = NULL, sent_at = NULL WHERE id IN"
                " (SELECT id FROM work_item WHERE held_by IS NOT NULL AND held_by <> :id AND NOT EXISTS"
                " (SELECT 1 FROM process p WHERE p.id = work_item.held_by AND p.alive_until > :dead_since)"
                f"{skip}) RETURNING queue",
                id=self.id,
                dead_since=dead_since,
            )
            await tx.execute(
                "DELETE FROM process WHERE id IN"
                f" (SELECT id FROM process WHERE id <> :id AND alive_until <= :dead_since{skip})",
                id=self.id,
                dead_since=dead_since,
            )
        for item in freed:
            telemetry.leases_expired.add(1, {"queue": item["queue"]})
        if freed:
            _log.warning("work_freed", extra={"facts": {"items": len(freed)}})
        return len(freed)

    def _others_could_beat(self) -> bool:
        """Whether a row that has run out tells of a death.

        Not while we cannot beat ourselves, nor for a while after: the database was away, perhaps, for everybody. Nor for a while
        after our start: who knows what was before.
        """
        now = self._database.clock.monotonic_seconds()
        return now - self._beaten_at <= _MISSED_SECONDS and now - self._steady_since >= LEASE.total_seconds()

    async def _forever(self) -> None:
        while True:
            # Real seconds on purpose: a clock frozen by a test must not make a live process look dead.
            await asyncio.sleep(_BEAT_SECONDS)
            try:
                await self.beat()
            except Exception:  # the row outlives a few missed beats
                _log.warning("beat_failed")


async def processes(reader: Reader) -> list[ProcessView]:
    """Those that are alive, oldest first."""
    return await reader.all(
        ProcessView,
        "SELECT p.id, p.role, p.host, p.started_at, p.alive_until,"
        " (SELECT COUNT(*) FROM work_item w WHERE w.held_by = p.id) AS in_hand"
        " FROM process p WHERE p.alive_until > :now ORDER BY p.started_at, p.id",
        now=reader.now,
    )

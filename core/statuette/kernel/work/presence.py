"""Which processes of the deployment are alive.

A process says so once for all the work it holds: one row, renewed every moment. When a process is killed, or away for too
long, the row runs out and the scheduler gives what it held to others. Should it come back, it is fenced: the leases it has in
hand are no longer those in the database (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html).
"""

from __future__ import annotations

import asyncio
import logging
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
        self._looked_at: float | None = None
        self._resumed_at: float | None = None
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

    async def forget_others(self) -> None:
        """After a start of the only process: nobody else is alive, and no hint of an earlier life is under way."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM process WHERE id <> :id", id=self.id)
            await tx.execute("UPDATE work_item SET sent_at = NULL, lease = NULL, held_by = NULL")
            await tx.execute("DELETE FROM lease")

    async def free_the_dead(self) -> int:
        """Take work from processes that are no longer alive, so that others can have it; returns how much. The scheduler's job."""
        if self._others_had_no_chance():
            return 0
        async with self._database.transaction() as tx:
            freed = await tx.rows(
                "UPDATE work_item SET lease = NULL, held_by = NULL, sent_at = NULL WHERE held_by IS NOT NULL"
                " AND held_by <> :id AND NOT EXISTS"
                " (SELECT 1 FROM process p WHERE p.id = work_item.held_by AND p.alive_until > :now) RETURNING queue",
                id=self.id,
                now=tx.now,
            )
            await tx.execute("DELETE FROM process WHERE id <> :id AND alive_until <= :now", id=self.id, now=tx.now)
        for item in freed:
            telemetry.leases_expired.add(1, {"queue": item["queue"]})
        if freed:
            _log.warning("work_freed", extra={"facts": {"items": len(freed)}})
        return len(freed)

    def _others_had_no_chance(self) -> bool:
        """Whether the database was away, or this process was, so that nobody could prove to be alive until just now."""
        now = asyncio.get_running_loop().time()
        before, self._looked_at = self._looked_at, now
        if before is not None and now - before > LEASE.total_seconds() / 2:
            self._resumed_at = now
        return self._resumed_at is not None and now - self._resumed_at < LEASE.total_seconds()

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

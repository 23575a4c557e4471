"""The scheduler: any number may run, the one with the lease ticks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from statuette.errors import Unavailable
from statuette.kernel import telemetry
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.tasks import ended
from statuette.values import Clock

_log = logging.getLogger(__name__)
_LEASE = timedelta(seconds=5)
_STANDBY_SECONDS = 1.0


class Duty(msgspec.Struct, frozen=True):
    """Something done every so often by whoever ticks.

    Attributes:
        run: does it and returns how much it did.
        at_once: the most that one run does. After a run that did as much the next one comes at the next tick, so that what
            has piled up is worked off, however much it is, and other duties have their turn meanwhile.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[int]]
    at_once: int | None = None
    apart: bool = False
    """It asks a store, which may hang: no tick waits for it. It is never run twice at once."""


class Scheduler:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        owner: str,
        duties: tuple[Duty, ...],
        tick: timedelta = timedelta(milliseconds=250),
    ) -> None:
        self._database = database
        self._clock = clock
        self._duties = duties
        self._tick = tick
        self._owner = owner
        self._next_run: dict[str, datetime] = {}
        self._renew_at: datetime | None = None
        self._task: asyncio.Task[None] | None = None
        self._apart: dict[str, asyncio.Task[None]] = {}
        self.last_tick_at: datetime | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._forever(), name="scheduler")

    async def stop(self) -> None:
        if self._task is None:
            return
        task, self._task = self._task, None
        await ended(task)
        for each in self._apart.values():
            await ended(each)
        self._apart.clear()
        telemetry.leading.hide()
        telemetry.hide_what_one_tells_for_all()
        try:
            async with self._database.transaction() as tx:
                await tx.execute("DELETE FROM lease WHERE name = 'scheduler' AND owner = :owner", owner=self._owner)
        except Unavailable:  # then another takes over once the lease has run out
            _log.warning("lease_not_given_back")

    async def _forever(self) -> None:
        while True:
            leading = False
            try:
                leading = await self.tick()
            except Exception:
                _log.exception("tick_failed")
            telemetry.leading.show({"": int(leading)})
            if not leading:
                telemetry.hide_what_one_tells_for_all()
            # Real seconds on purpose: a clock frozen by a test must not stop the outbox.
            await asyncio.sleep(self._tick.total_seconds() if leading else _STANDBY_SECONDS)

    async def tick(self) -> bool:
        """Run every duty that is due, if the lease is ours; whether it is."""
        if not await self._leading():
            return False
        began = self._clock.monotonic_seconds()
        now = self._clock.now()
        self.last_tick_at = now
        for duty in self._duties:
            if self._next_run.get(duty.name, now) > now:
                continue
            if duty.apart and duty.name in self._apart and not self._apart[duty.name].done():
                continue
            self._next_run[duty.name] = now + duty.every
            if duty.apart:
                self._apart[duty.name] = asyncio.create_task(self._do(duty, now), name=duty.name)
            else:
                await self._do(duty, now)
        telemetry.tick_seconds.record(self._clock.monotonic_seconds() - began)
        return True

    async def _do(self, duty: Duty, now: datetime) -> None:
        try:
            done = await duty.run()
        except Exception:
            telemetry.duties_failed.add(1, {"duty": duty.name})
            _log.exception("duty_failed", extra={"facts": {"duty": duty.name}})
            return
        if duty.at_once is not None and done >= duty.at_once:
            self._next_run[duty.name] = now
        if done:
            _log.debug("duty", extra={"facts": {"duty": duty.name, "done": done}})

    async def _leading(self) -> bool:
        now = self._clock.now()
        if self._renew_at is not None and now < self._renew_at:
            return True
        async with self._database.transaction() as tx:
            leading = await self._take(tx)
        self._renew_at = now + _LEASE / 3 if leading else None
        return leading

    async def _take(self, tx: Transaction) -> bool:
        return await tx.changed(
            "INSERT INTO lease (name, owner, until, token) VALUES ('scheduler', :owner, :until, 1)"
            " ON CONFLICT (name) DO UPDATE SET owner = :owner, until = :until, token = lease.token + 1"
            " WHERE lease.owner = :owner OR lease.until <= :now RETURNING name",
            owner=self._owner,
            until=tx.now + _LEASE,
            now=tx.now,
        )

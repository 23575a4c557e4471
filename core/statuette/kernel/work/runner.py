"""Runs claimed work: trace continued, disorder retried, poison taken out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
from opentelemetry.trace import Span, SpanKind

from statuette.kernel import telemetry
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.errors import is_outage
from statuette.kernel.tasks import ended
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, LeaseLost, Outbox
from statuette.values import Clock

_log = logging.getLogger(__name__)


class Actor(msgspec.Struct, frozen=True):
    """What can be done to a subject.

    Attributes:
        run: does one step; must end by finishing, postponing or losing the lease.
        poisoned: what becomes of the subject when `max_attempts` claims ended in disorder (crash, exception); returns
            the brand that the finding concerns.
    """

    name: str
    queue: str
    run: Callable[[Claimed], Awaitable[None]]
    poisoned: Callable[[Transaction, str], Awaitable[str | None]]
    max_attempts: int = 4


class Runner:
    """Handles one hint at a time; any number run at once."""

    def __init__(self, database: Database, outbox: Outbox, clock: Clock, actors: tuple[Actor, ...]) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._actors = {actor.name: actor for actor in actors}
        self._in_hand: dict[asyncio.Task[object], str] = {}
        self._leaving = False

    @property
    def in_flight(self) -> int:
        return len(self._in_hand)

    async def give_back_strays(self) -> int:
        """Give back what is in our name and not in our hands: the database failed just when we took it, or gave it back."""
        held = await self._outbox.held()
        in_hand = set(self._in_hand.values())
        strays = [item for item in held if item.id not in in_hand]
        for item in strays:
            await self._outbox.give_back(item, timedelta(0), counted=False)
        return len(strays)

    async def abandon(self) -> None:
        """Stop what is in hand where it is. Others take it up once this process says goodbye."""
        self._leaving = True
        await ended(*self._in_hand)

    async def handle(self, item_id: str) -> None:
        """Claim the item and run its actor. Never raises: what goes wrong is retried, then poisoned."""
        task = asyncio.current_task()
        assert task is not None, "work is done in a task"
        self._in_hand[task] = item_id  # before it is claimed: see `give_back_strays`
        try:
            claimed = await self._outbox.claim(item_id)
            if claimed is not None:
                await self._handle(claimed)
        except asyncio.CancelledError:
            if not self._leaving:
                raise
        except Exception:
            _log.exception("not_claimed")
        finally:
            del self._in_hand[task]

    async def _handle(self, claimed: Claimed) -> None:
        actor = self._actors[claimed.actor]
        queue = {"queue": claimed.queue}
        telemetry.queue_age_seconds.record(max(0.0, (self._clock.now() - claimed.due_at).total_seconds()), queue)
        telemetry.in_hand.add(1, queue)
        began, end = self._clock.monotonic_seconds(), "abandoned"
        try:
            with (
                telemetry.continued(claimed.trace_parent),
                telemetry.span(f"work {actor.name}", SpanKind.CONSUMER, **queue, attempt=claimed.attempts) as span,
            ):
                step = self._poison if claimed.attempts > actor.max_attempts else self._run
                end = await step(actor, claimed, span)
        finally:
            telemetry.in_hand.add(-1, queue)
            took = self._clock.monotonic_seconds() - began
            telemetry.work_seconds.record(took, {"actor": actor.name, "end": end})

    async def _run(self, actor: Actor, claimed: Claimed, span: Span) -> str:
        try:
            await actor.run(claimed)
            return "done"
        except LeaseLost:
            _log.info("lease_lost", extra={"facts": {"actor": actor.name}})
            return "lease_lost"
        except Exception as error:
            telemetry.failed(span, error)
            _log.exception("work_failed", extra={"facts": {"actor": actor.name, "attempts": claimed.attempts}})
            await self._give_back(claimed, error)
            return "again"

    async def _poison(self, actor: Actor, claimed: Claimed, span: Span) -> str:
        try:
            async with self._database.transaction() as tx:
                await self._outbox.finish(tx, claimed)
                brand_id = await actor.poisoned(tx, claimed.subject_id)
                await findings.raise_finding(
                    tx, code="work_poisoned", subject=claimed.subject_id, detail=actor.name, brand_id=brand_id
                )
            return "poisoned"
        except LeaseLost:
            _log.info("lease_lost", extra={"facts": {"actor": actor.name}})
            return "lease_lost"
        except Exception as error:
            telemetry.failed(span, error)
            _log.exception("poison_failed", extra={"facts": {"actor": actor.name}})
            await self._give_back(claimed, error)
            return "again"

    async def _give_back(self, claimed: Claimed, error: Exception) -> None:
        try:
            await self._outbox.give_back(claimed, _backoff(claimed.attempts), counted=not is_outage(error))
        except Exception:  # the database is what failed, perhaps: then it is a stray, for now
            _log.warning("not_given_back", extra={"facts": {"actor": claimed.actor}})


def _backoff(attempts: int) -> timedelta:
    return timedelta(seconds=min(60.0, 0.5 * 2 ** (attempts - 1)))

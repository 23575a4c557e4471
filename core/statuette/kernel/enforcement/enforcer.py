"""Carries rules out.

A due deadline is claimed by the scheduler (`executing`, the intent, is committed before anything is destroyed) and handed
to workers. The record's objects go first, their absence is checked independently, then the rows go. Enforcing twice equals
enforcing once: absence is success at every step.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from opentelemetry.trace import SpanKind

from statuette.dataset import Closure, Dataset
from statuette.kernel import telemetry
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.enforcement.due import DueDeadlines
from statuette.kernel.enforcement.leftovers import Leftovers, destroy
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.kernel.work.queues import ENFORCEMENT
from statuette.policy import Retain
from statuette.ports.storage import Storage, StorageUnavailable

ACTOR = "enforce"
HANDED_OUT_AT_ONCE = 500
SWEPT_AT_ONCE = 1000
_STILL_IN_USE = timedelta(seconds=2)
_log = logging.getLogger(__name__)


class _Deadline(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    dataset: str
    record_id: str
    rule: str
    due_at: datetime
    policy_digest: str
    trace_parent: str | None


class Enforcer:
    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        storage: Storage,
        leftovers: Leftovers,
        datasets: Mapping[str, Dataset],
        sweeps: list[Retain],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._storage = storage
        self._leftovers = leftovers
        self._datasets = datasets
        self._sweeps = sweeps
        self._due = DueDeadlines()

    async def hand_out(self) -> int:
        """Claim what is due and put it to the workers; returns how many. The scheduler's job."""
        async with self._database.transaction() as tx:
            claimed = await self._due.claim(tx, HANDED_OUT_AT_ONCE)
            for deadline_id in claimed:
                await self._outbox.put(tx, queue=ENFORCEMENT, actor=ACTOR, subject_id=deadline_id)
        telemetry.heartbeats.add(1)
        return len(claimed)

    async def sweep(self) -> int:
        """Delete what has grown too old, up to `SWEPT_AT_ONCE` of each stream; returns how many rows. The scheduler's job."""
        swept = 0
        for rule in self._sweeps:
            dataset = self._datasets.get(rule.dataset)
            if dataset is None:
                continue
            async with self._database.transaction() as tx:
                swept += await dataset.handler.sweep(tx, tx.now - rule.after, SWEPT_AT_ONCE)
        return swept

    async def run(self, claimed: Claimed) -> None:
        """Enforce one deadline."""
        deadline = await self._begin(claimed)
        if deadline is None:
            return
        with telemetry.span(
            "enforce",
            SpanKind.INTERNAL,
            linked=deadline.trace_parent,
            **{
                "privacy.rule.id": deadline.rule,
                "privacy.policy.digest": deadline.policy_digest,
                "privacy.due_at": deadline.due_at.isoformat(),
            },
        ) as span:
            closure = await self._settled_closure(claimed, deadline)
            if closure is None:
                span.set_attribute("privacy.outcome", "still_in_use")
                return
            try:
                with telemetry.span("storage delete", SpanKind.INTERNAL, **{"privacy.store": self._storage.name}):
                    for prefix in closure.prefixes:
                        await destroy(self._storage, prefix)
            except StorageUnavailable:
                span.set_attribute("privacy.outcome", "store_unavailable")
                async with self._database.transaction() as tx:
                    await findings.raise_finding(
                        tx,
                        code="enforcement_delayed",
                        subject=deadline.rule,
                        detail="storage_unavailable",
                        brand_id=deadline.brand_id,
                    )
                    await self._outbox.postpone(tx, claimed, tx.now + timedelta(seconds=15))
                return
            await self._conclude(claimed, deadline, closure)
            span.set_attribute("privacy.outcome", "verified")

    async def poisoned(self, tx: Transaction, deadline_id: str) -> str | None:
        """Give the deadline back to the scheduler: a promise is never dropped. The runner raises the finding."""
        brand_id: str | None = await tx.value(
            "UPDATE deadline SET state = 'scheduled', updated_at = :now WHERE id = :id AND state = 'executing'"
            " RETURNING brand_id",
            id=deadline_id,
            now=tx.now,
        )
        return brand_id

    async def _begin(self, claimed: Claimed) -> _Deadline | None:
        async with self._database.transaction() as tx:
            deadline = await tx.one(
                _Deadline,
                "SELECT id, brand_id, dataset, record_id, rule, due_at, policy_digest, trace_parent FROM deadline"
                " WHERE id = :id AND state = 'executing' AND due_at <= :now",
                id=claimed.subject_id,
                now=tx.now,
            )
            if deadline is None:
                await self._outbox.finish(tx, claimed)
            return deadline

    async def _settled_closure(self, claimed: Claimed, deadline: _Deadline) -> Closure | None:
        handler = self._datasets[deadline.dataset].handler
        async with self._database.transaction() as tx:
            await self._outbox.hold(tx, claimed)
            closure = await handler.closure(tx, deadline.record_id)
            if closure is None:
                return Closure()
            if await handler.settle(tx, deadline.record_id, tx.now):
                return closure
            await self._outbox.postpone(tx, claimed, tx.now + _STILL_IN_USE)
            return None

    async def _conclude(self, claimed: Claimed, deadline: _Deadline, closure: Closure) -> None:
        async with self._database.transaction() as tx:
            await self._outbox.finish(tx, claimed)
            if closure.being_written:
                await self._leftovers.expect(tx, closure.prefixes)
            await self._datasets[deadline.dataset].handler.erase(tx, deadline.record_id)
            # The record's other deadlines have nothing left to act on.
            await tx.execute(
                "UPDATE deadline SET state = CASE WHEN id = :id THEN 'verified' ELSE 'superseded' END, updated_at = :now"
                " WHERE record_id = :record_id AND state IN ('scheduled', 'executing')",
                id=deadline.id,
                record_id=deadline.record_id,
                now=tx.now,
            )
        telemetry.enforcement_lag_seconds.record(
            max(0.0, (tx.now - deadline.due_at).total_seconds()), {"rule": deadline.rule}
        )

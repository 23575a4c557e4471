"""Carries rules out.

A due deadline is claimed by the scheduler (`executing`, the intent, is committed before anything is destroyed) and handed
to workers. In one transaction legal holds and guards are asked, and what still uses the record is ended; after it there is no
way back. What is about to be destroyed is told to the erasure journal, so that it stays destroyed after a restore. The
record's objects go first, then its data keys, each with an independent check that they are gone, then the rows. A transaction
of its own looks whether the rows are gone, and only then writes the receipt. Enforcing twice equals enforcing once: absence is
success at every step, and a step that was cut off is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec
from opentelemetry.trace import SpanKind

from statuette.dataset import Closure, Dataset, Shared
from statuette.evidence import Check, Residual, StoreKind, StoreOutcome, StoreResult
from statuette.kernel import telemetry
from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.db.sql import columns_of
from statuette.kernel.enforcement import guards, holds
from statuette.kernel.enforcement.due import ACTOR, DueDeadlines
from statuette.kernel.enforcement.heartbeat import Heartbeat
from statuette.kernel.enforcement.leftovers import Leftovers, destroy
from statuette.kernel.evidence import receipts
from statuette.kernel.journal.entries import Erasing
from statuette.kernel.journal.journal import Journal
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, LeaseLost, Outbox
from statuette.kernel.work.queues import ENFORCEMENT
from statuette.policy import Action, Carry, Retain, Trigger
from statuette.ports.keys import KeyStoreUnavailable
from statuette.ports.storage import Storage, StorageUnavailable

HANDED_OUT_AT_ONCE = 500
SWEPT_AT_ONCE = 1000
SWEPT_IN_ONE_TRANSACTION = 250  # whose locks nobody should have to wait for
_STILL_IN_USE = timedelta(seconds=2)
_TRIED_AGAIN_AFTER = timedelta(seconds=15)


class _Deadline(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    account_id: str | None
    dataset: str
    record_id: str
    rule: str
    due_at: datetime
    policy_digest: str
    armed_at: datetime | None
    forecast_at: datetime | None
    intent_at: datetime | None
    begun_at: datetime | None
    erased_at: datetime | None
    outcomes: str | None
    trace_parent: str | None


_OF_D = ", ".join(f"d.{name}" for name in _Deadline.__struct_fields__)


class _Begun(msgspec.Struct, frozen=True):
    """What is to be enforced.

    Attributes:
        closure: what is to go, with the decision that it goes committed; None if it is gone already, or may not go, or not yet.
        kept_back: why not, as the telemetry calls it.
    """

    deadline: _Deadline
    closure: Closure | None = None
    kept_back: str | None = None


class _Done(msgspec.Struct, frozen=True):
    """What was destroyed before the rows were: kept beside the deadline until the receipt is written."""

    stores: tuple[StoreOutcome, ...] = ()
    residuals: tuple[Residual, ...] = ()


class Enforcer:
    """Enforces deadlines, one at a time.

    Args:
        rules: every rule of retention, by id.
        residuals_of: what providers keep of what they were given.
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        storage: Storage,
        cipher: FieldCipher,
        journal: Journal,
        leftovers: Leftovers,
        datasets: Mapping[str, Dataset],
        rules: Mapping[str, Retain],
        residuals_of: Callable[[tuple[Shared, ...]], tuple[Residual, ...]],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._storage = storage
        self._cipher = cipher
        self._journal = journal
        self._leftovers = leftovers
        self._datasets = datasets
        self._rules = rules
        self._residuals_of = residuals_of
        self._due = DueDeadlines()
        self._heartbeat = Heartbeat()

    async def hand_out(self) -> int:
        """Claim what is due and put it to the workers; returns how many. The scheduler's job."""
        async with self._database.transaction() as tx:
            claimed = await self._due.claim(tx, HANDED_OUT_AT_ONCE)
            for deadline_id in claimed:
                await self._outbox.put(tx, queue=ENFORCEMENT, actor=ACTOR, subject_id=deadline_id)
            await self._heartbeat.beat(tx)
        telemetry.heartbeats.add(1)
        return len(claimed)

    async def sweep(self) -> int:
        """Delete what has grown too old, up to `SWEPT_AT_ONCE` of each stream; returns how many rows. The scheduler's job."""
        swept = 0
        for rule in self._rules.values():
            dataset = self._datasets.get(rule.dataset)
            if rule.carry is not Carry.sweep or dataset is None:
                continue
            for _ in range(SWEPT_AT_ONCE // SWEPT_IN_ONE_TRANSACTION):
                async with self._database.transaction() as tx:
                    done = await dataset.handler.sweep(tx, rule.cutoff(tx.now), SWEPT_IN_ONE_TRANSACTION)
                swept += done
                if done < SWEPT_IN_ONE_TRANSACTION:
                    break
        return swept

    async def run(self, claimed: Claimed) -> None:
        """Enforce one deadline."""
        begun = await self._begin(claimed)
        if begun is None:
            return
        deadline = begun.deadline
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
            outcome = begun.kept_back
            if begun.closure is not None:
                outcome = await self._erase(claimed, deadline, begun.closure)
            span.set_attribute("privacy.outcome", outcome or await self._conclude(claimed))

    async def poisoned(self, tx: Transaction, deadline_id: str) -> str | None:
        """Give the deadline back to the scheduler: a promise is never dropped. The runner raises the finding."""
        brand_id: str | None = await tx.value(
            "UPDATE deadline SET state = 'scheduled', updated_at = :now WHERE id = :id AND state = 'executing'"
            " RETURNING brand_id",
            id=deadline_id,
            now=tx.now,
        )
        return brand_id

    async def _begin(self, claimed: Claimed) -> _Begun | None:
        """Decide whether the record goes, and commit to it; None when there is nothing (left) to do."""
        async with self._database.transaction() as tx:
            deadline = await self._held(tx, claimed)
            if deadline is None:
                await self._outbox.finish(tx, claimed)
                return None
            if deadline.erased_at is not None:
                return _Begun(deadline)
            handler = self._datasets[deadline.dataset].handler
            closure = await handler.closure(tx, deadline.record_id)
            if closure is None:
                return _Begun(deadline, Closure())
            if deadline.begun_at is not None:
                return _Begun(deadline, closure)
            outcome = await self._kept_back(tx, claimed, deadline)
            if outcome is None and not await handler.settle(tx, deadline.record_id, tx.now):
                await self._outbox.postpone(tx, claimed, tx.now + _STILL_IN_USE)
                outcome = "still_in_use"
            if outcome is not None:
                return _Begun(deadline, None, outcome)
            await tx.execute("UPDATE deadline SET begun_at = :now WHERE id = :id", id=deadline.id, now=tx.now)
            return _Begun(deadline, closure)

    async def _held(self, tx: Transaction, claimed: Claimed) -> _Deadline | None:
        """The deadline, with the lease proved and kept; None when it is not to be enforced, or the lease is lost."""
        return await tx.one(
            _Deadline,
            f"SELECT {_OF_D}{holds.keeping_others_out(tx)} FROM work_item w JOIN deadline d ON d.id = w.subject_id"
            " WHERE w.id = :item_id AND w.lease = :lease AND d.state = 'executing' AND d.due_at <= :now"
            f"{tx.for_update}",
            item_id=claimed.id,
            lease=claimed.lease,
            now=tx.now,
        )

    async def _erase(self, claimed: Claimed, deadline: _Deadline, closure: Closure) -> str | None:
        """Destroy objects, then keys, then rows; what prevents that, if anything does: then the item comes again."""
        try:
            await self._journal.append(_entry(deadline, closure))
            stores = (*await self._destroy_objects(closure), *await self._destroy_keys(closure))
        except (StorageUnavailable, KeyStoreUnavailable) as error:
            async with self._database.transaction() as tx:
                await self._try_again(tx, claimed, deadline, "enforcement_delayed", error.code)
            return "store_unavailable"
        async with self._database.transaction() as tx:
            # All of the record's, so that two of them that fall due together end it one after the other; and the lease first.
            if not await tx.rows(
                "SELECT d.id FROM work_item w JOIN deadline d ON d.record_id = :record_id"
                f" WHERE w.id = :item_id AND w.lease = :lease ORDER BY d.id{tx.for_update}",
                record_id=deadline.record_id,
                item_id=claimed.id,
                lease=claimed.lease,
            ):
                raise LeaseLost()
            if not await tx.changed(
                "UPDATE deadline SET erased_at = :now, outcomes = :outcomes, updated_at = :now"
                " WHERE id = :id AND state = 'executing' AND erased_at IS NULL RETURNING id",
                id=deadline.id,
                outcomes=msgspec.json.encode(
                    _Done((*closure.stores, *stores), (*closure.residuals, *self._residuals_of(closure.shared)))
                ).decode(),
                now=tx.now,
            ):
                return None  # somebody was faster, and found what there was to tell of
            await self._journal.keys_gone(tx, closure.keys)
            if closure.being_written:
                await self._leftovers.expect(tx, closure.prefixes)
            await self._datasets[deadline.dataset].handler.erase(tx, deadline.record_id)
            # The record's other deadlines have nothing left to act on.
            await tx.execute(
                "UPDATE deadline SET state = 'superseded', updated_at = :now"
                " WHERE record_id = :record_id AND id <> :id"
                " AND state IN ('scheduled', 'executing', 'held', 'stopped', 'hidden')",
                id=deadline.id,
                record_id=deadline.record_id,
                now=tx.now,
            )
        return None

    async def _kept_back(self, tx: Transaction, claimed: Claimed, deadline: _Deadline) -> str | None:
        """Put the deadline aside if a hold or a guard says so: the state it is in then."""
        hold_id = await holds.holding(
            tx,
            self._datasets,
            brand_id=deadline.brand_id,
            account_id=deadline.account_id,
            dataset=deadline.dataset,
            record_id=deadline.record_id,
        )
        guard = guards.stopped_by(
            self._rules.get(deadline.rule),
            now=tx.now,
            due_at=deadline.due_at,
            forecast_at=deadline.forecast_at,
            armed_at=deadline.armed_at,
        )
        if hold_id is None and guard is None:
            return None
        state = "held" if hold_id is not None else "stopped"
        await tx.execute(
            "UPDATE deadline SET state = :state, hold_id = :hold_id, updated_at = :now WHERE id = :id AND state = 'executing'",
            id=deadline.id,
            state=state,
            hold_id=hold_id,
            now=tx.now,
        )
        if hold_id is None and guard is not None:
            await findings.raise_finding(
                tx, code=guards.FINDING, subject=deadline.rule, detail=guard, brand_id=deadline.brand_id
            )
        await self._outbox.finish(tx, claimed)
        return state

    async def _destroy_objects(self, closure: Closure) -> list[StoreOutcome]:
        if not closure.prefixes:
            return []
        with telemetry.span("storage delete", SpanKind.INTERNAL, **{"privacy.store": self._storage.name}):
            count = sum([await destroy(self._storage, prefix) for prefix in closure.prefixes])
        return [
            StoreOutcome(
                store=self._storage.name,
                kind=StoreKind.objects,
                outcome=StoreResult.deleted if count else StoreResult.already_absent,
                count=count,
                check=Check.versions_listed if self._storage.capabilities.versioned else Check.listed_by_prefix_and_key,
            )
        ]

    async def _destroy_keys(self, closure: Closure) -> list[StoreOutcome]:
        # Before the rows: should their transaction fail, what is left is unreadable and the next run deletes it. The other
        # way round, a kill in between would leave a key, and with it every backup, readable for ever.
        for subject in closure.keys:
            await self._cipher.destroy(subject)
            if not await self._cipher.destroyed(subject):
                raise KeyStoreUnavailable("A key is still there after its destruction.")
        if not closure.keys:
            return []
        return [
            StoreOutcome(
                store=self._cipher.store,
                kind=StoreKind.keys,
                outcome=StoreResult.key_destroyed,
                count=len(closure.keys),
                check=Check.key_absent,
            )
        ]

    async def _conclude(self, claimed: Claimed) -> str:
        """Look whether the rows are gone, in a transaction of their own, and only then write the receipt; returns the outcome."""
        async with self._database.transaction() as tx:
            deadline = await _executing(tx, claimed.subject_id)
            if deadline is None or deadline.erased_at is None:
                await self._outbox.finish(tx, claimed)
                return "superseded"
            # The item before the deadline, as everywhere: two that take them in different orders would wait for each other.
            if await self._datasets[deadline.dataset].handler.closure(tx, deadline.record_id) is not None:
                await self._outbox.hold(tx, claimed)
                await tx.execute("UPDATE deadline SET erased_at = NULL WHERE id = :id", id=deadline.id)
                await self._try_again(tx, claimed, deadline, "erasure_not_verified", deadline.dataset)
                return "still_there"
            await self._outbox.finish(tx, claimed)
            await tx.execute(
                "UPDATE deadline SET state = 'verified', updated_at = :now WHERE id = :id", id=deadline.id, now=tx.now
            )
            done = msgspec.json.decode(deadline.outcomes, type=_Done) if deadline.outcomes is not None else _Done()
            await receipts.issue(
                tx,
                brand_id=deadline.brand_id,
                account_id=deadline.account_id,
                record_id=deadline.record_id,
                deadline_id=deadline.id,
                rule=deadline.rule,
                policy_digest=deadline.policy_digest,
                dataset=deadline.dataset,
                action=self._action(deadline.rule),
                trigger=self._trigger(deadline.rule),
                due_at=deadline.due_at,
                intent_at=deadline.intent_at or deadline.erased_at,
                executed_at=deadline.erased_at,
                stores=(*done.stores, _rows_gone(tx.postgres)),
                residuals=done.residuals,
            )
        telemetry.enforcement_lag_seconds.record(
            max(0.0, (tx.now - deadline.due_at).total_seconds()), {"rule": deadline.rule}
        )
        return "verified"

    async def _try_again(self, tx: Transaction, claimed: Claimed, deadline: _Deadline, code: str, detail: str) -> None:
        await findings.raise_finding(tx, code=code, subject=deadline.rule, detail=detail, brand_id=deadline.brand_id)
        await self._outbox.postpone(tx, claimed, tx.now + _TRIED_AGAIN_AFTER)

    def _action(self, rule_id: str) -> Action:
        """What was done. A deadline may outlive its rule; whatever the rule said, the record was deleted."""
        rule = self._rules.get(rule_id)
        return rule.action if rule is not None else Action.delete

    def _trigger(self, rule_id: str) -> Trigger | None:
        """What armed the deadline, where only one thing does."""
        rule = self._rules.get(rule_id)
        return rule.triggers[0] if rule is not None and len(rule.triggers) == 1 else None


async def _executing(reader: Reader, deadline_id: str) -> _Deadline | None:
    return await reader.one(
        _Deadline,
        f"SELECT {columns_of(_Deadline)} FROM deadline WHERE id = :id AND state = 'executing' AND due_at <= :now",
        id=deadline_id,
        now=reader.now,
    )


def _entry(deadline: _Deadline, closure: Closure) -> Erasing:
    """What keeps the record erased, should the database ever be restored to a time before."""
    return Erasing(
        at=deadline.intent_at or deadline.due_at,
        brand_id=deadline.brand_id,
        account_id=deadline.account_id,
        dataset=deadline.dataset,
        record_id=deadline.record_id,
        rule=deadline.rule,
        policy_digest=deadline.policy_digest,
        keys=closure.keys,
    )


def _rows_gone(postgres: bool) -> StoreOutcome:
    """PostgreSQL keeps dead rows until it vacuums. For SQLite the log's truncation is awaited before the receipt counts."""
    return StoreOutcome(
        store="postgresql" if postgres else "sqlite",
        kind=StoreKind.database,
        outcome=StoreResult.dead_tuples_until_vacuum if postgres else StoreResult.deleted,
        count=1,
        check=Check.row_absent,
    )

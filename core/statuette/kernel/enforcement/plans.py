"""Plans: a changed policy reaches records that exist only after somebody has seen what it would do, and approved it.

What comes after the change goes by the new policy at once. For what was there before, a plan is drafted: for each rule, how many
deadlines would come earlier, and when. Once approved, the scheduler moves them in batches that resume where one was cut off. A plan
is for one policy: if that changes again meanwhile, the plan ends. It never moves more than it forecast, nor any rule that it
does not name. Deadlines that a guard stopped are put right by the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from statuette.errors import Conflict, InvalidInput, NotFound
from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.enforcement.forecast import NewDue, Pending, RuleForecast, forecast, page_of
from statuette.kernel.enforcement.guards import FINDING, Guard
from statuette.kernel.enforcement.tables import EnforcementPlan
from statuette.kernel.work import findings
from statuette.policy import EffectivePolicy

MOVED_AT_ONCE = 200
"""Deadlines looked at in one transaction: rows stay locked for a few hundredths of a second."""
_PAGES_IN_ONE_RUN = 20
LOOKED_AT_IN_ONE_RUN = MOVED_AT_ONCE * _PAGES_IN_ONE_RUN


class PlanState(StrEnum):
    draft = "draft"
    approved = "approved"
    """It is being carried out."""
    applied = "applied"
    superseded = "superseded"
    """The policy changed before it was carried out; what it had moved by then stays moved."""
    stopped = "stopped"
    """By a guard."""


class RulePlan(msgspec.Struct, frozen=True):
    """Attributes:
    deadlines: how many would be moved.
    due_at_once: of these, how many would be due when the plan was drafted.
    earliest, latest: the new moments.
    """

    rule: str
    deadlines: int
    due_at_once: int
    earliest: datetime
    latest: datetime


class PlanView(msgspec.Struct, frozen=True):
    """A plan.

    Attributes:
        policy_digest: of the policy that it would carry out.
        moved: how many deadlines it has moved so far.
        ended_at: when it was applied, superseded or stopped.
    """

    id: str
    brand_id: str
    policy_digest: str
    state: PlanState
    rules: tuple[RulePlan, ...]
    created_by: str
    created_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    moved: int
    ended_at: datetime | None


class Drafted(msgspec.Struct, frozen=True):
    """Attributes:
    forecast: what will happen by when, as things are.
    plan: what waits for approval; null if the policy moves nothing.
    """

    forecast: list[RuleForecast]
    plan: PlanView | None


class PlanNotWaiting(Conflict):
    """Final: draft a new one."""

    code = "plan_not_waiting"
    summary = "The plan does not wait for approval any more."


class PlanSuperseded(Conflict):
    """Final: draft a new one."""

    code = "plan_superseded"
    summary = "The policy has changed since the plan was drafted."


class _Row(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    policy_digest: str
    state: PlanState
    forecast: str
    created_by: str
    created_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    moved: int
    last_id: str
    ended_at: datetime | None

    def view(self) -> PlanView:
        known = {name: getattr(self, name) for name in PlanView.__struct_fields__ if name != "rules"}
        return PlanView(**known, rules=self.rules())

    def rules(self) -> tuple[RulePlan, ...]:
        return msgspec.json.decode(self.forecast, type=tuple[RulePlan, ...])


class Plans:
    """
    Args:
        policy_of: the policy in force of a brand, by its id.
        longest_job: added where a rule says so.
    """

    def __init__(
        self, database: Database, policy_of: Callable[[str], Awaitable[EffectivePolicy]], longest_job: timedelta
    ) -> None:
        self._database = database
        self._policy_of = policy_of
        self._longest_job = longest_job

    async def draft(
        self,
        brand_id: str,
        *,
        created_by: str,
        rules: Sequence[str] = (),
        progress: Callable[[int], None] | None = None,
    ) -> Drafted:
        """Forecast, and store a plan if the policy in force moves anything.

        Args:
            rules: plan for these only; none: for all that move anything.

        Raises:
            InvalidInput: a rule that the policy does not have.
        """
        policy = await self._policy_of(brand_id)
        if unknown := sorted(set(rules) - set(policy.retain)):
            raise InvalidInput(f"The policy has no rule of retention {unknown[0]!r}.")
        new_due = NewDue(policy, self._longest_job)
        found = await forecast(self._database, brand_id, new_due, rules=rules, progress=progress)
        moving = tuple(
            RulePlan(each.rule, each.shortened, each.due_at_once, each.earliest, each.latest)
            for each in found
            if each.earliest is not None and each.latest is not None
        )
        if not moving:
            return Drafted(found, None)
        async with self._database.transaction() as tx:
            plan_id = tx.new_id("pln")
            await tx.insert(
                EnforcementPlan,
                id=plan_id,
                brand_id=brand_id,
                policy_digest=policy.digest,
                state=PlanState.draft.value,
                forecast=msgspec.json.encode(moving).decode(),
                created_by=created_by[:120],
                created_at=tx.now,
                moved=0,
                last_id="",
            )
            return Drafted(found, (await _plan(tx, brand_id, plan_id)).view())

    async def approve(self, brand_id: str, plan_id: str, *, approved_by: str) -> PlanView:
        """Have the scheduler carry the plan out. Approving twice is fine.

        Raises:
            NotFound: the brand has no such plan.
            PlanNotWaiting: it has ended.
            PlanSuperseded: it is for another policy than the one in force.
        """
        digest = (await self._policy_of(brand_id)).digest
        async with self._database.transaction() as tx:
            row = await _plan(tx, brand_id, plan_id, lock=True)
            if row.state is PlanState.approved:
                return row.view()
            if row.state is not PlanState.draft:
                raise PlanNotWaiting(cure="Draft a new one: statuette policy plan.", state=row.state.value)
            if row.policy_digest != digest:
                raise PlanSuperseded(cure="Draft a new one: statuette policy plan.")
            await tx.execute(
                "UPDATE enforcement_plan SET state = 'approved', approved_by = :by, approved_at = :now WHERE id = :id",
                id=plan_id,
                by=approved_by[:120],
                now=tx.now,
            )
            return (await _plan(tx, brand_id, plan_id)).view()

    async def carry_out(self) -> int:
        """Go on with an approved plan, if there is one; returns how many deadlines were looked at. The scheduler's job."""
        looked_at = 0
        for _ in range(_PAGES_IN_ONE_RUN):
            async with self._database.read() as reader:
                brands = await reader.rows("SELECT brand_id FROM enforcement_plan WHERE state = 'approved' LIMIT 1")
            if not brands:
                return looked_at
            policy = await self._policy_of(brands[0]["brand_id"])  # takes a connection: not within the transaction
            async with self._database.transaction() as tx:
                looked_at += await self._next_page(tx, brands[0]["brand_id"], policy)
        return looked_at

    async def _next_page(self, tx: Transaction, brand_id: str, policy: EffectivePolicy) -> int:
        row = await tx.one(
            _Row,
            f"SELECT {columns_of(_Row)} FROM enforcement_plan WHERE state = 'approved' AND brand_id = :brand_id"
            f" ORDER BY id LIMIT 1{tx.for_update}",
            brand_id=brand_id,
        )
        if row is None:
            return 0
        rules = {each.rule for each in row.rules()}
        if row.policy_digest != policy.digest:
            await self._end(tx, row, PlanState.superseded)
            await findings.raise_finding(tx, code="plan_superseded", subject=row.id, brand_id=brand_id)
            return 0
        page = await page_of(tx, row.last_id, MOVED_AT_ONCE)
        new_due = NewDue(policy, self._longest_job)
        moving = [
            (deadline, due)
            for deadline in page
            if deadline.brand_id == brand_id and deadline.rule in rules and (due := new_due.of(deadline)) is not None
        ]
        guard = _stopped_by(row, len(moving))
        if guard is not None:
            await self._end(tx, row, PlanState.stopped)
            await findings.raise_finding(tx, code=FINDING, subject=row.id, detail=guard, brand_id=brand_id)
            return 0
        moved = sum([await _move(tx, deadline, due, policy.digest) for deadline, due in moving])
        await tx.execute(
            "UPDATE enforcement_plan SET moved = moved + :moved, last_id = :last_id WHERE id = :id",
            id=row.id,
            moved=moved,
            last_id=page[-1].id if page else row.last_id,
        )
        if len(page) < MOVED_AT_ONCE:
            await self._end(tx, row, PlanState.applied)
        return len(page)

    async def _end(self, tx: Transaction, row: _Row, state: PlanState) -> None:
        await tx.execute(
            "UPDATE enforcement_plan SET state = :state, ended_at = :now WHERE id = :id",
            id=row.id,
            state=state.value,
            now=tx.now,
        )


async def listed(reader: Reader, *, brand_id: str, before: str | None, limit: int) -> list[PlanView]:
    """A brand's, newest first."""
    rows = await reader.all(
        _Row,
        f"SELECT {columns_of(_Row)} FROM enforcement_plan WHERE brand_id = :brand_id"
        f"{' AND id < :before' if before is not None else ''} ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        limit=limit,
        **({"before": before} if before is not None else {}),
    )
    return [row.view() for row in rows]


async def brand_of(reader: Reader, plan_id: str) -> str:
    """Raises `NotFound`."""
    rows = await reader.rows("SELECT brand_id FROM enforcement_plan WHERE id = :id", id=plan_id)
    if not rows:
        raise NotFound("There is no such plan.")
    return str(rows[0]["brand_id"])


def _stopped_by(row: _Row, moving: int) -> Guard | None:
    rules = row.rules()
    if not rules:
        return Guard.plan_without_filter
    return Guard.more_than_forecast if row.moved + moving > sum(each.deadlines for each in rules) else None


async def _move(tx: Transaction, deadline: Pending, due: datetime, digest: str) -> bool:
    return await tx.changed(
        "UPDATE deadline SET state = 'scheduled', due_at = :due, forecast_at = :due, policy_digest = :digest,"
        " updated_at = :now WHERE id = :id AND state = :state AND due_at = :before RETURNING id",
        id=deadline.id,
        due=due,
        digest=digest,
        state=deadline.state,
        before=deadline.due_at,
        now=tx.now,
    )


async def _plan(reader: Reader, brand_id: str, plan_id: str, *, lock: bool = False) -> _Row:
    for_update = reader.for_update if lock and isinstance(reader, Transaction) else ""
    row = await reader.one(
        _Row,
        f"SELECT {columns_of(_Row)} FROM enforcement_plan WHERE id = :id AND brand_id = :brand_id{for_update}",
        id=plan_id,
        brand_id=brand_id,
    )
    if row is None:
        raise NotFound()
    return row

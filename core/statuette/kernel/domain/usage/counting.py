"""A week becomes numbers, once, and then its events go.

A brand's week is counted a day after it is over and never again: what is published is never corrected, so no two publications
can be subtracted from each other. Each event is in one cell, and there are no sums over cells. A cell with fewer than
`LEAST_ACCOUNTS` accounts is not read at all; to the others noise is added, and what then is not clearly above that number is
dropped. So it does not show whether a cell that is missing was empty, or small, or nearly large enough.

When events are old enough they are removed, in batches. A week that for some reason has not been counted by then is counted
first, in the same transaction, so that nothing is lost and nothing counts twice, whatever is cut off when.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec

from statuette.errors import StatuetteError
from statuette.evidence import Check, StoreKind, StoreOutcome, StoreResult
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.domain.usage import noise, repository
from statuette.kernel.domain.usage.repository import WeekRow
from statuette.kernel.domain.usage.service import DATASET, RULE, while_allowed
from statuette.kernel.domain.usage.weeks import Week, week_of
from statuette.kernel.evidence import receipts
from statuette.policy import Action, EffectivePolicy

LEAST_ACCOUNTS = 20
MOST_EVENTS = 5
"""Of one account in one cell: whoever does the same a hundred times a week weighs no more than this."""
COUNTED_AT_ONCE = 20
# Whoever knows all but one of a cell: the two numbers together turn no odds by more than the factor 2.
_ACCOUNTS_REACH = 2
_EVENTS_REACH = 2 * MOST_EVENTS
# By noise alone a cell of exactly LEAST_ACCOUNTS gets here less than once in twenty thousand times.
SHOWN_FROM = LEAST_ACCOUNTS + 28
_WEEKS_IN_ONE_SWEEP = 20
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_LONGEST_COUNT_MS = 300_000

PolicyOf = Callable[[str], Awaitable[EffectivePolicy]]


class Counting:
    """Counts weeks that are over. `run` is the scheduler's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> int:
        """Count weeks that have not been, up to `COUNTED_AT_ONCE`; returns how many."""
        done, brand_id = 0, await self._next_brand("")
        while brand_id is not None and done < COUNTED_AT_ONCE:
            while done < COUNTED_AT_ONCE and (week := await self._uncounted(brand_id)) is not None:
                async with self._database.transaction() as tx:
                    await count(tx, brand_id, week)
                done += 1
            brand_id = await self._next_brand(brand_id)
        return done

    async def _next_brand(self, after: str) -> str | None:
        async with self._database.read() as reader:
            return await repository.next_brand(reader, after)

    async def _uncounted(self, brand_id: str) -> Week | None:
        """The brand's next week that has events, is over and has not been counted."""
        async with self._database.read() as reader:
            begins = await repository.counted_until(reader, brand_id) or _EARLIEST
            first = await repository.first_from(reader, brand_id, begins)
            week = week_of(first) if first is not None else None
            return week if week is not None and week.closed(reader.now) else None


async def count(tx: Transaction, brand_id: str, week: Week) -> None:
    """Publish a week's cells, unless that has been done."""
    if not await repository.begin_week(tx, brand_id, week):
        return
    if tx.postgres:  # a look at a busy week may take longer than other statements may; it holds nobody up
        await tx.execute(f"SET LOCAL statement_timeout = {_LONGEST_COUNT_MS}")
    shown = 0
    for cell in await repository.cells(
        tx,
        brand_id,
        week,
        least_accounts=LEAST_ACCOUNTS,
        most_events=MOST_EVENTS,
        allowed=while_allowed("a.account_id", "a.brand_id"),
    ):
        accounts = cell.accounts + noise.two_sided(_ACCOUNTS_REACH)
        if accounts >= SHOWN_FROM:
            events = max(accounts, cell.events + noise.two_sided(_EVENTS_REACH))
            noisy = msgspec.structs.replace(cell, accounts=accounts, events=events)
            await repository.publish(tx, brand_id, week, shown, noisy)
            shown += 1


async def fold(tx: Transaction, older_than: datetime, limit: int, policy_of: PolicyOf) -> int:
    """Remove at most `limit` events that are older, counting their weeks if nobody has; returns how many.

    Weeks of which nothing is left get their receipt: by a later call, so that another transaction has looked.
    """
    for week in await repository.to_fold(tx, older_than, _WEEKS_IN_ONE_SWEEP):
        await _conclude(tx, week, policy_of)
    left = limit
    for _ in range(_WEEKS_IN_ONE_SWEEP):
        oldest = await repository.oldest(tx, older_than) if left else None
        if oldest is None:
            break
        week_there = week_of(oldest.created_at)
        await count(tx, oldest.brand_id, week_there)
        left -= await repository.remove(tx, oldest.brand_id, week_there, older_than, left)
    return limit - left


async def _conclude(tx: Transaction, week: WeekRow, policy_of: PolicyOf) -> None:
    first = await repository.first_from(tx, week.brand_id, week_of(week.ends_at - _TICK).begins)
    if first is not None and first < week.ends_at:
        return
    try:
        policy = await policy_of(week.brand_id)
    except StatuetteError:  # a brand that cannot be read now gets its receipt when it can
        return
    if not await repository.folded(tx, week.id):
        return
    await receipts.issue(
        tx,
        brand_id=week.brand_id,
        account_id=None,
        record_id=week.id,
        deadline_id=week.id,
        rule=RULE,
        policy_digest=policy.digest,
        dataset=DATASET,
        action=Action.anonymise,
        trigger=None,  # swept by age
        due_at=policy.rule(RULE).due(week.ends_at),
        intent_at=week.counted_at,
        executed_at=tx.now,
        stores=(
            StoreOutcome(
                store="postgresql" if tx.postgres else "sqlite",
                kind=StoreKind.database,
                outcome=StoreResult.dead_tuples_until_vacuum if tx.postgres else StoreResult.deleted,
                count=1,  # the week: how many events it had would tell what the cells do not
                check=Check.row_absent,
            ),
        ),
        residuals=(),
    )

"""What must hold when the dust has settled. Each check names what is wrong; nothing wrong is an empty list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from statuette.kernel.db.database import Reader
from statuette.kernel.domain.credits.verify import verify
from statuette.kernel.domain.generations.outcomes import MOST_PAID_IN_VAIN
from statuette.kernel.enforcement.leftovers import ACTOR as LEFTOVERS
from tests.chaos.promises import Promises

UPLOAD_RULES = {"upload.used", "upload.unused", "upload.cap", "upload.saved", "upload.asked"}
TERMINAL = {"succeeded", "blocked", "failed", "canceled"}
_PATIENCE = timedelta(seconds=5)


async def unsettled(reader: Reader) -> int:
    """How much is still to be done that nothing but time is needed for."""
    return int(
        await reader.value(
            "SELECT (SELECT COUNT(*) FROM generation WHERE finished_at IS NULL)"
            " + (SELECT COUNT(*) FROM work_item WHERE actor <> :leftovers OR due_at <= :now)"
            " + (SELECT COUNT(*) FROM deadline WHERE state IN ('scheduled', 'executing') AND due_at <= :now) AS n",
            now=reader.now,
            leftovers=LEFTOVERS,
        )
    )


async def broken(reader: Reader, *, objects: Iterable[str], promises: Promises, calls: Mapping[str, int]) -> list[str]:
    """Every invariant that does not hold.

    Args:
        objects: keys in the store.
        promises: what everybody was told.
        calls: how often each provider was asked for a picture.
    """
    objects = list(objects)
    return [
        *await _deadlines_before_bytes(reader, objects),
        *await _one_end(reader),
        *await _money(reader, calls),
        *await _permitted(reader, promises),
        *await _nothing_lost(reader, promises),
        *await _enforced_once(reader, objects, promises),
        *promises.broken,
    ]


async def _deadlines_before_bytes(reader: Reader, objects: Iterable[str]) -> list[str]:
    """I1."""
    rules: defaultdict[str, set[str]] = defaultdict(set)
    for row in await reader.rows("SELECT record_id, rule FROM deadline WHERE state IN ('scheduled', 'executing')"):
        rules[row["record_id"]].add(row["rule"])
    rows = {
        **{row["id"]: UPLOAD_RULES for row in await reader.rows("SELECT id FROM upload")},
        **{row["id"]: {"figurine.keep"} for row in await reader.rows("SELECT id FROM figurine")},
    }
    # What a process that was paused stored too late has no row any more; that it will be removed is on record.
    leftovers = await reader.rows("SELECT subject_id FROM work_item WHERE actor = :actor", actor=LEFTOVERS)
    known = {*rows, *(row["subject_id"].split("/")[2] for row in leftovers)}
    wrong = [f"I1: {found} lacks a deadline" for found, needed in rows.items() if rules[found] != needed]
    return wrong + [f"I1: the object {key} has no row" for key in objects if key.split("/")[2] not in known]


async def _one_end(reader: Reader) -> list[str]:
    """I3, and for each job what I4 says."""
    wrong = []
    events: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in await reader.rows("SELECT generation_id, seq, type FROM generation_event ORDER BY generation_id, seq"):
        events[row["generation_id"]].append((row["seq"], row["type"].removeprefix("generation.")))
    for job in await reader.rows("SELECT id, state, credits_each, credits_captured, finished_at FROM generation"):
        types = [told for _, told in events[job["id"]]]
        if job["state"] not in TERMINAL or job["finished_at"] is None:
            wrong.append(f"I3: {job['id']} has not ended: {job['state']}")
        if [seq for seq, _ in events[job["id"]]] != list(range(1, len(types) + 1)):
            wrong.append(f"I3: the events of {job['id']} have gaps")
        if (
            types[:1] != ["queued"]
            or [each for each in types if each in TERMINAL] != [job["state"]]
            or types[-1] != job["state"]
        ):
            wrong.append(f"I3: {job['id']} is {job['state']}, its events tell {types}")
        delivered = types.count("figurine_ready") * job["credits_each"]
        if job["credits_captured"] != delivered:
            wrong.append(f"I4: {job['id']} delivered {delivered} credits' worth and took {job['credits_captured']}")
    return wrong


async def _money(reader: Reader, calls: Mapping[str, int]) -> list[str]:
    """I4, and what the operator pays."""
    wrong = [f"I4: {found}" for found in await verify(reader)]
    wallets = await reader.rows("SELECT account_id, available, held FROM wallet WHERE available < 0 OR held <> 0")
    wrong.extend(f"I4: a wallet is {wallet}" for wallet in wallets)
    (day,) = await reader.rows("SELECT SUM(reserved_micros) AS reserved, SUM(spent_micros) AS spent FROM cost_day")
    attempts = await reader.rows(
        "SELECT provider, COUNT(*) AS n, SUM(cost_micros) AS cost,"
        " SUM(CASE WHEN finished_at IS NULL THEN 1 ELSE 0 END) AS unfinished FROM attempt GROUP BY provider"
    )
    unfinished, cost = (sum(int(row[name] or 0) for row in attempts) for name in ("unfinished", "cost"))
    if int(day["reserved"] or 0) or unfinished:
        wrong.append(f"cost: {day['reserved']} micros are still reserved, {unfinished} attempts open")
    if int(day["spent"] or 0) != cost:
        wrong.append(f"cost: spent {day['spent']}, attempts cost {cost}")
    recorded = {row["provider"]: int(row["n"]) for row in attempts}
    # A call that brought a picture was not in vain, whatever became of the picture or of the rest of the job.
    again = await reader.rows(
        "SELECT generation_id, n - brought AS n FROM (SELECT a.generation_id, COUNT(*) AS n, (SELECT COUNT(*)"
        " FROM generation_event e WHERE e.generation_id = a.generation_id AND e.type = 'generation.figurine_ready')"
        " AS brought FROM attempt a WHERE a.cost_micros > 0 GROUP BY a.generation_id) paid WHERE n - brought > :most",
        most=MOST_PAID_IN_VAIN,
    )
    wrong.extend(f"cost: {row['generation_id']} was paid for {row['n']} times, in vain" for row in again)
    return wrong + [
        f"cost: {provider} was called {number} times, {recorded.get(provider, 0)} attempts are on record"
        for provider, number in calls.items()
        if number > recorded.get(provider, 0)
    ]


async def _permitted(reader: Reader, promises: Promises) -> list[str]:
    """I6, as far as rows tell: nobody's photo went to a provider before they agreed, or after they had taken it back."""
    wrong = [
        f"I6: the attempt {row['id']} began without consent"
        for row in await reader.rows(
            "SELECT a.id FROM attempt a JOIN generation g ON g.id = a.generation_id WHERE NOT EXISTS"
            " (SELECT 1 FROM consent_record c WHERE c.account_id = g.account_id AND c.purpose = 'generation'"
            " AND c.granted AND c.created_at <= a.started_at)"
        )
    ]
    for account_id, begin, end in promises.withdrawn:
        begun = await reader.rows(
            "SELECT a.id FROM attempt a JOIN generation g ON g.id = a.generation_id WHERE g.account_id = :account_id"
            " AND a.started_at > :begin AND a.started_at < :end",
            account_id=account_id,
            begin=begin,
            end=end or reader.now,
        )
        wrong.extend(f"I6: the attempt {row['id']} began after consent was withdrawn" for row in begun)
    return wrong


async def _nothing_lost(reader: Reader, promises: Promises) -> list[str]:
    """I12, and one job a key."""
    jobs = {row["id"] for row in await reader.rows("SELECT id FROM generation")}
    photos = {row["id"] for row in await reader.rows("SELECT id FROM upload WHERE state = 'ready'")}
    return [
        *(f"I12: the accepted job {lost} is gone" for lost in promises.jobs - jobs),
        *(f"I12: nobody was told of the job {extra}" for extra in jobs - promises.jobs),
        *(f"I12: the accepted photo {lost} is gone" for lost in promises.photos - photos),
    ]


async def _enforced_once(reader: Reader, objects: Iterable[str], promises: Promises) -> list[str]:
    """I14, I2, and nothing overdue."""
    twice = await reader.rows(
        "SELECT record_id FROM deadline WHERE state IN ('verified', 'receipted') GROUP BY record_id HAVING COUNT(*) > 1"
    )
    wrong = [f"I14: {row['record_id']} was deleted more than once" for row in twice]
    overdue = await reader.rows(
        "SELECT record_id, rule, state FROM deadline WHERE state IN ('scheduled', 'executing') AND due_at <= :late",
        late=reader.now - _PATIENCE,
    )
    wrong.extend(f"I2: {row['record_id']} is overdue by {row['rule']} ({row['state']})" for row in overdue)
    stored = {key.split("/")[2] for key in objects}
    rows = {row["id"] for row in await reader.rows("SELECT id FROM upload UNION SELECT id FROM figurine")}
    return wrong + [f"I2: {found} is still there" for found in promises.deleted & (stored | rows)]

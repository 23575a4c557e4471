"""What must hold when the dust has settled. Each check names what is wrong; nothing wrong is an empty list."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from statuette.kernel.db.database import Reader
from statuette.kernel.domain.credits.verify import verify

UPLOAD_RULES = {"upload.used", "upload.unused", "upload.cap", "upload.saved", "upload.asked"}
TERMINAL = {"succeeded", "blocked", "failed", "canceled"}
_PATIENCE = timedelta(seconds=5)


async def unsettled(reader: Reader) -> int:
    """How much is still to be done that nothing but time is needed for."""
    return int(
        await reader.value(
            "SELECT (SELECT COUNT(*) FROM generation WHERE finished_at IS NULL)"
            " + (SELECT COUNT(*) FROM work_item)"
            " + (SELECT COUNT(*) FROM deadline WHERE state IN ('scheduled', 'executing') AND due_at <= :now) AS n",
            now=reader.now,
        )
    )


async def broken(
    reader: Reader, *, objects: Iterable[str], accepted: set[str], uploaded: set[str], deleted: set[str], calls: int
) -> list[str]:
    """Every invariant that does not hold.

    Args:
        objects: keys in the store.
        accepted: ids of jobs that were answered with a 2xx; no other may exist.
        uploaded: ids of photos answered with 201 and not deleted.
        deleted: ids of records whose deletion was accepted.
        calls: what the provider was asked.
    """
    return [
        *await _deadlines_before_bytes(reader, objects),
        *await _one_end(reader),
        *await _money(reader, calls),
        *await _nothing_lost(reader, accepted, uploaded),
        *await _enforced_once(reader, objects, deleted),
    ]


async def _deadlines_before_bytes(reader: Reader, objects: Iterable[str]) -> list[str]:
    """I1."""
    rules: dict[str, set[str]] = {}
    for row in await reader.rows("SELECT record_id, rule FROM deadline WHERE state IN ('scheduled', 'executing')"):
        rules.setdefault(row["record_id"], set()).add(row["rule"])
    rows = {
        **{row["id"]: UPLOAD_RULES for row in await reader.rows("SELECT id FROM upload")},
        **{row["id"]: {"figurine.keep"} for row in await reader.rows("SELECT id FROM figurine")},
    }
    wrong = [f"I1: {found} lacks a deadline" for found, needed in rows.items() if rules.get(found, set()) != needed]
    return wrong + [f"I1: the object {key} has no row" for key in objects if key.split("/")[2] not in rows]


async def _one_end(reader: Reader) -> list[str]:
    """I3."""
    wrong = []
    for job in await reader.rows("SELECT id, state, credits_each, credits_captured, finished_at FROM generation"):
        events = await reader.rows(
            "SELECT seq, type FROM generation_event WHERE generation_id = :id ORDER BY seq", id=job["id"]
        )
        types = [event["type"].removeprefix("generation.") for event in events]
        if job["state"] not in TERMINAL or job["finished_at"] is None:
            wrong.append(f"I3: {job['id']} has not ended: {job['state']}")
        if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
            wrong.append(f"I3: the events of {job['id']} have gaps")
        if (
            types[:1] != ["queued"]
            or [each for each in types if each in TERMINAL] != [job["state"]]
            or (types[-1] != job["state"])
        ):
            wrong.append(f"I3: {job['id']} is {job['state']}, its events tell {types}")
        delivered = types.count("figurine_ready") * job["credits_each"]
        if job["credits_captured"] != delivered:
            wrong.append(f"I4: {job['id']} delivered {delivered} credits' worth and took {job['credits_captured']}")
    return wrong


async def _money(reader: Reader, calls: int) -> list[str]:
    """I4, and what the operator pays."""
    wrong = [f"I4: {found}" for found in await verify(reader)]
    wallets = await reader.rows("SELECT account_id, available, held FROM wallet WHERE available < 0 OR held <> 0")
    wrong.extend(f"I4: a wallet is {wallet}" for wallet in wallets)
    (day,) = await reader.rows("SELECT SUM(reserved_micros) AS reserved, SUM(spent_micros) AS spent FROM cost_day")
    (attempts,) = await reader.rows(
        "SELECT COUNT(*) AS n, SUM(cost_micros) AS cost, SUM(CASE WHEN finished_at IS NULL THEN 1 ELSE 0 END) AS open"
        " FROM attempt"
    )
    if int(day["reserved"] or 0) or int(attempts["open"] or 0):
        wrong.append(f"cost: {day['reserved']} micros are still reserved, {attempts['open']} attempts open")
    if int(day["spent"] or 0) != int(attempts["cost"] or 0):
        wrong.append(f"cost: spent {day['spent']}, attempts cost {attempts['cost']}")
    if calls > int(attempts["n"]):
        wrong.append(f"cost: the provider was called {calls} times, {attempts['n']} attempts are on record")
    return wrong


async def _nothing_lost(reader: Reader, accepted: set[str], uploaded: set[str]) -> list[str]:
    """I12, and one job a key."""
    jobs = {row["id"] for row in await reader.rows("SELECT id FROM generation")}
    photos = {row["id"] for row in await reader.rows("SELECT id FROM upload WHERE state = 'ready'")}
    return [
        *(f"I12: the accepted job {lost} is gone" for lost in accepted - jobs),
        *(f"I12: nobody was told of the job {extra}" for extra in jobs - accepted),
        *(f"I12: the accepted photo {lost} is gone" for lost in uploaded - photos),
    ]


async def _enforced_once(reader: Reader, objects: Iterable[str], deleted: set[str]) -> list[str]:
    """I14, I2, and nothing overdue."""
    twice = await reader.rows(
        "SELECT record_id FROM deadline WHERE state = 'verified' GROUP BY record_id HAVING COUNT(*) > 1"
    )
    wrong = [f"I14: {row['record_id']} was deleted more than once" for row in twice]
    overdue = await reader.rows(
        "SELECT record_id, rule, state FROM deadline WHERE state IN ('scheduled', 'executing') AND due_at <= :late",
        late=reader.now - _PATIENCE,
    )
    wrong.extend(f"I2: {row['record_id']} is overdue by {row['rule']} ({row['state']})" for row in overdue)
    stored = {key.split("/")[2] for key in objects}
    rows = {row["id"] for row in await reader.rows("SELECT id FROM upload UNION SELECT id FROM figurine")}
    return wrong + [f"I2: {found} is still there" for found in deleted & (stored | rows)]

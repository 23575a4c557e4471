"""Machines whose clocks are wrong by more than any lease: all processes go by the database's time."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from statuette.testing.gemini_simulator import Case
from tests.chaos.program import Program
from tests.chaos.town import RESUMED_WITHIN_SECONDS, Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNTS = {"api": 1}
SKEWS = {"api-1": 40.0, "worker-1": -40.0, "worker-2": 40.0, "scheduler-1": 40.0, "scheduler-2": -40.0}
_PATIENCE = timedelta(seconds=3)


async def test_wrong_clocks_are_noticed_and_nothing_that_is_written_shows_them(town: Town) -> None:
    # Given processes on machines whose clocks are wrong, each of which has noticed
    assert {program.name: _corrected_by(program) for program in town.cluster.programs} == {
        name: -seconds for name, seconds in SKEWS.items()
    }

    # When a photo is sent and jobs are done
    began = datetime.now(UTC)
    person = await town.person()
    jobs = [await person.order() for _ in range(6)]
    done = [await person.finished(job_id) for job_id in jobs]
    ended = datetime.now(UTC)

    # Then whatever was written about it was written at the right time
    assert {job["state"] for job in done} == {"succeeded"}
    moments = await _moments(town, person.account_id)
    assert len(moments) > 30
    assert [moment for moment in moments if not began - _PATIENCE < moment < ended + _PATIENCE] == []

    # And is due at the right time
    photo = (await person.call("photo", "GET", f"/v1/uploads/{person.photos[0]}")).json()
    used = "SELECT due_at FROM deadline WHERE record_id = :id AND state = 'scheduled' ORDER BY due_at LIMIT 1"
    assert datetime.fromisoformat(photo["expires_at"]) == await town.value(used, id=photo["id"])
    assert datetime.fromisoformat(photo["expires_at"]) > ended + timedelta(minutes=1)


async def test_nobody_is_taken_for_dead_by_a_wrong_clock(town: Town) -> None:
    # Given jobs that take longer than a lease does
    person = await town.person()
    town.gemini.latency_seconds = 7.0
    jobs = [await person.order() for _ in range(8)]
    await town.gemini.wait_for_in_flight(8)
    assert len(await town.rows("SELECT DISTINCT held_by FROM work_item WHERE held_by IS NOT NULL")) == 2

    # When they are done
    for job_id in jobs:
        assert (await person.finished(job_id))["state"] == "succeeded"

    # Then each by the worker that began it
    assert {len(await town.attempts(job_id)) for job_id in jobs} == {1}


async def test_who_is_dead_is_known_soon_whatever_the_clocks_say(town: Town) -> None:
    # Given a worker in a call, and a scheduler that ticks, whose clocks are wrong
    town.gemini.latency_seconds = 0.1
    person = await town.person()
    town.gemini.script(Case.hang)
    job_id = await person.order()
    await town.gemini.wait_for_in_flight(1)
    worker, leader = await town.holder(job_id), await town.leader()

    # When both are killed
    await asyncio.gather(worker.kill(), leader.kill())

    # Then others take over as soon as leases run out by the one clock that counts
    await town.until(lambda: _attempted_again(town, job_id), 2 * RESUMED_WITHIN_SECONDS)
    assert (await person.finished(job_id))["state"] == "succeeded"
    assert (await town.leader()) is not leader


def _corrected_by(program: Program) -> int:
    """Seconds, as it logged."""
    logged = [json.loads(line) for line in program.said().splitlines() if '"clock_corrected"' in line]
    return round(sum(line["by_seconds"] for line in logged))


async def _attempted_again(town: Town, job_id: str) -> bool:
    return len(await town.attempts(job_id)) == 2


async def _moments(town: Town, account_id: str) -> list[Any]:
    """Whenever something was written about an account."""
    jobs = "SELECT id FROM generation WHERE account_id = :id"
    told = [
        "SELECT created_at AS at FROM account WHERE id = :id",
        "SELECT created_at AS at FROM upload WHERE account_id = :id",
        "SELECT created_at AS at FROM generation WHERE account_id = :id",
        "SELECT finished_at AS at FROM generation WHERE account_id = :id",
        f"SELECT started_at AS at FROM attempt WHERE generation_id IN ({jobs})",
        f"SELECT finished_at AS at FROM attempt WHERE generation_id IN ({jobs})",
        f"SELECT created_at AS at FROM generation_event WHERE generation_id IN ({jobs})",
        "SELECT created_at AS at FROM consent_record WHERE account_id = :id",
        "SELECT created_at AS at FROM ledger_transfer WHERE account_id = :id",
    ]
    return [row["at"] for sql in told for row in await town.rows(sql, id=account_id)]

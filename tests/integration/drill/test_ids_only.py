"""Queues and logs hold ids: what is something else is refused, left out, or found."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest

from statuette.kernel.db.database import Database
from statuette.kernel.telemetry import JsonLines
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.payload import NotAnId
from statuette.kernel.work.queues import BACKGROUND
from statuette.testing import FrozenClock


@pytest.mark.rule("queue.payload")
@pytest.mark.parametrize(
    "subject", ["ada@example.org", "Ada of the test", "ada", "data:image/jpeg;base64,/9j/4AAQ", ""]
)
async def test_work_on_something_that_is_no_id_is_refused_without_repeating_it(
    database: Database, subject: str
) -> None:
    outbox = Outbox(database, "prc_test")

    with pytest.raises(NotAnId) as refused:
        async with database.transaction() as tx:
            await outbox.put(tx, queue=BACKGROUND, actor="note", subject_id=subject)

    assert not subject or subject not in str(refused.value)


@pytest.mark.parametrize(
    "subject", ["gen_01kf0rdqg0", "tkd_01kf.decided.acc_01kf", "prq_01kf:completed", "uploads/brd_1/upl_2/"]
)
async def test_work_on_records_is_taken(database: Database, clock: FrozenClock, subject: str) -> None:
    async with database.transaction() as tx:
        await Outbox(database, "prc_test").put(
            tx, queue=BACKGROUND, actor="note", subject_id=subject, due_at=clock.now() + timedelta(days=1)
        )
        assert await tx.value("SELECT subject_id FROM work_item") == subject


@pytest.mark.rule("logs.content")
def test_what_others_fill_into_their_lines_and_every_address_stays_out_of_the_log() -> None:
    vendors = logging.LogRecord("vendor.client", logging.INFO, "", 1, "cannot draw %s", ("Ada Lovelace",), None)
    own = logging.LogRecord("statuette.kernel", logging.INFO, "", 1, "sent to ada@example.org", (), None)
    own.facts = {"about": "<ada@example.org>", "items": 3}

    lines = [json.loads(JsonLines().format(record)) for record in (vendors, own)]

    assert lines[0]["event"] == "cannot draw %s"
    assert (lines[1]["event"], lines[1]["about"], lines[1]["items"]) == ("sent to (address)", "<(address)>", 3)


def test_our_own_lines_say_what_they_were_filled_with() -> None:
    record = logging.LogRecord("statuette.kernel.work", logging.INFO, "", 1, "took %s items", (7,), None)

    assert json.loads(JsonLines().format(record))["event"] == "took 7 items"

"""A letter goes out once, whatever fails, or an operator hears of it; and nothing tells to whom it went."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statuette.kernel.work.queues import MAIL
from statuette.ports.mail import MailRefused, MailUnavailable, Message
from statuette.testing import FrozenClock
from tests.integration.road import test_nothing_private_is_told
from tests.integration.road.faults import hurry, until
from tests.integration.road.letters import (
    Outage,
    all_over,
    findings_about_letters,
    nothing_waits,
    ordered_and_ended,
    put_off,
    told,
    waiting_letters,
)
from tests.profiles import Profile
from tests.recorded import Recorded
from tests.site import Site, serving

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
logged = test_nothing_private_is_told.logged


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        yield site


async def test_letters_wait_while_no_mail_goes_out_and_each_goes_out_once_afterwards(
    site: Site, clock: FrozenClock
) -> None:
    # Given a mail server that is down for so many letters that it is not even asked any more
    people = [await site.person() for _ in range(10)]
    outage = Outage(site)
    jobs = [await ordered_and_ended(person) for person in people]
    assert {job["state"] for job in jobs} == {"succeeded"}
    await until(lambda: put_off(site, len(people)))
    assert outage.asked < len(people)

    # When it is back
    outage.end()
    await all_over(site, clock)

    # Then everybody has their letter, once, and there is nothing to look at
    for person, job in zip(people, jobs, strict=True):
        assert [letter.idempotency_key for letter in told(person)] == [f"{job['id']}:ended"]
    assert await findings_about_letters(site) == []


async def test_waits_double_up_to_an_hour_and_end_after_a_day_with_a_finding(site: Site, clock: FrozenClock) -> None:
    # Given a mail server that does not come back
    hurry(site)
    person = await site.person()
    Outage(site)
    job = await ordered_and_ended(person)
    ended_at = clock.now()
    await until(lambda: put_off(site))

    # When the letter is tried each time it is due
    waits: list[timedelta] = []
    while not await nothing_waits(site):
        (row,) = await waiting_letters(site)
        due_at = msgspec.convert(row["due_at"], type=type(ended_at), strict=False)
        waits.append(due_at - clock.now())
        clock.advance(waits[-1])
        await until(lambda since=due_at: _tried(site, since))

    # Then the waits grew, and after a day there is a finding instead of a letter
    assert waits[:4] == [30 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE]
    assert max(waits) == HOUR
    assert DAY <= clock.now() - ended_at < DAY + HOUR
    assert told(person) == []
    (finding,) = await findings_about_letters(site)
    assert (finding["code"], finding["detail"], finding["occurrences"]) == ("letter_not_sent", "mail_unavailable", 1)
    assert finding["brand_id"] == finding["subject"] and person.email not in json.dumps(finding, default=str)
    assert (await person.http.get(f"/v1/generations/{job['id']}")).json()["state"] == "succeeded"


async def _tried(site: Site, since: Any) -> bool:
    """Whether no letter waits, or one that was tried after it was due at `since`."""
    rows = await waiting_letters(site)
    if not rows:
        return True
    due_at = msgspec.convert(rows[0]["due_at"], type=type(since), strict=False)
    return rows[0]["lease"] is None and due_at > since


async def test_an_address_that_is_refused_for_good_is_given_up_at_once(site: Site, clock: FrozenClock) -> None:
    # Given a mail server that knows nobody of two people's names
    people = [await site.person() for _ in range(2)]
    outage = Outage(site, MailRefused)

    # When their jobs have ended
    for person in people:
        await ordered_and_ended(person)
    await until(lambda: nothing_waits(site))
    outage.end()
    clock.advance(HOUR)
    await site.settled()

    # Then nothing is tried again, and the brand has one finding, in which nobody is named
    assert [told(person) for person in people] == [[], []]
    (finding,) = await findings_about_letters(site)
    assert (finding["code"], finding["occurrences"]) == ("letter_refused", 2)
    assert finding["brand_id"] == finding["subject"]


async def test_the_same_work_handed_out_many_times_is_one_letter(site: Site) -> None:
    # Given a letter that the mail server is taking its time with
    person = await site.person()
    sending, handed_over, go_on = site.mailer.send, asyncio.Event(), asyncio.Event()
    keys: list[str] = []

    async def slow(letter: Message) -> None:
        keys.append(letter.idempotency_key)
        handed_over.set()
        await go_on.wait()
        await sending(letter)

    site.mailer.send = slow  # type: ignore[method-assign]
    await ordered_and_ended(person)
    await handed_over.wait()

    # When the work is handed out again and again meanwhile
    (row,) = await waiting_letters(site)
    for _ in range(20):
        await site.platform.runner.handle(row["id"])
    go_on.set()
    await until(lambda: nothing_waits(site))

    # Then it was sent once
    assert len(keys) == 1
    assert len(told(person)) == 1


@pytest.mark.parametrize("fault", ["a process that dies", "a process taken for dead"])
async def test_a_letter_that_may_go_out_twice_has_the_same_key(site: Site, clock: FrozenClock, fault: str) -> None:
    # Given a mailer that takes the letter
    person = await site.person()
    sending = site.mailer.send
    keys: list[str] = []

    async def taken(letter: Message) -> None:
        keys.append(letter.idempotency_key)
        await sending(letter)
        if len(keys) == 1 and fault == "a process that dies":
            raise RuntimeError("the process ends here")
        if len(keys) == 1:
            # Its work is in the name of a process that has not been heard of for long.
            async with site.platform.database.transaction() as tx:
                await tx.execute("UPDATE work_item SET held_by = 'prc_away' WHERE queue = :queue", queue=MAIL)
            await until(lambda: _taken_up(), clock)

    async def _taken_up() -> bool:
        return len(keys) == 2

    site.mailer.send = taken  # type: ignore[method-assign]

    # When whoever sent it cannot say that it is done
    job = await ordered_and_ended(person)
    await until(lambda: nothing_waits(site), clock)

    # Then it is sent again with the same key, by which it is one letter
    assert keys == [f"{job['id']}:ended"] * 2
    assert len(told(person)) == 1
    assert await findings_about_letters(site) == []


async def test_a_mailer_that_breaks_the_rules_is_a_finding_in_the_end(site: Site, clock: FrozenClock) -> None:
    # Given a mailer with a fault of its own
    person = await site.person()

    async def broken(letter: Message) -> None:
        raise RuntimeError("no such attribute")

    site.mailer.send = broken  # type: ignore[method-assign]

    # When a letter is due
    await ordered_and_ended(person)
    await all_over(site, clock)

    # Then it does not haunt the queue for ever
    (finding,) = await findings_about_letters(site)
    assert (finding["code"], finding["detail"]) == ("work_poisoned", "tell_ended")
    assert finding["brand_id"] is not None


async def test_nobody_can_read_in_the_queue_or_the_log_who_is_written_to(
    logged: io.StringIO, recorded: Recorded, site: Site, clock: FrozenClock
) -> None:
    # Given somebody whose every trait is unmistakable, and a mailer that fails in every way
    email, name = "canary.letters@example.org", "Canary Letterbox"
    person = site.visitor()
    await person.sign_in(email)
    await person.http.patch("/v1/account", json={"name": name})
    await person.agree()
    await site.grant(person, 20)
    site.mailer.fail_next(MailUnavailable(), RuntimeError(f"{name} <{email}>"))  # type: ignore[arg-type]

    # When a letter is tried, and sent, and another one refused
    await ordered_and_ended(person)
    await until(lambda: put_off(site))
    queued = await waiting_letters(site)
    await until(lambda: nothing_waits(site), clock)
    site.mailer.fail_next(MailRefused())
    await ordered_and_ended(person)
    await until(lambda: nothing_waits(site), clock)

    # Then it went out, and nothing tells to whom
    assert len(told(person)) == 1
    async with site.platform.database.read() as reader:
        findings = await reader.rows("SELECT * FROM finding")
    assert [finding["code"] for finding in findings] == ["letter_refused"]
    places = {
        "queue": json.dumps(queued, default=str),
        "findings": json.dumps(findings, default=str),
        "log": logged.getvalue(),
        "spans": "\n".join(span.to_json() for span in recorded.finished),
    }
    assert [place for place, text in places.items() if email in text or name in text] == []
    assert "work_failed" in places["log"] and "egress recording" in places["spans"]

"""What tests of faults wait for and add up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from statuette.testing import FrozenClock
from tests.site import Site, Visitor

MINUTE = timedelta(minutes=1)
WAIT_SECONDS = 10.0


async def until(
    condition: Callable[[], Awaitable[bool]], clock: FrozenClock | None = None, *, seconds: float | None = None
) -> None:
    """Wait for a condition, at most so many real seconds (ten), while a clock that is given goes on a second every 50 ms."""
    async with asyncio.timeout(WAIT_SECONDS if seconds is None else seconds):
        while not await condition():
            if clock is not None:
                clock.advance(timedelta(seconds=1))
            await asyncio.sleep(0.05)


async def ended(person: Visitor, generation_id: str, clock: FrozenClock) -> dict[str, Any]:
    """The job once it has ended, a frozen clock being pushed from retry to retry."""
    hurry(person.site)
    for _ in range(400):
        job = dict((await person.http.get(f"/v1/generations/{generation_id}")).json())
        if job["final"]:
            return job
        wait = await _put_off(person.site, generation_id, clock)
        clock.advance(wait or timedelta(seconds=1))
        await asyncio.sleep(0.05)
    raise AssertionError(f"the job has not ended: {job}")


async def _put_off(site: Site, generation_id: str, clock: FrozenClock) -> timedelta | None:
    """How long it is until the job is tried again, unless it is due or in hand."""
    async with site.platform.database.read() as reader:
        rows = await reader.rows(
            "SELECT due_at FROM work_item WHERE subject_id = :id AND lease IS NULL AND due_at > :now",
            id=generation_id,
            now=reader.now,
        )
    # Read as what it is: SQLite keeps moments as text.
    return min((msgspec.convert(row["due_at"], datetime, strict=False) - clock.now() for row in rows), default=None)


def hurry(site: Site) -> None:
    """Have the scheduler look ten times as often: where a test pushes the clock, its real pause is all there is to wait for."""
    site.platform.scheduler._tick = timedelta(milliseconds=25)


async def costs(site: Site) -> tuple[int, int]:
    """What the provider cost, and what is still set aside, micros; the former checked against the attempts."""
    async with site.platform.database.read() as reader:
        (day,) = await reader.rows("SELECT SUM(spent_micros) AS s, SUM(reserved_micros) AS r FROM cost_day")
        attempts = await reader.value("SELECT SUM(cost_micros) AS n FROM attempt")
    assert int(day["s"] or 0) == int(attempts or 0)
    return int(day["s"] or 0), int(day["r"] or 0)


async def count(site: Site, sql: str, **parameters: Any) -> int:
    """The number that a `SELECT COUNT(*)` gives."""
    async with site.platform.database.read() as reader:
        return int(await reader.value(sql, **parameters))


async def has_finding(site: Site, code: str) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM finding WHERE code = :code", code=code) > 0


async def uploads_in(site: Site, upload_id: str | None = None) -> int:
    """How many rows of uploads there are, or of the one."""
    if upload_id is None:
        return await count(site, "SELECT COUNT(*) AS n FROM upload")
    return await count(site, "SELECT COUNT(*) AS n FROM upload WHERE id = :id", id=upload_id)


async def take_for_dead(site: Site) -> None:
    """As if what is in hand was in the name of a process that has not been heard of for long."""
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE work_item SET held_by = 'prc_away' WHERE held_by IS NOT NULL")

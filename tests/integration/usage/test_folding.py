"""Events become numbers by week, once, and go: whatever is cut off when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from statuette.errors import NotFound
from statuette.evidence import read_entry
from statuette.kernel.db.database import Database
from statuette.kernel.domain.usage import counting, noise
from statuette.kernel.domain.usage.counting import Counting, fold
from statuette.kernel.domain.usage.weeks import week_of
from statuette.policy import EffectivePolicy, compile_policy
from statuette.testing import FrozenClock
from statuette_policies import BASELINE
from tests.integration.road.faults import hurry, until
from tests.integration.usage.filling import BRAND, add, cells, left
from tests.profiles import Profile
from tests.site import Site, serving

POLICY = compile_policy((BASELINE,))
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)


class Cut(Exception):
    """As if the process died."""


async def policy_of(brand_id: str) -> EffectivePolicy:
    if brand_id != BRAND:
        raise NotFound()
    return POLICY


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "two_sided", lambda reach: 0)


async def sweep(database: Database, limit: int = 1000, *, cut: bool = False) -> int:
    async with database.transaction() as tx:
        done = await fold(tx, POLICY.rule("usage.anonymise").cutoff(tx.now), limit, policy_of)
        if cut:
            raise Cut
    return done


@pytest.mark.usefixtures("silence")
async def test_each_event_is_in_one_number_or_none_and_none_is_left_however_often_it_is_cut_off(
    database: Database, clock: FrozenClock
) -> None:
    # Given a cell of 60 of whom one did it often, one of 47, both on the edges of a week, and one of the next week
    await add(database, "a", 60, MONDAY)
    for again in range(9):
        await add(database, f"b{again}", 1, MONDAY + timedelta(hours=again))
    await add(database, "c", 47, MONDAY + WEEK - timedelta(microseconds=1), style="bust")
    await add(database, "d", 60, MONDAY + WEEK, browser="safari")

    # When what is old is removed in batches that are cut off in between, by two at once, and a late event turns up
    clock.advance(timedelta(days=740))
    for batch in count():
        with pytest.raises(Cut):
            await sweep(database, 25, cut=True)
        if await sweep(database, 25) + await sweep(database, 25) == 0:
            break
        if batch == 0:
            await add(database, "late", 60, MONDAY + timedelta(days=1))
        await asyncio.gather(sweep(database, 25), Counting(database).run())

    # Then nothing is left, what enough did is counted once, and what others did, or too late, is nowhere
    assert await left(database) == 0
    shown = {"kind": "ordered", "style": "chibi", "accounts": 60}
    assert await cells(database) == [
        {**shown, "week": "2026-01-05", "browser": "firefox", "events": 59 + counting.MOST_EVENTS},
        {**shown, "week": "2026-01-12", "browser": "safari", "events": 60},
    ]

    # And another transaction has seen that each week is gone, and written a receipt that gives no number away
    async with database.read() as reader:
        receipts = [read_entry(row["body"].encode()) for row in await reader.rows("SELECT body FROM receipt")]
        weeks = await reader.rows("SELECT week FROM usage_week WHERE folded_at IS NOT NULL ORDER BY week")
    assert [row["week"] for row in weeks] == ["2026-01-05", "2026-01-12"]
    assert [(each.rule, each.account, [store.count for store in each.stores]) for each in receipts] == [
        ("usage.anonymise", None, [1])
    ] * 2


@pytest.mark.usefixtures("silence")
async def test_a_week_is_counted_a_day_after_it_is_over_without_those_who_said_no(
    database: Database, clock: FrozenClock
) -> None:
    await add(database, "a", 60, clock.now())
    await add(database, "b", 60, clock.now() - WEEK, brand_id="brd_2")
    async with database.transaction() as tx:
        for account in ("acc_1", "acc_2"):
            await tx.execute(
                "INSERT INTO consent_record (id, brand_id, account_id, purpose, granted, statement_digest, policy_digest,"
                " locale, surface, created_at) VALUES (:id, :brand, :account, 'analytics', FALSE, '', '', 'en', 'api', :now)",
                id=f"con_{account}",
                brand=BRAND,
                account=account,
                now=tx.now,
            )
    over = week_of(clock.now()).ends

    clock.advance(over - clock.now() + timedelta(hours=23))
    assert await Counting(database).run() == 1  # the other brand's
    clock.advance(timedelta(hours=1))
    assert [await Counting(database).run() for _ in range(2)] == [1, 0]

    assert [cell["accounts"] for cell in await cells(database)] == [60, 58]
    assert await left(database) == 120


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[tuple[Site, FrozenClock]]:
    clock = FrozenClock(datetime(2024, 2, 29, 12, tzinfo=UTC))
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        hurry(site)
        yield site, clock


@pytest.mark.rule("usage.anonymise")
async def test_what_was_noted_on_29_february_is_removed_two_years_later_and_operators_read_numbers(
    site: tuple[Site, FrozenClock],
) -> None:
    here, clock = site
    (brand,) = here.platform.brands.loaded()
    person = await here.person()
    await person.http.post("/v1/usage/events", json={"events": [{"page": "home", "seconds": 3}]})
    await add(here.platform.database, "a", 200, clock.now(), brand_id=brand.id)

    # Until the end of the 28th, two years later, it is there
    clock.advance(datetime(2026, 2, 28, 23, 59, 50, tzinfo=UTC) - clock.now())
    await here.platform.enforcer.sweep()
    assert await left(here.platform.database) == 201

    async def gone() -> bool:
        return await left(here.platform.database) == 0

    clock.advance(timedelta(seconds=10))
    await until(gone, clock)

    # Then what many did is a number, with its scope and by page, and what one did is not
    key = {"Authorization": f"Bearer {here.secret_keys['alpha']}"}
    told = await person.http.get("/admin/v1/usage?week=2024-02-26&limit=1", headers=key)
    (cell,) = told.json()["items"]
    assert (cell["week"], cell["style"], told.json()["next_cursor"]) == ("2024-02-26", "chibi", None)
    assert 150 < cell["accounts"] < 250
    malformed = await person.http.get("/admin/v1/usage?cursor=YWJj", headers=key)
    assert (malformed.status_code, malformed.json()["code"]) == (400, "malformed_cursor")
    wrong = await person.http.get("/admin/v1/usage?week=2024-02-27", headers=key)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "unknown_week")

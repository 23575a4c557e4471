"""An attack on what is published, by somebody who knows nearly everything.

The attacker knows what somebody would have done in which week, in which style and with which device; what everybody else in the
cell did; every version of the table that was ever published; and every account's id. They ask one thing: was this person there?
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from statuette.kernel.db.database import Database
from statuette.kernel.domain.usage import repository
from statuette.kernel.domain.usage.counting import LEAST_ACCOUNTS, Counting
from statuette.testing import FrozenClock
from tests.integration.usage.filling import add, cells, left

WEEK = timedelta(days=7)
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
WEEKS = 150
OTHERS = 100
_EXACT = (
    "SELECT created_at, style, COUNT(DISTINCT account_id) AS accounts FROM usage_event GROUP BY created_at, style"
    " ORDER BY created_at"
)


async def test_who_knows_all_but_one_cannot_tell_whether_that_one_was_there(
    database: Database, clock: FrozenClock
) -> None:
    # Given weeks in which a hundred people did something, and one more did it too, or did not
    chance = random.Random(7)
    there = [chance.random() < 0.5 for _ in range(WEEKS)]
    for number, was_there in enumerate(there):
        await add(database, f"{number}_", OTHERS + was_there, FIRST + number * WEEK)

    # When the attacker subtracts what they know from a naive table, which is exact
    async with database.read() as reader:
        exact = [int(row["accounts"]) for row in await reader.rows(_EXACT)]
    assert [count > OTHERS for count in exact] == there

    # And from ours: the best that can be made of a number is to compare it with the one they know
    clock.advance((WEEKS + 2) * WEEK)
    while await Counting(database).run():
        pass
    published = {cell["week"]: int(cell["accounts"]) for cell in await cells(database)}
    assert len(published) == WEEKS
    guessed = [count > OTHERS for _, count in sorted(published.items())]

    # Then every naive answer was right, and of ours hardly more than a coin's
    right = sum(guess == truth for guess, truth in zip(guessed, there, strict=True))
    assert right / WEEKS < 0.75


@pytest.mark.parametrize("was_there", [True, False])
async def test_that_a_cell_is_missing_says_nothing_of_the_one_who_would_have_made_it_large_enough(
    database: Database, clock: FrozenClock, was_there: bool
) -> None:
    # Given one less than enough others, beside a cell of many
    await add(database, "a", LEAST_ACCOUNTS - 1 + was_there, FIRST, style="bust")
    await add(database, "b", 500, FIRST)

    # When a naive table leaves small cells out: the cell itself tells
    async with database.read() as reader:
        exact = await reader.rows(_EXACT)
        naive = [row["style"] for row in exact if int(row["accounts"]) >= LEAST_ACCOUNTS]
        # And one that tells sums tells what it left out
        total = sum(int(row["accounts"]) for row in exact)
    assert ("bust" in naive) is was_there
    assert total - 500 == LEAST_ACCOUNTS - 1 + was_there

    # Then ours looks alike both ways, and is all there is: no sum of anything is kept
    clock.advance(2 * WEEK)
    await Counting(database).run()
    assert [cell["style"] for cell in await cells(database)] == ["chibi"]
    async with database.read() as reader:
        (week,) = await reader.rows("SELECT id, brand_id, week, ends_at, counted_at, folded_at FROM usage_week")
    assert not any(isinstance(value, int) for value in week.values())


async def test_two_publications_cannot_be_subtracted_from_each_other(database: Database, clock: FrozenClock) -> None:
    # Given a week that was published
    await add(database, "a", OTHERS, FIRST)
    clock.advance(2 * WEEK)
    await Counting(database).run()
    before = await cells(database)
    async with database.read() as reader:
        naive_before = Counter(row["accounts"] for row in await reader.rows(_EXACT))

    # When somebody's account is erased, and another week is published
    async with database.transaction() as tx:
        assert await repository.delete_of_account(tx, "acc_7", 100) == 1
    await add(database, "b", OTHERS, clock.now())
    clock.advance(2 * WEEK)
    await Counting(database).run()

    # Then a table that is made anew differs by that person, and ours by the new week alone
    async with database.read() as reader:
        naive_after = Counter(row["accounts"] for row in await reader.rows(_EXACT))
    assert naive_before == {OTHERS: 1} and naive_after == {OTHERS: 1, OTHERS - 1: 1}
    after = await cells(database)
    assert [cell for cell in after if cell["week"] == before[0]["week"]] == before
    assert len(after) == 2


async def test_ids_lead_nowhere(database: Database, clock: FrozenClock) -> None:
    # Given a naive table that has hashes in place of ids
    await add(database, "a", OTHERS, FIRST)
    async with database.read() as reader:
        rows = await reader.rows("SELECT account_id, style, browser FROM usage_event")
    naive = [(hashlib.sha256(row["account_id"].encode()).hexdigest(), row["style"], row["browser"]) for row in rows]
    known = {hashlib.sha256(f"acc_{number}".encode()).hexdigest(): f"acc_{number}" for number in range(1, OTHERS + 1)}

    # Then whoever knows ids finds everybody in that, and nobody in ours, where each row is about many
    assert {known[digest] for digest, _, _ in naive} == set(known.values())
    clock.advance(2 * WEEK)
    await Counting(database).run()
    async with database.read() as reader:
        (cell,) = await reader.rows(
            "SELECT id, brand_id, week, kind, style, page, level, browser, system, accounts, events FROM usage_cell"
        )
    assert not _names(cell, [*known, *known.values()])
    assert await left(database) == OTHERS


def _names(cell: Mapping[str, object], ids: list[str]) -> bool:
    return any(each in str(value) for value in cell.values() for each in ids)

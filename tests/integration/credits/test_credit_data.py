"""The ledger as data about a person: classified, exported, erased."""

from __future__ import annotations

from statuette.kernel.db.schema import tables
from statuette.kernel.domain.credits.dataset import dataset
from statuette.kernel.domain.credits.views import Balance
from statuette.policy import EffectivePolicy, compile_policy
from statuette_policies import BASELINE

from .ledger import ALICE, BOB, Ledger

OURS = {"wallet", "credit_lot", "credit_hold", "credit_hold_lot", "ledger_transfer", "ledger_entry"}


async def _policy_of(_: str) -> EffectivePolicy:
    return compile_policy((BASELINE,))


DATASET = dataset(_policy_of)


def test_every_column_is_classified_by_a_category_of_the_baseline() -> None:
    columns = {
        table._meta.tablename: {column._meta.name for column in table._meta.columns}
        for table in tables()
        if table._meta.tablename in OURS
    }

    assert {table.table: set(table.columns) for table in DATASET.tables} == columns
    assert set(DATASET.categories()) <= {category.id for category in BASELINE.catalogue.categories}


async def test_an_export_holds_the_account_and_nobody_else(ledger: Ledger) -> None:
    await ledger.grant(10, "alice")
    await ledger.grant(99, "bob", account_id=BOB)
    await ledger.hold("gen_1", 4)

    async with ledger.database.transaction() as tx:
        records = await DATASET.handler.export(tx, ALICE)

    assert [(record["record"], record.get("amount", record.get("available"))) for record in records] == [
        ("balance", 6),
        ("lot", 10),
        ("hold", 4),
        *(("transfer", record["amount"]) for record in records[3:]),
    ]
    assert sorted(record["amount"] for record in records[3:]) == [4, 10]


async def test_a_ledger_is_not_erased_before_its_jobs_gave_up_their_holds(ledger: Ledger) -> None:
    await ledger.grant(10, "alice")
    await ledger.hold("gen_1", 4)

    async with ledger.database.transaction() as tx:
        before = await DATASET.handler.settle(tx, ALICE, tx.now)
    await ledger.release("gen_1")
    async with ledger.database.transaction() as tx:
        after = await DATASET.handler.settle(tx, ALICE, tx.now)

    assert (before, after) == (False, True)


async def test_erasing_leaves_no_row_of_the_account_and_sound_books(ledger: Ledger) -> None:
    await ledger.grant(10, "alice")
    await ledger.grant(99, "bob", account_id=BOB)
    await ledger.hold("gen_1", 4)
    await ledger.capture("gen_1", 3)
    await ledger.adjust(-2, "alice")

    for _ in range(2):
        async with ledger.database.transaction() as tx:
            await DATASET.handler.erase(tx, ALICE)

    async with ledger.database.transaction() as tx:
        assert await DATASET.handler.closure(tx, ALICE) is None
        assert await DATASET.handler.export(tx, ALICE) == []
        left = {table: await tx.value(f"SELECT COUNT(*) AS n FROM {table}") for table in sorted(OURS)}
    assert left == {
        "credit_hold": 0,
        "credit_hold_lot": 0,
        "credit_lot": 1,
        "ledger_entry": 2,
        "ledger_transfer": 1,
        "wallet": 2,
    }
    assert await ledger.balance(BOB) == Balance(available=99, held=0)

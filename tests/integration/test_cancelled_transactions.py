"""Whoever is cancelled within a transaction, be it while it begins, leaves none open for the next."""

from __future__ import annotations

import asyncio

from statuette.kernel.db.database import Database


async def test_a_transaction_that_is_cancelled_at_any_moment_leaves_none_open(database: Database) -> None:
    async def write(name: str) -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO time_mark (name, at) VALUES (:name, :now)", name=name, now=tx.now)

    for steps in range(30):
        task = asyncio.create_task(write(f"cancelled {steps}"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await write(f"after {steps}")

    async with database.read() as reader:
        written = await reader.value("SELECT COUNT(*) AS n FROM time_mark WHERE name LIKE 'after %'")
    assert written == 30

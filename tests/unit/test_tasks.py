"""A background task ends when it is told to, even when the first word is lost."""

from __future__ import annotations

import asyncio

from statuette.kernel.tasks import ended


async def test_a_task_that_loses_a_cancellation_is_told_again() -> None:
    lost = 0

    async def forever() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1  # as a client does that closes its connection at this very moment

    task = asyncio.create_task(forever())
    await asyncio.sleep(0)

    await asyncio.wait_for(ended(task), 5)

    assert (lost, task.cancelled()) == (1, True)


async def test_what_is_over_or_was_never_begun_is_not_waited_for() -> None:
    async def fails() -> None:
        raise ValueError

    failed = asyncio.create_task(fails())
    await asyncio.wait({failed})

    await ended(None, failed)

    assert isinstance(failed.exception(), ValueError)

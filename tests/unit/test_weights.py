"""What is in memory at once is bounded, and everybody's turn comes."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from statuette.kernel.weights import WeightedSemaphore


@given(
    total=st.integers(1, 20),
    amounts=st.lists(st.integers(0, 30), max_size=30),
    impatient=st.sets(st.integers(0, 29)),
)
def test_no_more_than_the_total_is_held_and_everybody_is_served(
    total: int, amounts: list[int], impatient: set[int]
) -> None:
    # Given takers of any size, some of which give up while they wait
    async def run() -> tuple[int, int]:
        semaphore, held, most, served = WeightedSemaphore(total), 0, 0, 0

        async def taker(amount: int) -> None:
            nonlocal held, most, served
            async with semaphore.holding(amount):
                held += min(amount, total)
                most = max(most, held)
                try:
                    await asyncio.sleep(0)
                    served += 1
                finally:
                    held -= min(amount, total)

        tasks = [asyncio.create_task(taker(amount)) for amount in amounts]
        await asyncio.sleep(0)
        for number, task in enumerate(tasks):
            if number in impatient:
                task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        async with semaphore.holding(total):  # all of it has come back
            return most, served

    most, served = asyncio.run(run())

    # Then the bound holds, and whoever did not give up was served
    assert most <= total
    assert served >= len([number for number in range(len(amounts)) if number not in impatient])


def test_a_large_taker_is_not_passed_by_small_ones() -> None:
    async def run() -> list[str]:
        semaphore, order = WeightedSemaphore(10), list[str]()

        async def taker(name: str, amount: int) -> None:
            async with semaphore.holding(amount):
                order.append(name)
                await asyncio.sleep(0.01)

        # When a large one waits for small ones to leave, and another small one comes after it
        await asyncio.gather(taker("small", 6), taker("large", 10), taker("late", 1))
        return order

    # Then they are served in the order in which they came
    assert asyncio.run(run()) == ["small", "large", "late"]
